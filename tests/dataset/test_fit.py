"""What a dataset must be to feed a run; everything else is refused in a table, before anything moves."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.actor.worlds import POINT, PREFIX
from tests.altered import altered
from tests.dataset.shown import columns_for, episode, recorded_here, write
from workers.config import Config
from workers.dataset.demonstrations import Demonstrations, ends_of
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.jobs import prepared
from workers.dataset.layout import AUTOMATIC, Column, Frames
from workers.dataset.notes import Crops, crops_of
from workers.dataset.recording import writer_of
from workers.dataset.units import state_units
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.transport.record import EpisodeEnd, Step

STATE, FRONT, SIDE = "observation.state", "observation.images.front", "observation.images.side"
RESIZE = "env.processor.image_preprocessing.resize_size"
VELOCITY = "env.processor.observation.add_joint_velocity_to_observation"
CURRENT = "env.processor.observation.add_current_to_observation"
POSE = "env.processor.observation.add_ee_pose_to_observation"
CROPS = "env.processor.image_preprocessing.crop_params_dict"


def training(folder: Path, **changes: object) -> Config:
    keys = {"dataset.root": str(folder / "set"), "run.directory": str(folder / "runs"), RESIZE: [32, 32]}
    config = altered({**keys, **changes})
    config.run_dir.mkdir(parents=True, exist_ok=True)
    return config


def steps_of(config: Config, root: Path) -> list[Step]:
    return [record for record in Demonstrations(config, root).records() if isinstance(record, Step)]


def write_lerobots(config: Config, root: Path, states: list[np.ndarray], gripper: int = 1) -> list[Frames]:
    """As LeRobot's gym_manipulator records: no names, no column that tells a time limit from a failure."""
    here = columns_for(config)
    columns = {
        key: Column(column.dtype, column.shape, None if key == STATE else column.names)
        for key, column in here.items()
        if key not in ("next.truncated", "next.success", "complementary_info.is_intervention")
    }
    columns[STATE] = Column("float32", (states[0].shape[1],))
    episodes = []
    for seed, rows in enumerate(states):
        frames = episode(columns, len(rows), seed)
        frames[STATE] = rows.astype(np.float32)
        frames["action"][:, 3] = gripper
        episodes.append(frames)
    write(root, columns, episodes, config.env.fps, ours=False)
    return episodes


JOINTS = np.array(
    [[0.0, -2.0, 0.4, 91.7, 2.8, 40.0], [1.0, -2.0, 0.4, 91.0, 2.8, 40.0], [3, -1, 2, 90, 2.8, 40.0]]
)


def refusal(config: Config) -> str:
    with pytest.raises(DatasetRefused) as caught:
        prepared(config)
    assert caught.value.path == ("dataset", "root")
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "row"),
    [
        ({"env.fps": 20}, r"fps +20 +10\n +-> set env\.fps = 10, or record at 20"),
        (
            {"env.robot.cameras.wrist": {"type": "sim"}},
            r"observation\.images\.wrist +32x32 picture +missing\n +-> it has front, side: call the cameras",
        ),
        (
            {"env.processor.gripper.use_gripper": False},
            r"action +3 numbers +4 numbers\n.*use_gripper\s+= true",
        ),
        ({CURRENT: True}, r"observation\.state +28 numbers +no motor currents\n.*ask for what the dataset"),
        (
            {CROPS: {FRONT: [8, 8, 96, 96]}, RESIZE: [64, 64]},
            r"front +64x64 picture +32x32 picture\n.*for 128x128",
        ),
        ({RESIZE: None}, r"front +128x128 picture +32x32 picture\n +-> set resize_size = \[32, 32\]"),
    ],
    ids=["rate", "camera", "action", "state", "crop", "size"],
)
def test_what_does_not_fit_is_said_with_what_to_do(tmp_path: Path, changes: dict, row: str) -> None:
    recorded_here(training(tmp_path), tmp_path / "set", [4])
    text = refusal(training(tmp_path, **changes))
    assert re.search(row, text), text
    assert "this run" in text and "the dataset" in text


def test_all_that_differs_is_said_at_once(tmp_path: Path) -> None:
    recorded_here(training(tmp_path), tmp_path / "set", [4])
    text = refusal(training(tmp_path, **{"env.fps": 20, CURRENT: True}))
    assert "fps" in text and "motor currents" in text
    assert max(map(len, text.splitlines()[1:])) < 80


def test_joint_targets_are_no_steps_of_the_end_effector(tmp_path: Path) -> None:
    config = training(tmp_path)
    columns = columns_for(config)
    frames = episode(columns, 5, 0, units=state_units(config))
    frames["action"][:, 1] = 45.0
    write(tmp_path / "set", columns, [frames])
    assert re.search(r"action +motion in \[-1, 1\], gripper 0, 1 or 2 +up to .*45", refusal(config))


def test_a_dataset_without_success_shows_nothing(tmp_path: Path) -> None:
    config = training(tmp_path)
    recorded_here(config, tmp_path / "set", [4, 5], failed=(0, 1))
    assert "holds no episode that succeeded (2 without a reward above 0)" in refusal(config)


def test_a_dataset_that_kept_the_scaled_state_is_refused(tmp_path: Path) -> None:
    config = training(tmp_path)
    columns = columns_for(config)
    write(tmp_path / "set", columns, [episode(columns, 5, 0)])
    assert "recorded by an earlier version" in refusal(config)


def test_somebody_else_s_arm_near_its_zeros_is_wondered_at(tmp_path: Path, caplog) -> None:
    config = training(tmp_path, **{VELOCITY: False, POSE: False})
    write_lerobots(config, tmp_path / "set", [np.zeros((4, 6))])
    assert prepared(config).operator.demonstrations == config.operator.demonstrations - 1
    assert "is the arm's state in degrees?" in caplog.text


@pytest.mark.parametrize(("episodes", "left"), [(3, 1), (4, 0), (6, 0)])
def test_demonstrations_of_a_dataset_need_not_be_recorded(tmp_path: Path, episodes: int, left: int) -> None:
    config = training(tmp_path, **{"operator.demonstrations": 4})
    recorded_here(config, tmp_path / "set", [3] * episodes)
    assert prepared(config).operator.demonstrations == left


def test_full_size_pictures_are_cut_as_the_live_ones_are(tmp_path: Path) -> None:
    sizes = {
        f"env.robot.cameras.{name}.{side}": 96 for name in ("front", "side") for side in ("width", "height")
    }
    recording = training(tmp_path, **sizes, **{RESIZE: None})
    (frames,) = recorded_here(recording, tmp_path / "set", [4])
    crop = (8, 16, 64, 48)
    config = training(tmp_path, **sizes, **{CROPS: {FRONT: crop}})
    cutter = ImageCropResizeProcessor({FRONT: crop}, (32, 32))
    for number, step in enumerate(steps_of(config, tmp_path / "set")):
        for camera, key in enumerate((FRONT, SIDE)):
            assert (step.images[camera] == cutter.picture(key, frames[key][number])).all()


@pytest.mark.parametrize(
    ("here", "there", "to_do"),
    [
        ({FRONT: (8, 16, 64, 48)}, {}, "take its crop out of crop_params_dict; or record again"),
        ({}, {FRONT: (8, 16, 64, 48)}, r"set its crop to \[8, 16, 64, 48\]; or record again"),
    ],
)
def test_pictures_of_another_part_of_the_scene_are_not_taken_for_their_size_alone(
    tmp_path: Path, here: Crops, there: Crops, to_do: str
) -> None:
    sizes = {f"env.robot.cameras.front.{side}": 96 for side in ("width", "height")}
    config = training(tmp_path, **sizes, **({CROPS: here} if here else {}))
    columns = columns_for(config)
    frames = episode(columns, 3, 0, units=state_units(config))
    write(tmp_path / "set", columns, [frames], config.env.fps, crops=there)
    assert re.search(to_do, " ".join(refusal(config).split()))


def test_a_recording_notes_its_crops_and_is_not_gone_on_with_by_another(tmp_path: Path) -> None:
    sizes = {f"env.robot.cameras.front.{side}": 96 for side in ("width", "height")}
    record = {"mode": "record", **sizes}
    config = training(tmp_path, **record)
    writer = writer_of(config)
    frames = episode(columns_for(config), 2, 0)
    for row in zip(*frames.values(), strict=True):
        writer.add_frame(dict(zip(frames, map(np.asarray, row), strict=True)))
    writer.save_episode("lift it")
    writer.close()
    assert crops_of(tmp_path / "set") == {}
    writer_of(config).close()
    with pytest.raises(
        DatasetRefused, match=r"crop of observation.images.front: \[8, 16, 64, 48\] here, none there"
    ):
        writer_of(training(tmp_path, **record, **{CROPS: {FRONT: (8, 16, 64, 48)}}))


def test_pictures_of_the_policy_s_size_are_taken_as_they_are(tmp_path: Path) -> None:
    (frames,) = recorded_here(training(tmp_path), tmp_path / "set", [4])
    config = training(tmp_path, **{CROPS: {FRONT: [8, 16, 96, 96]}})
    assert (steps_of(config, tmp_path / "set")[2].images[0] == frames[FRONT][2]).all()


@pytest.fixture
def positions_alone(tmp_path: Path) -> Callable[..., Config]:
    return lambda **changes: training(tmp_path, **{VELOCITY: False, POSE: False, **changes})


def test_positions_without_names_are_lerobot_s(positions_alone, tmp_path: Path) -> None:
    config = positions_alone()
    write_lerobots(config, tmp_path / "set", [JOINTS])
    found = np.stack([step.state for step in steps_of(config, tmp_path / "set")])
    assert state_units(config).to_dataset(found) == pytest.approx(JOINTS, abs=1e-4)


def test_what_follows_from_positions_and_commands_is_worked_out(positions_alone, tmp_path: Path) -> None:
    from workers.robot.build import kinematics_of

    config = training(tmp_path)
    assert len(state_units(config).names) == 22
    write_lerobots(config, tmp_path / "set", [JOINTS], gripper=0)
    units = state_units(config)
    found = units.to_dataset(np.stack([step.state for step in steps_of(config, tmp_path / "set")]))
    by_name = dict(zip(units.names, found.T, strict=True))
    assert by_name["shoulder_pan.vel"] == pytest.approx([0.0, 10.0, 20.0], abs=1e-3)
    height = [kinematics_of(config).position(row)[2] for row in JOINTS]
    assert by_name["ee.z"] == pytest.approx(height, abs=1e-5)
    assert by_name["ee.gripper_goal"] == pytest.approx([40.0, 0.0, 0.0], abs=1e-4)


def test_lerobot_s_currents_are_the_servo_s_register(positions_alone, tmp_path: Path) -> None:
    config = positions_alone(**{VELOCITY: True, CURRENT: True})
    counts = np.array([[10, 0x8000 | 20, 0, 0, 0, 100]] * 3)
    write_lerobots(config, tmp_path / "set", [np.concatenate([JOINTS, np.zeros((3, 6)), counts], axis=1)])
    units = state_units(config)
    found = units.to_dataset(steps_of(config, tmp_path / "set")[0].state)
    assert found[-6:] == pytest.approx([0.065, -0.13, 0, 0, 0, 0.65], abs=1e-5)


def test_numbers_that_nobody_names_are_refused(positions_alone, tmp_path: Path) -> None:
    config = positions_alone()
    write_lerobots(config, tmp_path / "set", [np.zeros((3, 7))])
    assert re.search(r"observation\.state +6 numbers +7 numbers without names", refusal(config))


def ends(**columns: list[float]) -> tuple[list[bool], list[bool]]:
    frames = {f"next.{name}": np.array(values) for name, values in columns.items()}
    terminated, truncated = ends_of(frames)
    return terminated.tolist(), truncated.tolist()


def test_a_success_ends_an_episode_and_a_time_limit_cuts_it() -> None:
    assert ends(reward=[0, 1], done=[0, 1]) == ([False, True], [False, False])
    assert ends(reward=[0, 1]) == ([False, True], [False, False])
    assert ends(reward=[0, 0], done=[0, 1]) == ([False, False], [False, True])
    assert ends(reward=[0, 0], done=[0, 1], truncated=[0, 0]) == ([False, True], [False, False])
    assert ends(reward=[1, 1], done=[0, 1], truncated=[0, 1]) == ([False, False], [False, True])
    assert ends(reward=[0, 0], done=[0, 0], truncated=[0, 0], success=[0, 1]) == (
        [False, True],
        [False, False],
    )


def test_every_episode_is_closed(tmp_path: Path) -> None:
    config = training(tmp_path)
    recorded_here(config, tmp_path / "set", [3, 4, 5], failed=(1,))
    records = list(Demonstrations(config, tmp_path / "set").records())
    ended = [record.episode for record in records if isinstance(record, EpisodeEnd)]
    assert ended == [0, 1] and isinstance(records[-1], EpisodeEnd)
    assert [step.step for step in records if isinstance(step, Step)] == [0, 1, 2, 0, 1, 2, 3, 4]


def test_a_gymnasium_environment_learns_from_what_lerobot_recorded_in_it(tmp_path: Path) -> None:
    """`agent_pos` and `environment_state` in columns of their own, in the environment's units."""
    config = altered(
        {
            "env": {"type": "gymnasium", "id": f"{PREFIX}{POINT}"},
            "run.directory": str(tmp_path / "runs"),
            "dataset.root": str(tmp_path / "set"),
        }
    )
    columns = {
        STATE: Column("float32", (2,)),
        "observation.environment_state": Column("float32", (2,)),
        "action": Column("float32", (3,)),
        "next.reward": Column("float32", (1,)),
        "next.done": Column("bool", (1,)),
        **AUTOMATIC,
    }
    frames = episode(columns, 4, 0)
    frames[STATE] = np.array([[0, 0], [2, -4], [4, 4], [1, 1]], np.float32)
    frames["observation.environment_state"] = np.full((4, 2), 100, np.float32)
    frames["action"] = np.array([[0.5, -1, 2]] * 4, np.float32)
    write(tmp_path / "set", columns, [frames], config.env.fps, ours=False)
    assert prepared(config).operator.demonstrations == config.operator.demonstrations - 1
    step = steps_of(config, tmp_path / "set")[1]
    assert step.state == pytest.approx([0.5, -1.0, np.log1p(100), np.log1p(100)], abs=1e-6)
    assert step.images.shape == (0, 0, 0, 3) and step.action.tolist() == [0.5, -1, 2]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A hub with one dataset; the names that were asked for."""
    asked: list[str] = []

    def fetch(repo_id: str, revision: str | None = None, root: Path | None = None) -> Path:
        asked.append(repo_id)
        if repo_id != "kim/lift":
            raise DatasetError("the hub does not know you, or there is no such dataset")
        assert root is not None
        recorded_here(training(tmp_path), root, [3] * 4)
        return root

    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("workers.dataset.fetch.fetch", fetch)
    return asked


def test_a_dataset_of_the_hub_is_downloaded_once_and_to_where_lerobot_keeps_it(hub, tmp_path: Path) -> None:
    config = training(tmp_path, **{"dataset.root": None, "dataset.repo_id": "kim/lift"})
    assert prepared(config, download=False) == config and not hub
    assert prepared(config).operator.demonstrations == config.operator.demonstrations - 4
    assert prepared(config).operator.demonstrations == config.operator.demonstrations - 4
    assert hub == ["kim/lift"] and (tmp_path / "cache/kim/lift/meta/info.json").exists()


def test_what_the_hub_answers_refuses_the_run(hub, tmp_path: Path) -> None:
    config = training(tmp_path, **{"dataset.root": None, "dataset.repo_id": "kim/other"})
    with pytest.raises(DatasetError, match="does not know you"):
        prepared(config)


def test_where_the_learner_is_elsewhere_the_dataset_need_not_be_here(tmp_path: Path, caplog) -> None:
    config = training(tmp_path, **{"policy.actor_learner_config.learner_host": "gpu"})
    assert prepared(config) == config
    assert "its demonstrations do not count here" in caplog.text
