"""An edited dataset has what was asked for and the rest as it was; statistics, numbers and videos fit together."""

import json
import os
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.demonstrated import CAMERA, COLUMNS, FPS, make
from tests.dataset.made import tree
from workers.dataset import edit
from workers.dataset.check import check
from workers.dataset.contents import stats_of_episodes
from workers.dataset.edit import delete, merge, relabel, trim, undo
from workers.dataset.errors import DatasetError
from workers.dataset.layout import Column
from workers.dataset.reader import Dataset
from workers.dataset.stats import of_values
from workers.dataset.tables import stats_of
from workers.dataset.writer import DatasetWriter

both = pytest.mark.parametrize("video", [False, True], ids=["png", "video"])


@pytest.fixture(params=[False, True], ids=["png", "video"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Episodes of 5, 7, 4 and 6 frames; all but number 2 are successes."""
    return make(tmp_path / "set", [5, 7, 4, 6], video=request.param, named="log")


def states(root: Path) -> list[list[float]]:
    """By episode, 100 times the recorded number of the episode plus the frame's."""
    dataset = Dataset(root)
    return [
        dataset.frames(number, ["observation.state"])["observation.state"][:, 2].tolist()
        for number in range(len(dataset.episodes))
    ]


def column(root: Path, episode: int, key: str) -> list[float]:
    return Dataset(root).frames(episode, [key])[key].tolist()


def pictures(root: Path, episode: int) -> np.ndarray:
    return np.stack(list(Dataset(root).pictures(episode, CAMERA)))


def origins(root: Path) -> dict[str, int | None]:
    return json.loads((root / "meta/hilserl.json").read_bytes())["origins"]


def assert_sound(root: Path) -> None:
    """Numbers run on, counts fit, statistics are those of the frames, places are in order and files without gaps."""
    dataset = Dataset(root)
    rows = [
        row
        for path in sorted((root / "meta/episodes").glob("*/*"))
        for row in pq.read_table(path).to_pylist()
    ]
    frames = [dataset.frames(number) for number in range(len(dataset.episodes))]
    index = np.concatenate([of["index"] for of in frames])
    assert index.tolist() == list(range(dataset.info.total_frames))
    for number, (of, row) in enumerate(zip(frames, rows, strict=True)):
        length = len(of["index"])
        assert (row["episode_index"], row["length"]) == (number, length)
        assert row["dataset_to_index"] - row["dataset_from_index"] == length
        assert row["dataset_from_index"] == of["index"][0]
        assert of["episode_index"].tolist() == [number] * length
        assert np.array_equal(of["timestamp"], (np.arange(length) / FPS).astype(np.float32))
        stats = stats_of(row, dataset.info.features)
        for key, values in of.items():
            if key != CAMERA:
                for name, expected in of_values(values).items():
                    assert np.allclose(stats[key][name], expected), (number, key, name)
        shades = of[CAMERA] / 255.0
        near = 0.01 if dataset.info.video_path else 1e-6  # of pictures before they were encoded
        assert np.allclose(stats[CAMERA]["mean"].ravel(), shades.mean(axis=(0, 1, 2)), atol=near)
        assert stats[CAMERA]["count"] == [length]
        if dataset.info.video_path:
            span_s = row[f"videos/{CAMERA}/to_timestamp"] - row[f"videos/{CAMERA}/from_timestamp"]
            assert np.isclose(span_s, length / FPS)
    whole = json.loads((root / "meta/stats.json").read_bytes())
    for key, expected_stats in stats_of_episodes(root, dataset.info).items():
        assert np.allclose(whole[key]["mean"], expected_stats["mean"])
    assert whole["action"]["count"] == [dataset.info.total_frames]
    assert check(root) == []
    for room in ("data", f"videos/{CAMERA}"):
        names = sorted(path.name for path in (root / room).glob("*/*"))
        assert [name.split(".")[0] for name in names] == [
            f"file-{number:03d}" for number in range(len(names))
        ]


def test_a_deleted_episode_is_gone_and_the_others_move_up(root: Path) -> None:
    before = [pictures(root, number) for number in (0, 2, 3)]
    delete(root, [1])
    assert states(root) == [list(range(5)), list(range(200, 204)), list(range(300, 306))]
    assert all(np.array_equal(pictures(root, number), before[number]) for number in range(3))
    assert origins(root) == {"log:0": 0, "log:1": None, "log:2": 1, "log:3": 2}
    assert_sound(root)


def test_a_recorder_goes_on_after_an_edit_and_knows_what_was_deleted(root: Path) -> None:
    video = Dataset(root).info.features[CAMERA].dtype == "video"
    delete(root, [0, 3])
    make(root, [3], video=video, named="log", first=4, task="push")
    assert states(root) == [list(range(100, 107)), list(range(200, 204)), list(range(400, 403))]
    assert_sound(root)
    writer = DatasetWriter.open(root, COLUMNS, FPS, "so101", video=video)
    writer.close()
    assert writer.origins == {f"log:{number}" for number in range(5)}


def test_the_last_episode_stays(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"would leave no episode.*remove the folder"):
        delete(root, range(4))
    assert len(states(root)) == 4


def test_a_trimmed_episode_has_only_the_frames_that_were_kept(root: Path) -> None:
    before = pictures(root, 1)
    trim(root, 1, 2, 5)
    assert states(root)[1] == [102, 103, 104]
    assert column(root, 1, "frame_index") == [0, 1, 2]
    assert np.array_equal(pictures(root, 1), before[2:5])
    assert column(root, 1, "next.done") == [False, False, True], "it still ends"
    assert column(root, 1, "next.truncated") == [False, False, True], "but was not finished"
    assert origins(root)["log:1"] == 1
    assert_sound(root)


def test_a_trimmed_beginning_leaves_the_end_as_it_was(root: Path) -> None:
    trim(root, 3, 1, 6)
    trim(root, 3, 2, 5)
    assert states(root)[3] == [303, 304, 305]
    assert column(root, 3, "next.reward") == [0, 0, 1]
    assert column(root, 3, "next.truncated") == [False] * 3
    assert_sound(root)


def test_an_outcome_can_be_corrected(root: Path) -> None:
    relabel(root, [2], success=True)
    assert column(root, 2, "next.reward") == [0, 0, 0, 1]
    assert column(root, 2, "next.success") == [False, False, False, True]
    assert column(root, 2, "next.truncated") == [False] * 4
    relabel(root, [0, 2], success=False)
    for number, length in ((0, 5), (2, 4)):
        assert column(root, number, "next.reward") == [0] * length
        assert column(root, number, "next.success") == [False] * length
        assert column(root, number, "next.done") == [False] * (length - 1) + [True]
    assert column(root, 1, "next.reward")[-1] == 1
    assert_sound(root)


def test_frames_get_the_reward_that_is_asked_for(root: Path) -> None:
    relabel(root, [1], reward=0.5, frames=(2, 4))
    assert column(root, 1, "next.reward") == [0, 0, 0.5, 0.5, 0, 0, 1]
    relabel(root, [1], success=True, frames=(5, 7))
    assert column(root, 1, "next.reward") == [0, 0, 0.5, 0.5, 0, 1, 1]
    assert column(root, 1, "next.success") == [False] * 5 + [True] * 2
    assert column(root, 1, "next.done") == [False] * 6 + [True]
    assert_sound(root)


def test_relabelling_touches_neither_videos_nor_other_episodes(tmp_path: Path) -> None:
    root = make(tmp_path / "set", [5, 7, 4], video=True)
    before = {path.relative_to(root): path.stat().st_ino for path in root.rglob("file-*")}
    relabel(root, [1], reward=1.0)
    after = {path.relative_to(root): path.stat().st_ino for path in root.rglob("file-*")}
    changed = {str(name) for name in before if before[name] != after[name]}
    assert changed == {"data/chunk-000/file-001.parquet", "meta/episodes/chunk-000/file-000.parquet"}


@both
def test_merged_datasets_have_the_episodes_of_both(tmp_path: Path, video: bool) -> None:
    one = make(tmp_path / "one", [5, 4], video=video, named="a", task="lift")
    two = make(tmp_path / "two", [3, 6], video=video, named="b", task="push", first=7)
    of_two = tree(two)
    merge(one, [two])
    assert states(one) == [
        list(range(5)),
        list(range(100, 104)),
        list(range(700, 703)),
        list(range(800, 806)),
    ]
    assert Dataset(one).tasks == ["lift", "push"]
    assert column(one, 3, "task_index") == [1] * 6
    assert np.array_equal(pictures(one, 2), pictures(two, 0))
    assert origins(one) == {"a:0": 0, "a:1": 1, "b:7": 2, "b:8": 3}
    assert_sound(one)
    assert tree(two) == of_two


def test_a_merge_can_make_a_new_dataset(tmp_path: Path) -> None:
    one, two = make(tmp_path / "one", [3]), make(tmp_path / "two", [4], first=1)
    assert merge(tmp_path / "all", [one, two]).backup is None
    assert states(tmp_path / "all") == [list(range(3)), list(range(100, 104))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "one", "two"]
    assert_sound(tmp_path / "all")


def test_an_episode_that_is_in_both_comes_once(tmp_path: Path) -> None:
    one = make(tmp_path / "one", [3, 4], named="log")
    two = make(Path(shutil.copytree(one, tmp_path / "two")), [5], named="log", first=2)
    assert "2 episodes left out" in merge(one, [two]).words
    assert states(one) == [list(range(3)), list(range(100, 104)), list(range(200, 205))]
    assert origins(one) == {"log:0": 0, "log:1": 1, "log:2": 2}


def test_datasets_that_do_not_fit_are_refused_with_a_table(tmp_path: Path) -> None:
    one = make(tmp_path / "one", [3])
    other = {**COLUMNS, "action": Column("float32", (4,))}
    del other["next.success"]
    writer = DatasetWriter.open(tmp_path / "two", other, 30, "so100", video=False)
    frame = {key: np.zeros(column.shape, column.dtype) for key, column in other.items() if key != CAMERA}
    writer.add_frame({**frame, CAMERA: np.zeros((32, 48, 3), np.uint8)})
    writer.save_episode("lift")
    writer.close()
    before = tree(one)
    with pytest.raises(DatasetError) as refused:
        merge(one, [tmp_path / "two"])
    lines = str(refused.value).splitlines()[1:]
    assert [line.split(": ", 1)[1] for line in lines] == [
        "fps: 10 here, 30 there",
        "robot_type: so101 here, so100 there",
        "action: float32 [2] (dx, gripper) here, float32 [4] there",
        "next.success: bool [1] here, nothing there",
    ]
    assert tree(one) == before and [path.name for path in tmp_path.iterdir()].count(".one.undo") == 0


def test_undo_brings_back_every_file(root: Path) -> None:
    versions = [tree(root)]
    for change in (
        lambda: delete(root, [1]),
        lambda: trim(root, 0, 1, 4),
        lambda: relabel(root, [2], reward=1),
    ):
        change()
        versions.append(tree(root))
    for before in reversed(versions[:-1]):
        assert undo(root).words.startswith("undone: ")
        assert tree(root) == before
    with pytest.raises(DatasetError, match="nothing was changed"):
        undo(root)


def test_undo_throws_no_recording_away(root: Path) -> None:
    backup = delete(root, [1]).backup
    make(root, [3], video=Dataset(root).info.video_path is not None, first=9)
    with pytest.raises(DatasetError, match=rf"has changed since \(deleted episode 1\).*{backup}"):
        undo(root)
    assert len(states(root)) == 4


def test_backups_are_few_and_share_what_did_not_change(tmp_path: Path) -> None:
    root = make(tmp_path / "set", [3, 3], video=True)
    for number in range(8):
        relabel(root, [1], reward=float(number))
    kept = sorted(path.name for path in (tmp_path / ".set.undo").iterdir() if path.is_dir())
    assert kept == ["0004", "0005", "0006", "0007", "0008"]
    video = f"videos/{CAMERA}/chunk-000/file-000.mp4"
    assert os.path.samefile(root / video, tmp_path / ".set.undo/0004" / video)


def test_a_dataset_that_is_being_recorded_is_left_alone(root: Path) -> None:
    writer = DatasetWriter.open(root, COLUMNS, FPS, "so101", video=Dataset(root).info.video_path is not None)
    with pytest.raises(DatasetError, match="being written by another process"):
        delete(root, [0])
    writer.close()
    delete(root, [0])


def test_a_full_disk_leaves_the_dataset_as_it_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(root)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workers.dataset.rewrite.sync", full)
    with pytest.raises(DatasetError, match=r"left as it was: the disk is full"):
        delete(root, [0])
    assert tree(root) == before
    assert not root.with_name(".set.undo").exists()


def test_what_is_not_there_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no episode 4: .* has 4, 0 to 3"):
        delete(root, [1, 4])
    with pytest.raises(DatasetError, match="no frames 3 to 9 in episode 0: it has 5, 0 to 4"):
        relabel(root, [0], reward=1, frames=(3, 10))
    with pytest.raises(DatasetError, match=r"no frame would stay of episode 0.*it has 5"):
        trim(root, 0, 5, 5)
    with pytest.raises(DatasetError, match="no dataset in"):
        delete(tmp_path / "nothing", [0])
    with pytest.raises(DatasetError, match="with itself"):
        merge(root, [root])


def test_an_older_format_is_not_edited(root: Path) -> None:
    info = json.loads((root / "meta/info.json").read_bytes())
    (root / "meta/info.json").write_bytes(msgspec.json.encode(info | {"codebase_version": "v2.1"}))
    with pytest.raises(DatasetError):
        delete(root, [0])


def test_a_damaged_file_stops_an_edit(root: Path) -> None:
    damaged = root / "data/chunk-000/file-002.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    with pytest.raises(DatasetError):
        delete(root, [0])
    assert Dataset(root).info.total_episodes == 4


def test_what_else_is_in_the_folder_stays_in_it(root: Path) -> None:
    (root / "meta/crop_params.json").write_text("{}")
    (root / "README.md").write_text("mine")
    (root / ".cache").mkdir()
    (root / ".cache/of_a_download").touch()
    delete(root, [0])
    assert (root / "meta/crop_params.json").exists() and (root / "README.md").read_text() == "mine"
    assert not (root / ".cache").exists(), "it would tell a later download that nothing has changed"


def test_a_file_of_several_episodes_stays_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As LeRobot writes them."""
    together(root)
    trim(root, 1, 1, 6)
    delete(root, [2])
    assert states(root) == [list(range(5)), list(range(101, 106)), list(range(300, 306))]
    assert [path.name for path in (root / "data").glob("*/*")] == ["file-000.parquet"]
    assert_sound(root)


def together(root: Path) -> None:
    """Put the frames of all episodes into one file."""
    files = sorted((root / "data/chunk-000").iterdir())
    tables = [pq.read_table(path, partitioning=None) for path in files]
    for path in files:
        path.unlink()
    with pq.ParquetWriter(files[0], tables[0].schema) as out:
        for table in tables:
            out.write_table(table)
    listed = root / "meta/episodes/chunk-000/file-000.parquet"
    table = pq.read_table(listed, partitioning=None)
    number = table.schema.get_field_index("data/file_index")
    pq.write_table(
        table.set_column(number, table.schema.field(number), pa.array([0] * table.num_rows)), listed
    )


def test_the_words_of_an_edit_say_where_the_version_before_is(root: Path) -> None:
    edited = edit.delete(root, [1, 2])
    assert edited.words == "deleted episodes 1, 2"
    assert edited.backup == root.with_name(".set.undo") / "0001"
    assert len(states(edited.backup)) == 4
