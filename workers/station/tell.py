"""What the station itself tells the consoles: the run that it opened, and the arm on the board."""

from pathlib import Path

from workers.config import Config
from workers.model import events as e
from workers.runtime.shared import SharedNewest
from workers.station.recipes import demonstrations_wanted


def run_opened(config: Config, config_path: Path, pictures: tuple[str, ...]) -> e.RunOpened:
    env = config.env
    low = high = (0.0, 0.0, 0.0)
    if env.robot is not None:
        bounds = env.workspace.end_effector_bounds
        low, high = bounds.min, bounds.max
    return e.RunOpened(
        run=config.run.name,
        run_dir=str(config.run_dir.absolute()),
        config_path=str(config_path),
        task=env.task if env.id is None else env.id,
        fps=env.fps,
        mode=config.mode or "train",
        continues=config.evaluation.go_on,
        cameras=pictures,
        ee_min_m=low,
        ee_max_m=high,
        online_capacity=config.policy.online_buffer_capacity,
        offline_capacity=config.policy.offline_buffer_capacity,
        online_ratio=config.algorithm.online_ratio,
        utd_target=config.algorithm.utd_ratio,
        demonstrations_wanted=demonstrations_wanted(config),
        simulated=config.simulated,
        has_arm=env.robot is not None,
        trains=config.mode is None,
        finds_limits=config.mode == "find-limits",
        discount=config.algorithm.discount,
        previews=env.processor.observation.display_cameras,
        classifier=_classifier(config),
        ends_on_success=env.processor.reset.terminate_on_success,
    )


def _classifier(config: Config) -> e.ClassifierUsed | None:
    """The reward classifier that episodes are shown to; a replay and a search for the workspace have none."""
    used = config.env.processor.reward_classifier
    if used is None or config.mode not in (None, "record"):
        return None
    return e.ClassifierUsed(
        name=used.pretrained_path,
        threshold=used.success_threshold,
        votes=used.votes,
        window=used.window,
        veto_s=used.veto_s,
        decides=used.decides,
        stand_in=used.is_stand_in,
    )


def arm_moved(block: SharedNewest) -> e.ArmMoved | None:
    """The arm as the consoles show it; None before the robot worker's first tick."""
    read = block.read()
    if read is None:
        return None
    arm = read[1]
    clipped = arm["clipped"].decode()
    x, y, z = (round(float(v), 4) for v in arm["ee_m"])
    return e.ArmMoved(
        ee_m=(x, y, z),
        gripper_pct=round(float(arm["joints"][5]), 1),
        mode=e.GateMode(arm["mode"].decode()),
        clipped=tuple(clipped.split(",")) if clipped else (),
        reason=arm["reason"].decode(),
        at_s=round(float(arm["at_ns"]) / 1e9, 3),
        moving_since_s=float(arm["moving_since_ns"]) / 1e9,
        unconfirmed=bool(arm["unconfirmed"]),
    )
