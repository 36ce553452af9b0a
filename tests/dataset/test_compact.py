"""A dataset whose files were joined has the same frames and pictures in fewer files, and goes on as before."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.dataset.demonstrated import CAMERA, make
from tests.dataset.made import tree
from tests.dataset.test_edit import assert_sound, origins
from workers.dataset import join, remux
from workers.dataset.check import check
from workers.dataset.edit import compact, delete, trim, undo
from workers.dataset.errors import DatasetError
from workers.dataset.layout import Frames
from workers.dataset.reader import Dataset
from workers.dataset.writer import DatasetWriter


@pytest.fixture(params=[False, True], ids=["png", "video"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Episodes of 5, 7, 1 and 6 frames, each in files of its own."""
    return make(tmp_path / "set", [5, 7, 1, 6], video=request.param, named="log")


def everything(root: Path) -> list[Frames]:
    dataset = Dataset(root)
    return [dataset.frames(episode.index) for episode in dataset.episodes]


def assert_same(frames: list[Frames], wanted: list[Frames]) -> None:
    assert len(frames) == len(wanted)
    for episode, due in zip(frames, wanted, strict=True):
        assert episode.keys() == due.keys()
        for key in due:
            assert np.array_equal(episode[key], due[key]), key


def files(root: Path) -> list[str]:
    """Of frames and pictures."""
    return sorted(
        str(path.relative_to(root)) for path in root.glob("*/**/chunk-*/*") if "meta" not in path.parts
    )


def test_frames_and_pictures_are_the_same_in_fewer_files(root: Path) -> None:
    before, known = everything(root), origins(root)
    has_videos = (root / "videos").exists()
    done = compact(root)
    assert done.words == ("joined 8 files into 2" if has_videos else "joined 4 files into 1")
    assert files(root) == [
        "data/chunk-000/file-000.parquet",
        *[f"videos/{CAMERA}/chunk-000/file-000.mp4"] * has_videos,
    ]
    assert_same(everything(root), before)
    assert_sound(root)
    assert origins(root) == known
    assert [finding for finding in check(root) if finding.mendable] == []


def test_undo_brings_every_file_back(root: Path) -> None:
    before = tree(root)
    compact(root)
    undo(root)
    assert tree(root) == before


def test_what_was_cut_off_stays_cut_off(root: Path) -> None:
    trim(root, 1, 2, 6)
    delete(root, [2])
    before = everything(root)
    compact(root)
    assert_same(everything(root), before)


def test_a_joined_dataset_can_be_gone_on_with_edited_and_joined_again(root: Path) -> None:
    video = (root / "videos").exists()
    compact(root)
    make(root, [4, 2], video=video, named="log", first=4)
    delete(root, [0])
    before = everything(root)
    assert len(before) == 5
    compact(root)
    assert_same(everything(root), before)
    assert len(files(root)) == 1 + video


def test_no_file_becomes_larger_than_the_dataset_says(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(root)
    largest = max((root / name).stat().st_size for name in files(root))
    info = msgspec.json.decode((root / "meta/info.json").read_bytes())
    info |= {"data_files_size_in_mb": int(2.5 * largest), "video_files_size_in_mb": int(2.5 * largest)}
    (root / "meta/info.json").write_bytes(msgspec.json.encode(info))
    monkeypatch.setattr(join, "_MB", 1)
    compact(root)
    names = files(root)
    assert len(names) > 1 + (root / "videos").exists(), "not all fit into one"
    assert max((root / name).stat().st_size for name in names) < 2.5 * largest
    assert_same(everything(root), before)


def test_videos_of_another_make_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(tmp_path / "set", [3, 4], video=True)
    monkeypatch.setattr("workers.dataset.pictures._OPTIONS", {"preset": "medium", "crf": "30", "bf": "0"})
    make(root, [5, 2], video=True, first=2)
    before = everything(root)
    compact(root)
    assert len(files(root)) == 1 + 2
    assert_same(everything(root), before)


def test_there_must_be_something_to_join(root: Path) -> None:
    compact(root)
    before = tree(root)
    with pytest.raises(DatasetError, match="nothing to join in"):
        compact(root)
    assert tree(root) == before


def test_a_join_that_is_not_exact_leaves_the_dataset_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make(tmp_path / "set", [3, 4], video=True)
    before = tree(root)
    monkeypatch.setattr(remux, "_packets", lambda path: iter(()))
    with pytest.raises(DatasetError, match=r"could not be joined exactly; nothing was changed"):
        compact(root)
    assert tree(root) == before


def test_a_full_disk_leaves_the_dataset_as_it_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(root)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workers.dataset.join.sync", full)
    with pytest.raises(DatasetError, match=r"left as it was: the disk is full"):
        compact(root)
    assert tree(root) == before


def test_the_recorder_knows_how_many_videos_there_are(tmp_path: Path) -> None:
    root = make(tmp_path / "set", [1, 1, 1], video=True)
    dataset = Dataset(root)
    columns = {key: column for key, column in dataset.info.features.items() if key != "index"}
    writer = DatasetWriter.open(root, columns, 10, "so101", video=True)
    assert writer.videos == 3
    writer.close()
