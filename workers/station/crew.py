"""Which workers a run has, in which order they stop, and how patient the station is with each."""

from collections.abc import Callable, Mapping

from workers.actor.worker import main as actor_main
from workers.camera.worker import main as camera_main
from workers.config import Config
from workers.dataset.worker import main as recorder_main
from workers.learner.worker import main as learner_main
from workers.robot.board import Board
from workers.robot.guardian import main as guardian_main
from workers.robot.worker import main as robot_main
from workers.runtime.beginning import Beginning
from workers.runtime.harness import Desk, WorkerFailure
from workers.station.handle import WorkerHandle, WorkerSpec
from workers.teleop.display_keyboard import main as display_keys_main
from workers.teleop.gamepad.worker import main as gamepad_main
from workers.teleop.leader import main as leader_main

LEARNER_NICE = 10  # on a small machine the control loop comes first
ACTOR_SILENT_S = 5.0
ARM_SILENT_S = 3.0
ARM_STOP_S = 18.0  # the way to the rest pose takes up to 15 s
GUARDIAN_STOP_S = (
    2 * ARM_STOP_S
)  # it leaves after the robot worker, and parks the arm itself where that one cannot
ENVIRONMENT_SILENT_S = 30.0  # a stranger's environment may take its time over a step or a reset
LEARNER_SILENT_S = 60.0
COMPILING_SILENT_S = 300.0
LEARNER_FROZEN_S = 30.0  # a driver of a GPU may take its time, and Python waits for it
RECORDER_SILENT_S = 20.0  # one call of a slow disk; it beats while it encodes
RECORDER_STOP_S = 30.0  # the last episode may still be encoded
RECORDER_KILLED = (
    "what is recorded and not saved is in the run's log, and is saved when the recording is started again"
)
LINK_SILENT_S = 20.0  # it waits for nothing, but a loaded machine may leave it little
INGEST_SILENT_S = 20.0
DEVICE_SILENT_S = 3.0  # the arm holds long before; a port or a USB device may take its time to open
SAVING_S = 4.0  # a learner's last checkpoint, where no arm waits for the end


def crew(config: Config, board: Board, beginning: Beginning = Beginning.AS_LEFT) -> list[WorkerSpec]:
    """Specifications of every worker of a run; a Gymnasium environment lives in the actor, and only training learns."""
    learner = [_learner(config, beginning)] if config.mode is None else []
    if config.env.type == "gymnasium":
        actor = WorkerSpec(
            "actor", actor_main, (config, board), ENVIRONMENT_SILENT_S, frozen_limit_s=ENVIRONMENT_SILENT_S
        )
        return [actor, *_device(config, board), *learner]
    cameras = [
        WorkerSpec(f"camera-{name}", camera_main, (config, name, board), silent_limit_s=3.0)
        for name in config.env.cameras
    ]
    return [
        *_arm(config, board),
        *cameras,
        WorkerSpec("actor", actor_main, (config, board), silent_limit_s=ACTOR_SILENT_S),
        *_device(config, board),
        *learner,
        *([_recorder(config)] if config.mode == "record" else []),
    ]


def _arm(config: Config, board: Board) -> list[WorkerSpec]:
    """The robot worker; of a real arm with a guardian, which is the quicker one to see that it hangs."""
    if config.simulated:
        return [WorkerSpec("robot", robot_main, (config, board), silent_limit_s=1.0)]
    return [
        _arm_worker("robot", robot_main, config, board, ARM_STOP_S),
        _arm_worker("guardian", guardian_main, config, board, GUARDIAN_STOP_S),
    ]


def _arm_worker(
    name: str, main: Callable[..., None], config: Config, board: Board, stop_s: float
) -> WorkerSpec:
    """Who may have to park the arm at the end, and load and open for that: no silence is taken for an end then."""
    return WorkerSpec(name, main, (config, board), ARM_SILENT_S, stop_s=stop_s, stopping_silent_s=stop_s)


def _device(config: Config, board: Board) -> list[WorkerSpec]:
    """The worker of the person's device; the terminal's keys need none."""
    teleop = config.env.teleop
    if teleop.is_leader:
        return [WorkerSpec("leader", leader_main, (config, board), DEVICE_SILENT_S)]
    if teleop.listen is not None:
        return [WorkerSpec("gamepad", forwarded_main, (config, board), DEVICE_SILENT_S)]
    if teleop.type == "gamepad":
        return [WorkerSpec("gamepad", gamepad_main, (config, board), DEVICE_SILENT_S)]
    if teleop.type == "display_keyboard":
        return [WorkerSpec("display-keys", display_keys_main, (config, board), DEVICE_SILENT_S)]
    return []


def _recorder(config: Config) -> WorkerSpec:
    return WorkerSpec(
        "recorder",
        recorder_main,
        (config,),
        RECORDER_SILENT_S,
        nice=LEARNER_NICE,
        stop_s=RECORDER_STOP_S,
        if_killed=RECORDER_KILLED,
    )


def _learner(config: Config, beginning: Beginning) -> WorkerSpec:
    """The learner, or the link to one elsewhere: both take the same orders and tell the same events."""
    if config.policy.actor_learner_config.learner_host is not None:
        return WorkerSpec("learner", link_main, (config,), LINK_SILENT_S, nice=LEARNER_NICE)
    return _learner_here(config, beginning, nice=LEARNER_NICE)


def _learner_here(
    config: Config, beginning: Beginning, nice: int = 0, stop_s: float = WorkerSpec.stop_s
) -> WorkerSpec:
    # Kernels for a GPU are compiled at their first use, whether or not the rest is.
    compiles = config.policy.compiles or config.policy.device.startswith("cuda")
    return WorkerSpec(
        "learner",
        learner_main,
        (config, beginning),
        silent_limit_s=COMPILING_SILENT_S if compiles else LEARNER_SILENT_S,
        stop_s=stop_s,
        nice=nice,
        frozen_limit_s=COMPILING_SILENT_S if compiles else LEARNER_FROZEN_S,
    )


def serving_crew(config: Config, listen: str, beginning: Beginning) -> list[WorkerSpec]:
    """Workers of a learner's station: who takes in what actors elsewhere send, and who learns from it.

    `listen` is ADDRESS:PORT.
    """
    return [
        WorkerSpec("ingest", ingest_main, (config, listen), INGEST_SILENT_S, nice=LEARNER_NICE),
        _learner_here(config, beginning, stop_s=SAVING_S),
    ]


def link_main(desk: Desk, config: Config) -> None:
    """The link to a learner elsewhere; gRPC is imported by its own process only."""
    from workers.transport.link_worker import main

    main(desk, config)


def forwarded_main(desk: Desk, config: Config, board: Board) -> None:
    """A gamepad on another computer; gRPC is imported by its own process only."""
    from workers.teleop.forwarding.receiver import main

    main(desk, config, board)


def ingest_main(desk: Desk, config: Config, listen: str) -> None:
    """The network's side of a learner that serves; gRPC is imported by its own process only."""
    from workers.processors.build import feature_spec
    from workers.processors.errors import EnvironmentRefused
    from workers.transport.ingest_worker import main

    try:
        features = feature_spec(config)
    except EnvironmentRefused as refused:
        raise WorkerFailure(str(refused)) from refused
    main(desk, config, listen, features)


def stop_waves(handles: Mapping[str, WorkerHandle]) -> list[list[WorkerHandle]]:
    """Waves of an orderly stop: the actor completes its step; then the robot parks and the learner saves."""
    return [
        [handles["actor"]],
        [handle for name, handle in handles.items() if name != "actor"],
    ]
