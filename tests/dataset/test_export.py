"""What is in the log is in the dataset, in the format that stock LeRobot reads."""

import json
from pathlib import Path

import cv2
import datasets
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.altered import altered
from tests.dataset.recorded import Recording, small
from workers.config import Config
from workers.dataset.columns import columns_of, frames_of
from workers.dataset.export import Exported, export_run
from workers.processors.build import pipelines_of
from workers.transport.record import Outcome, Step

FRONT, SIDE = "observation.images.front", "observation.images.side"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small(tmp_path)


@pytest.fixture
def recording(config: Config) -> Recording:
    """Episodes 1 and 4 are to be kept; the others ended as a dataset does not want them."""
    with Recording(config) as made:
        made.episode(0, 4, end=False)  # the actor was killed
    with made:
        made.episode(1, 5)
        made.episode(2, 4, Outcome.TIME_LIMIT, discard=True)
        made.episode(3, 4, demonstration=False)
        made.episode(4, 7)
        made.episode(5, 3, Outcome.STOPPED, discard=True)
        made.episode(6, 2, end=False)
    return made


def kept(recording: Recording) -> list[Step]:
    return recording.steps[1] + recording.steps[4]


def exported(config: Config) -> Path:
    root = Path(config.dataset.root or "")
    export_run(config, root)
    return root


def test_only_demonstrations_that_were_kept_are_written(
    config: Config, recording: Recording, tmp_path: Path
) -> None:
    assert export_run(config, tmp_path / "set") == Exported(episodes=2, frames=12)


def test_a_run_that_kept_nothing_leaves_no_dataset(config: Config, tmp_path: Path) -> None:
    with Recording(config) as recording:
        recording.episode(0, 3, Outcome.FAILURE, discard=True)
    assert export_run(config, tmp_path / "set") == Exported(0, 0)
    assert not [path.name for path in tmp_path.iterdir() if path.name != "runs"]


def test_every_column_holds_what_the_log_holds(config: Config, recording: Recording) -> None:
    table = pq.read_table(exported(config) / "data", partitioning=None)
    steps = kept(recording)
    for column, expected in {
        "observation.state": [step.state.tolist() for step in steps],
        "action": [step.action.tolist() for step in steps],
        "next.reward": [step.reward for step in steps],
        "next.done": [step.terminated for step in steps],
        "next.truncated": [False] * 12,
        "next.success": [False] * 4 + [True] + [False] * 6 + [True],
        "complementary_info.discrete_penalty": [np.float32(step.discrete_penalty) for step in steps],
        "complementary_info.is_intervention": [False] * 12,
        "frame_index": [*range(5), *range(7)],
        "episode_index": [0] * 5 + [1] * 7,
        "index": list(range(12)),
        "task_index": [0] * 12,
    }.items():
        assert table[column].to_pylist() == expected, column
    assert np.allclose(table["timestamp"].to_numpy(), [i / 10 for i in (*range(5), *range(7))])
    for key, camera in ((FRONT, 0), (SIDE, 1)):
        for row, step in zip(table[key].to_pylist(), steps, strict=True):
            picture = cv2.imdecode(np.frombuffer(row["bytes"], np.uint8), cv2.IMREAD_COLOR)
            assert (cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) == step.images[camera]).all()


def test_the_schema_is_lerobots(config: Config, recording: Recording) -> None:
    file = pq.ParquetFile(exported(config) / "data/chunk-000/file-000.parquet")
    schema = file.schema_arrow
    assert schema.field("action").type == pa.list_(pa.float32(), 4)
    assert schema.field("next.reward").type == pa.float32()
    assert schema.field("next.done").type == pa.bool_()
    assert schema.field("timestamp").type == pa.float32()
    assert schema.field("index").type == pa.int64()
    assert schema.field(FRONT).type == pa.struct({"bytes": pa.binary(), "path": pa.string()})


def test_the_datasets_library_decodes_it_without_help(config: Config, recording: Recording, tmp_path) -> None:
    files = str(exported(config) / "data/*/*.parquet")
    loaded = datasets.load_dataset(
        "parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(loaded) == 12
    assert np.array_equal(np.asarray(loaded[6][SIDE]), kept(recording)[6].images[1])
    assert loaded[6]["action"] == kept(recording)[6].action.tolist()


def test_the_description_comes_from_the_pipelines(config: Config, recording: Recording) -> None:
    info = json.loads((exported(config) / "meta/info.json").read_bytes())
    stored = pipelines_of(config).stored
    assert {key: info[key] for key in ("codebase_version", "fps", "total_episodes", "total_frames")} == {
        "codebase_version": "v3.0", "fps": 10, "total_episodes": 2, "total_frames": 12,
    }  # fmt: skip
    assert info["total_tasks"] == 1 and info["splits"] == {"train": "0:2"} and info["video_path"] is None
    assert isinstance(info["fps"], int)
    described = info["features"]
    assert described["action"] == {"dtype": "float32", "shape": [4], "names": ["dx", "dy", "dz", "gripper"]}
    assert described["observation.state"]["names"] == list(stored["observation.state"].names)
    assert described[FRONT] == {
        "dtype": "image", "shape": [32, 40, 3], "names": ["height", "width", "channels"],
    }  # fmt: skip
    assert described["next.reward"] == {"dtype": "float32", "shape": [1], "names": None}
    automatic = {"timestamp", "frame_index", "episode_index", "index", "task_index"}
    assert set(described) == set(stored) | {"next.success"} | automatic


def test_the_list_of_episodes_says_where_each_lies(config: Config, recording: Recording) -> None:
    episodes = pq.read_table(exported(config) / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [
        (row["episode_index"], row["length"], row["dataset_from_index"], row["dataset_to_index"])
        for row in episodes
    ] == [(0, 5, 0, 5), (1, 7, 5, 12)]
    assert all(row["tasks"] == [config.dataset.task] for row in episodes)
    assert [(row["data/chunk_index"], row["data/file_index"]) for row in episodes] == [(0, 0), (0, 1)]
    state = np.stack([step.state for step in recording.steps[4]])
    assert np.allclose(episodes[1]["stats/observation.state/mean"], state.mean(axis=0))
    assert episodes[1]["stats/observation.state/count"] == [7]
    assert np.shape(episodes[1][f"stats/{FRONT}/q50"]) == (3, 1, 1)


def test_the_words_of_the_task_are_pandas_index(config: Config, recording: Recording) -> None:
    tasks = pandas.read_parquet(exported(config) / "meta/tasks.parquet")
    assert tasks.index.name == "task"
    assert tasks.loc[config.dataset.task, "task_index"] == 0


def test_the_statistics_are_those_of_all_frames(config: Config, recording: Recording) -> None:
    stats = json.loads((exported(config) / "meta/stats.json").read_bytes())
    info = json.loads((Path(config.dataset.root or "") / "meta/info.json").read_bytes())
    assert list(stats) == list(info["features"])
    actions = np.stack([step.action for step in kept(recording)])
    pictures = np.stack([step.images[0] for step in kept(recording)]) / 255.0
    for name, of in {"min": np.min, "max": np.max, "mean": np.mean, "std": np.std}.items():
        assert np.allclose(stats["action"][name], of(actions, axis=0)), name
        expected = of(pictures, axis=(0, 1, 2)).reshape(3, 1, 1)
        assert np.allclose(stats[FRONT][name], expected, atol=1e-9), name
    assert stats["action"]["count"] == stats[FRONT]["count"] == [12]
    assert stats["next.reward"]["max"] == [1.0]


def test_the_quantiles_are_those_of_the_episodes_by_weight(config: Config, recording: Recording) -> None:
    stats = json.loads((exported(config) / "meta/stats.json").read_bytes())
    episodes = [np.stack([step.action for step in recording.steps[number]]) for number in (1, 4)]
    own = [np.quantile(actions, 0.1, axis=0) for actions in episodes]
    assert np.allclose(stats["action"]["q10"], (5 * own[0] + 7 * own[1]) / 12)


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
    frames = frames_of(recording.steps[0], stored)
    columns = columns_of(stored)
    assert {key: column.shape for key, column in columns.items() if key in frames} == {
        key: rows.shape[1:] or (1,) for key, rows in frames.items()
    }
    export_run(config, tmp_path / "set")
    assert pq.read_table(tmp_path / "set/data")["action"][0].as_py() == recording.steps[0][0].action.tolist()
