"""`check` finds what was broken, and only that; `repair` mends what can be mended and keeps the rest."""

import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.made import FRONT, add_frames, frame, opened, tree
from workers.dataset.check import check
from workers.dataset.durable import part_of
from workers.dataset.errors import DatasetError
from workers.dataset.findings import Kind
from workers.dataset.reader import Dataset
from workers.dataset.repair import repair

both = pytest.mark.parametrize("video", [False, True], ids=["png", "video"])
LAST = "data/chunk-000/file-002.parquet"
LIST = "meta/episodes/chunk-000/file-000.parquet"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return made(tmp_path / "set")


def made(root: Path, video: bool = False) -> Path:
    """Three episodes, of 4, 12 and 6 frames."""
    shutil.copytree(_encoded(video).name, root, dirs_exist_ok=True)
    return root


@cache
def _encoded(video: bool) -> "tempfile.TemporaryDirectory[str]":
    """Every fault is done to the same dataset: it is encoded once."""
    made = tempfile.TemporaryDirectory(prefix="hilserl-checked-")
    writer = opened(Path(made.name), video)
    for number, length in enumerate((4, 12, 6)):
        add_frames(writer, length)
        writer.save_episode("lift", origin=f"log:{number}")
    writer.close()
    return made


def cut(root: Path, name: str) -> None:
    whole = (root / name).read_bytes()
    (root / name).write_bytes(whole[: len(whole) // 2])


def set_info(root: Path, **changes: Any) -> None:
    path = root / "meta/info.json"
    path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), **changes}))


def set_column(root: Path, name: str, key: str, change: Callable[[np.ndarray], Any]) -> None:
    table = pq.read_table(root / name, partitioning=None)
    place = table.schema.get_field_index(key)
    values = pa.array(change(table[key].to_numpy().copy())).cast(table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place), values), root / name)


def set_rows(root: Path, name: str, rows: list[int]) -> None:
    pq.write_table(pq.read_table(root / name, partitioning=None).take(rows), root / name)


def counts_ahead(root: Path) -> None:
    """As LeRobot leaves it where it is killed after info.json."""
    set_info(root, total_episodes=4, total_frames=40)


def list_behind(root: Path) -> None:
    """As LeRobot leaves it where the list was not flushed: it lacks what the tables have."""
    table = pq.read_table(root / LIST, partitioning=None)
    pq.write_table(table.slice(0, 2), root / LIST)


def other_rate(root: Path) -> None:
    set_info(root, fps=30)


def left_over(root: Path) -> None:
    part_of(root / "data/chunk-000/file-003.parquet").write_bytes(b"PAR1")


def orphan(root: Path) -> None:
    cut_off = pq.read_table(root / LAST, partitioning=None)
    place = cut_off.schema.get_field_index("episode_index")
    other = cut_off.set_column(place, cut_off.schema.field(place), pa.array([2] * len(cut_off)))
    pq.write_table(other, root / "data/chunk-000/file-003.parquet")


MENDED: dict[str, tuple[Callable[[Path], None], Kind, list[int]]] = {
    # what is done, what is found, the lengths of the episodes after repair
    "footer": (lambda root: cut(root, LAST), Kind.FOOTER, [4, 12]),
    "footer of the list": (lambda root: cut(root, LIST), Kind.FOOTER, [4, 12, 6]),
    "no list": (lambda root: (root / LIST).unlink(), Kind.MISSING, [4, 12, 6]),
    "missing table": (lambda root: (root / LAST).unlink(), Kind.MISSING, [4, 12]),
    "counts": (counts_ahead, Kind.COUNTS, [4, 12, 6]),
    "unlisted": (list_behind, Kind.COUNTS, [4, 12, 6]),
    "index": (lambda root: set_column(root, LAST, "index", lambda values: values + 3), Kind.INDEX, [4, 12, 6]),
    "numbers": (
        lambda root: set_column(root, LAST, "frame_index", lambda values: values + (values > 2)), Kind.GAP, [4, 12, 6],
    ),
    "gap": (lambda root: set_rows(root, LAST, [0, 1, 4, 5]), Kind.GAP, [4, 12]),
    "rate": (other_rate, Kind.FPS, [4, 12, 6]),
    "times": (
        lambda root: set_column(root, LAST, "timestamp", lambda values: values + 0.02 * (values > 0.25)),
        Kind.FPS, [4, 12, 6],
    ),
    "no statistics": (lambda root: (root / "meta/stats.json").unlink(), Kind.STATISTICS, [4, 12, 6]),
    "left over": (left_over, Kind.LEFTOVER, [4, 12, 6]),
    "orphan": (orphan, Kind.ORPHAN, [4, 12, 6]),
}  # fmt: skip


@both
def test_nothing_is_found_wrong_with_a_whole_dataset(tmp_path: Path, video: bool) -> None:
    root = made(tmp_path / "set", video)
    before = tree(tmp_path)
    assert check(root) == []
    done = repair(root)
    assert done.done == () and done.backup is None and tree(tmp_path) == before


@both
@pytest.mark.parametrize("fault", MENDED)
def test_a_fault_is_found_and_mended_with_a_backup(tmp_path: Path, fault: str, video: bool) -> None:
    root = made(tmp_path / "set", video)
    break_it, kind, lengths = MENDED[fault]
    break_it(root)
    broken = tree(root)
    found = check(root)
    assert kind in [finding.kind for finding in found] and any(finding.mendable for finding in found)
    assert tree(root) == broken, "looking changes nothing"
    repaired = repair(root)
    assert repaired.done
    assert check(root) == []
    if kind is not Kind.LEFTOVER:
        assert repaired.backup is not None and tree(repaired.backup) == broken
    dataset = Dataset(root)
    assert [episode.length for episode in dataset.episodes] == lengths and dataset.info.fps == 10
    for episode in dataset.episodes:
        frames = dataset.frames(episode.index)
        wanted = np.stack([frame(episode.index, step)["observation.state"] for step in range(episode.length)])
        assert np.array_equal(frames["observation.state"], wanted)
        shown = np.stack([frame(episode.index, step)[FRONT] for step in range(episode.length)])
        assert np.abs(frames[FRONT].astype(int) - shown).mean() < 4
    writer = opened(root, video)
    assert writer.origins == {"log:0", "log:1", "log:2"}, "none is recorded twice, those left out neither"
    add_frames(writer, 3)
    writer.save_episode("lift")
    writer.close()
    assert check(root) == []


def test_a_video_that_is_missing_or_too_short_takes_its_episode_only(tmp_path: Path) -> None:
    root = made(tmp_path / "set", video=True)
    short, long = (root / f"videos/{FRONT}/chunk-000/file-00{number}.mp4" for number in (0, 1))
    long.write_bytes(short.read_bytes())
    (root / f"videos/{FRONT}/chunk-000/file-002.mp4").unlink()
    assert {(finding.kind, finding.mendable) for finding in check(root)} == {
        (Kind.MISSING, True),
        (Kind.VIDEO, True),
    }
    repaired = repair(root)
    assert any("episode 1 is left out" in line for line in repaired.done)
    assert [episode.length for episode in Dataset(root).episodes] == [4]
    assert check(root) == []


def test_numbers_that_are_none_are_found_and_left_to_the_person(root: Path) -> None:
    set_column(root, LAST, "next.reward", lambda values: np.where(values == 1, np.nan, values))
    before = tree(root)
    (finding,) = check(root)
    assert (finding.kind, finding.episode, finding.mendable) == (Kind.NAN, 2, False)
    assert "next.reward" in str(finding) and "delete the episode" in str(finding)
    assert repair(root).done == () and tree(root) == before


@both
def test_a_camera_that_froze_while_the_arm_moved_is_found(tmp_path: Path, video: bool) -> None:
    writer = opened(tmp_path, video)
    for number, frozen in enumerate((False, True)):
        for step in range(25):
            shown = frame(number, min(step, 10) if frozen else step)
            writer.add_frame({**frame(number, step), FRONT: shown[FRONT]})
        writer.save_episode("lift")
    writer.close()
    (finding,) = check(tmp_path)
    assert (finding.kind, finding.episode) == (Kind.FROZEN, 1)
    assert f"{FRONT} shows one picture from frame 10 on" in finding.text
    assert check(tmp_path, pictures=False) == []


def test_a_still_scene_before_a_still_arm_is_no_frozen_camera(tmp_path: Path) -> None:
    writer = opened(tmp_path)
    for step in range(40):
        writer.add_frame(frame(0, min(step, 5)))
    writer.save_episode("lift")
    writer.close()
    assert check(tmp_path) == []


def test_actions_at_their_limit_are_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    writer = opened(tmp_path)
    for step in range(60):
        action = np.clip(rng.normal(0, 4, 4), -1, 1).astype(np.float32)
        action[1] /= 2 + step
        action[3] = step % 3
        writer.add_frame({**frame(0, step), "action": action})
    writer.save_episode("lift")
    writer.close()
    assert [(finding.kind, finding.text[:9]) for finding in check(tmp_path)] == [
        (Kind.CLIPPED, "action[0]"), (Kind.CLIPPED, "action[2]"),
    ]  # fmt: skip


def test_a_task_without_words_is_found(root: Path) -> None:
    set_column(root, LAST, "task_index", lambda values: values + 1)
    assert [finding.kind for finding in check(root)] == [Kind.TASKS]


def test_other_files_of_the_dataset_come_along(root: Path) -> None:
    (root / "README.md").write_text("mine")
    (root / "meta/crop_params.json").write_text("{}")
    counts_ahead(root)
    repair(root)
    assert (root / "README.md").read_text() == "mine" and (root / "meta/crop_params.json").read_text() == "{}"


def test_what_cannot_be_mended_is_left_as_it_was(root: Path) -> None:
    for path in (root / "data").rglob("*.parquet"):
        path.write_bytes(b"PAR1")
    before = tree(root.parent)
    with pytest.raises(DatasetError, match="no episode is whole"):
        repair(root)
    assert tree(root.parent) == before


def test_a_disk_that_is_full_during_repair_changes_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts_ahead(root)
    before = tree(root.parent)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workers.dataset.repair._stats", full)
    with pytest.raises(DatasetError, match="No space left"):
        repair(root)
    assert tree(root.parent) == before


def test_a_folder_without_a_dataset_is_told_apart(tmp_path: Path) -> None:
    for work in (check, repair):
        with pytest.raises(DatasetError, match="there is no dataset"):
            work(tmp_path)


def test_a_damaged_description_is_one_finding(root: Path) -> None:
    cut(root, "meta/info.json")
    (finding,) = check(root)
    assert finding.kind is Kind.INFO and not finding.mendable
