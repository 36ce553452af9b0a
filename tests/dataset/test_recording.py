"""What the actor logs becomes a dataset: every kept episode once, in the format that stock LeRobot reads."""

import errno
from pathlib import Path

import cv2
import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.altered import altered
from tests.dataset.recorded import Recording, renamed, save, small
from workers.config import Config
from workers.dataset import recording as room
from workers.dataset.columns import columns_of, frame_of
from workers.dataset.contents import Contents
from workers.dataset.edit import delete
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.jobs import prepared
from workers.dataset.reader import Dataset
from workers.dataset.units import state_units
from workers.model.events import DatasetOpened, EpisodeSaved
from workers.processors.build import pipelines_of
from workers.transport.log import LogReader, LogWriter
from workers.transport.record import Outcome, Step

FRONT, SIDE = "observation.images.front", "observation.images.side"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small(tmp_path)


@pytest.fixture
def recording(config: Config) -> Recording:
    """Episodes 1, 3 and 5 are to be kept; the others ended as a dataset does not want them."""
    with Recording(config) as made:
        made.episode(0, 4, end=False)  # the actor was killed
    with made:
        made.episode(1, 5)
        made.episode(2, 4, Outcome.STOPPED, discard=True)
        made.episode(3, 3, Outcome.FAILURE)
        made.episode(5, 7)
        made.episode(6, 2, end=False)
    return made


def root(config: Config) -> Path:
    return Path(config.dataset.root or "")


def kept(recording: Recording) -> list[Step]:
    return recording.steps[1] + recording.steps[3] + recording.steps[5]


def lengths(config: Config) -> list[int]:
    return [episode.length for episode in Dataset(root(config)).episodes]


def test_episodes_that_ended_and_were_not_dropped_are_saved(config: Config, recording: Recording) -> None:
    told = save(config)
    assert told[0] == DatasetOpened(str(root(config)), 0, 0)
    assert told[1:] == [
        EpisodeSaved(1, 0, 5, 1, 1, 5),
        EpisodeSaved(3, 1, 3, 0, 2, 8),
        EpisodeSaved(5, 2, 7, 1, 3, 15),
    ]
    assert lengths(config) == [5, 3, 7]


def test_every_column_holds_what_the_log_holds(config: Config, recording: Recording) -> None:
    save(config)
    table = pq.read_table(root(config) / "data", partitioning=None)
    steps, units = kept(recording), state_units(config)
    for column, expected in {
        "observation.state": [units.to_dataset(step.state).tolist() for step in steps],
        "action": [step.action.tolist() for step in steps],
        "next.reward": [step.reward for step in steps],
        "next.done": [step.terminated for step in steps],
        "next.truncated": [False] * 15,
        "next.success": [False] * 4 + [True] + [False] * 9 + [True],
        "complementary_info.discrete_penalty": [np.float32(step.discrete_penalty) for step in steps],
        "complementary_info.is_intervention": [False] * 15,
        "frame_index": [*range(5), *range(3), *range(7)],
        "episode_index": [0] * 5 + [1] * 3 + [2] * 7,
        "index": list(range(15)),
        "task_index": [0] * 15,
    }.items():
        assert table[column].to_pylist() == expected, column
    for key, camera in ((FRONT, 0), (SIDE, 1)):
        for row, step in zip(table[key].to_pylist(), steps, strict=True):
            picture = cv2.imdecode(np.frombuffer(row["bytes"], np.uint8), cv2.IMREAD_COLOR)
            assert (cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) == step.images[camera]).all()


def test_the_datasets_library_decodes_it_without_help(config: Config, recording: Recording, tmp_path) -> None:
    save(config)
    files = str(root(config) / "data/*/*.parquet")
    loaded = datasets.load_dataset(
        "parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(loaded) == 15
    assert np.array_equal(np.asarray(loaded[9][SIDE]), kept(recording)[9].images[1])


def test_the_state_is_in_the_arm_s_units(config: Config, recording: Recording) -> None:
    save(config)
    frames = Dataset(root(config)).frames(0, ["observation.state"])
    scaled = state_units(config).from_dataset(frames["observation.state"])
    assert np.allclose(scaled, [step.state for step in recording.steps[1]], atol=1e-5)


def test_a_recorder_that_starts_again_saves_nothing_twice(config: Config, recording: Recording) -> None:
    save(config)
    with recording:
        recording.episode(7, 4)
    told = save(config)
    assert told == [DatasetOpened(str(root(config)), 3, 15, 5), EpisodeSaved(7, 3, 4, 1, 4, 19)]
    assert lengths(config) == [5, 3, 7, 4]


def test_what_was_saved_and_not_marked_before_a_kill_is_not_saved_twice(
    config: Config, recording: Recording
) -> None:
    save(config)
    (config.run_dir / "recorded").unlink()
    told = save(config)
    assert [event.index for event in told[1:]] == [None] * 3  # type: ignore[attr-defined]
    assert lengths(config) == [5, 3, 7]


def test_frames_with_success_are_counted_on_where_success_does_not_end_an_episode(
    config: Config, recording: Recording
) -> None:
    save(config)
    collecting = altered({"env.processor.reset.terminate_on_success": False}, config)
    assert save(collecting)[0] == DatasetOpened(str(root(config)), 3, 15, 5, positives=2)
    assert save(config)[0] == DatasetOpened(str(root(config)), 3, 15, 5), "elsewhere nobody asks for it"


def test_what_was_deleted_stays_deleted_and_another_dataset_gets_what_comes_from_now_on(
    config: Config, recording: Recording
) -> None:
    save(config)
    delete(root(config), [1])
    other = altered({"dataset.root": str(root(config).with_name("other"))}, config)
    save(other)
    with recording:
        recording.episode(7, 4)
    save(other)
    save(config)
    assert lengths(other) == [4] and lengths(config) == [5, 7]


def test_what_a_policy_drove_is_no_demonstration(config: Config) -> None:
    with Recording(config) as recording:
        recording.episode(0, 4, demonstration=False)
        recording.episode(1, 3)
    save(config)
    assert lengths(config) == [3]


def test_another_run_continues_the_dataset(config: Config, recording: Recording) -> None:
    save(config)
    other = renamed(config, "other")
    with Recording(other) as more:
        more.episode(1, 9)  # the number of an episode of the first run
    save(other)
    assert lengths(config) == [5, 3, 7, 9]


def test_an_episode_is_saved_while_the_next_one_runs(config: Config) -> None:
    told: list[object] = []
    following = room.Recording(config, told.append)
    with Recording(config) as recording:
        recording.episode(0, 3, end=False)
        following.take_in()
        assert len(told) == 1
        recording.episode(1, 4)  # the first one was cut: it has no end
        recording.episode(2, 2, end=False)
        while following.take_in():
            pass
    assert [event.episode for event in told[1:]] == [1]  # type: ignore[attr-defined]
    assert lengths(config) == [4], "readable while the recorder has it open"
    following.close()


def test_a_full_disk_is_said_and_what_is_lacking_is_saved_when_there_is_room(
    config: Config, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare, saved = Contents.prepare, []

    def full_at_the_second(contents: Contents, folder: Path) -> object:
        saved.append(folder)
        if len(saved) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return prepare(contents, folder)

    monkeypatch.setattr(Contents, "prepare", full_at_the_second)
    with pytest.raises(DatasetError, match=r"the disk is full.*1 episode.*not touched"):
        save(config)
    assert lengths(config) == [5]
    save(config)
    assert lengths(config) == [5, 3, 7]


def test_segments_of_the_log_that_are_saved_may_go(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SEGMENTS_KEPT", 1)
    directory = config.run_dir / "log"
    recording = Recording(config)
    recording._log = LogWriter(directory, recording.spec, segment_bytes=40_000)
    for number in range(6):
        recording.episode(number, 6)
    recording._log.close()
    before = len(list(directory.glob("*.seg")))
    save(config)
    assert len(list(directory.glob("*.seg"))) < before
    with recording:
        recording.episode(6, 5)
    save(config)
    assert lengths(config) == [6] * 6 + [5]
    reader = LogReader(directory, recording.spec)
    reader.begin_at_oldest()
    assert reader.position > 0 and reader.read_new()[-1].episode == 6


def test_other_features_are_refused_with_the_differences_before_anything_moves(
    config: Config, recording: Recording
) -> None:
    save(config)
    with pytest.raises(
        DatasetRefused, match=r"observation\.state: float32 \[16\].*here, float32 \[22\].*there"
    ):
        prepared(altered({"env.processor.observation.add_joint_velocity_to_observation": False}, config))
    with pytest.raises(DatasetRefused, match="fps: 5 here, 10 there"):
        prepared(altered({"env.fps": 5.0}, config))
    one_camera = altered({"env.robot.cameras": {"front": {"type": "sim"}}}, config)
    with pytest.raises(DatasetRefused, match=r"observation\.images\.side: nothing here, image \[32, 40, 3\]"):
        prepared(one_camera)


def test_a_folder_with_something_else_in_it_is_refused(config: Config) -> None:
    root(config).mkdir()
    assert prepared(config) == config, "an empty folder will do"
    (root(config) / "thesis.tex").touch()
    with pytest.raises(DatasetRefused, match="not empty, and no dataset"):
        prepared(config)


def test_every_stored_feature_of_any_arm_has_its_column(tmp_path: Path) -> None:
    config = altered(
        {
            "env.processor.observation.add_current_to_observation": True,
            "env.processor.reward_classifier": {"pretrained_path": "simulated"},
            "env.processor.gripper.use_gripper": False,
        },
        small(tmp_path),
    )
    with Recording(config) as recording:
        recording.episode(0, 3)
    stored = pipelines_of(config).stored
    row = frame_of(recording.steps[0][0], stored)
    columns = columns_of(stored)
    assert {key: column.shape for key, column in columns.items() if key in row} == {
        key: value.shape or (1,) for key, value in row.items()
    }
    save(config)
    action = Dataset(root(config)).frames(0, ["action"])["action"][0]
    assert action.tolist() == recording.steps[0][0].action.tolist()
