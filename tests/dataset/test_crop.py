"""A cropped copy has the pictures that a run would see, everything else as it was, and its name only when complete."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.dataset.pictured import CAMERAS, LENGTHS, TASKS, pictured
from workers.config.crops import NoCrop
from workers.dataset.crop import CropJob, Progress, TargetExists, target_of
from workers.dataset.errors import DatasetError
from workers.dataset.layout import AUTOMATIC
from workers.dataset.reader import Dataset
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.transition import Period, Transition

FRONT, SIDE = CAMERAS
CROPS = {FRONT: (10, 20, 64, 80)}


def made(source: Path, target: Path, **changes: object) -> Dataset:
    given = {"crops": CROPS, "size": (32, 48)}
    CropJob(Dataset(source), target, **{**given, **changes}).run()  # type: ignore[arg-type]
    return Dataset(target)


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def seen_by_a_run(pictures: dict[str, np.ndarray], size: tuple[int, int]) -> dict[str, np.ndarray]:
    """What the pipeline's step makes of pictures."""
    transition = Transition(dict(pictures), Period(np.zeros(3, np.float32), np.zeros(0), 0.0, 0.0))
    ImageCropResizeProcessor(CROPS, size)(transition)
    return transition.observation


@pytest.mark.parametrize("size", [(128, 128), (64, 64), (32, 48)])
def test_the_pictures_are_a_runs_own_to_the_pixel(tmp_path: Path, size: tuple[int, int]) -> None:
    source = Dataset(pictured(tmp_path / "lift"))
    copy = made(tmp_path / "lift", tmp_path / "copy", size=size)
    for episode, length in enumerate(LENGTHS):
        before, after = source.frames(episode), copy.frames(episode)
        for frame in range(length):
            expected = seen_by_a_run({key: before[key][frame] for key in CAMERAS}, size)
            for key in CAMERAS:
                assert np.array_equal(after[key][frame], expected[key]), (episode, frame, key)


@pytest.mark.parametrize("video", [False, True], ids=["image", "video"])
def test_everything_but_the_pictures_is_as_it_was(tmp_path: Path, video: bool) -> None:
    source = Dataset(pictured(tmp_path / "lift", video))
    before = tree(tmp_path / "lift")
    copy = made(tmp_path / "lift", tmp_path / "copy")
    assert tree(tmp_path / "lift") == before
    assert (copy.info.fps, copy.info.robot_type) == (10, "so101")
    assert (copy.info.total_episodes, copy.info.total_frames) == (len(LENGTHS), sum(LENGTHS))
    assert [episode.length for episode in copy.episodes] == list(LENGTHS)
    assert [tuple(episode.tasks) for episode in copy.episodes] == [(task,) for task in TASKS]
    for episode in range(len(LENGTHS)):
        old, new = (each.frames(episode) for each in (source, copy))
        assert list(old) == list(new)
        for key in old.keys() - set(CAMERAS):
            assert np.array_equal(old[key], new[key]), key
    for key in CAMERAS:
        column = copy.info.features[key]
        assert (column.dtype, column.shape) == ("video" if video else "image", (32, 48, 3))
    assert set(AUTOMATIC) <= set(copy.info.features)


def test_a_video_shows_the_cropped_part(tmp_path: Path) -> None:
    source = Dataset(pictured(tmp_path / "lift", video=True))
    copy = made(tmp_path / "lift", tmp_path / "copy", size=(64, 64))
    for frame, (old, new) in enumerate(zip(source.pictures(0, FRONT), copy.pictures(0, FRONT), strict=True)):
        expected = seen_by_a_run({FRONT: old}, (64, 64))[FRONT]
        error = np.abs(expected.astype(int) - new.astype(int)).mean()
        assert error < 4.0, (frame, error)


def test_the_crops_are_kept_as_lerobots_tool_keeps_them(tmp_path: Path) -> None:
    made(pictured(tmp_path / "lift"), target_of(tmp_path / "lift"))
    kept = json.loads((tmp_path / "lift_cropped_resized/meta/crop_params.json").read_text())
    assert kept == {FRONT: [10, 20, 64, 80]}


def test_progress_counts_frames_and_tells_the_time_that_is_left(tmp_path: Path) -> None:
    told: list[Progress] = []
    made(pictured(tmp_path / "lift"), tmp_path / "copy", told=told.append)
    assert (told[-1].frames, told[-1].total, told[-1].left_s) == (20, 20, 0.0)
    assert str(told[-1]) == "100 %  episode 3 of 3, frame 20 of 20, 0:00 left"
    assert (
        str(Progress(1, 3, 1000, 8000, 4200.0)) == " 12 %  episode 2 of 3, frame 1,000 of 8,000, 1:10:00 left"
    )


def test_a_dataset_in_the_way_is_replaced_only_when_asked(tmp_path: Path) -> None:
    pictured(tmp_path / "lift")
    made(tmp_path / "lift", tmp_path / "copy")
    before = tree(tmp_path / "copy")
    with pytest.raises(TargetExists, match="--replace"):
        made(tmp_path / "lift", tmp_path / "copy", size=(64, 64))
    assert tree(tmp_path / "copy") == before
    copy = made(tmp_path / "lift", tmp_path / "copy", size=(64, 64), replace=True)
    assert copy.info.features[FRONT].shape == (64, 64, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "lift"]


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    pictured(tmp_path / "lift")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/thesis.tex").write_text("years")
    with pytest.raises(DatasetError, match="no dataset"):
        made(tmp_path / "lift", tmp_path / "copy", replace=True)
    with pytest.raises(DatasetError, match="the dataset itself"):
        made(tmp_path / "lift", tmp_path / "lift", replace=True)
    assert (tmp_path / "copy/thesis.tex").read_text() == "years"


def test_a_crop_outside_the_picture_is_refused_with_its_size(tmp_path: Path) -> None:
    pictured(tmp_path / "lift")
    with pytest.raises(NoCrop, match="96 rows and 128 columns"):
        made(tmp_path / "lift", tmp_path / "copy", crops={SIDE: (50, 0, 64, 64)})
    assert not (tmp_path / "copy").exists()


def test_a_half_downloaded_dataset_leaves_no_copy(tmp_path: Path) -> None:
    pictured(tmp_path / "lift")
    made(tmp_path / "lift", tmp_path / "copy")
    before = tree(tmp_path / "copy")
    data = sorted((tmp_path / "lift/data").rglob("*.parquet"))[-1]
    data.write_bytes(data.read_bytes()[:-200])
    with pytest.raises(DatasetError, match="downloaded to its end"):
        made(tmp_path / "lift", tmp_path / "copy", size=(64, 64), replace=True)
    assert tree(tmp_path / "copy") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "lift"]
    data.unlink()
    with pytest.raises(DatasetError, match="downloaded to its end"):
        made(tmp_path / "lift", tmp_path / "other")


def test_a_full_disk_leaves_no_copy_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.dataset import durable

    pictured(tmp_path / "lift")
    room = 5

    def full(file: object) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(durable, "sync", full)
    with pytest.raises(DatasetError, match=r"cannot be made: No space left on device\. There is no copy"):
        made(tmp_path / "lift", tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["lift"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_kill_at_any_moment_leaves_no_half_dataset_under_the_name(
    tmp_path: Path, how: signal.Signals
) -> None:
    pictured(tmp_path / "lift", height=240, width=320, lengths=(40, 40))
    code = (
        "import sys; from pathlib import Path; from workers.crop_commands import _end_in_order\n"
        "from workers.dataset.crop import CropJob; from workers.dataset.reader import Dataset\n"
        "_end_in_order(); print('begun', flush=True)\n"
        f"CropJob(Dataset(Path({str(tmp_path / 'lift')!r})), Path({str(tmp_path / 'copy')!r}), {{}}, (128, 128),"
        " told=lambda progress: print(progress, flush=True)).run()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.readline()
        process.send_signal(how)
        process.wait()
    assert not (tmp_path / "copy").exists()
    if how is signal.SIGTERM:
        assert [path.name for path in tmp_path.iterdir()] == ["lift"]
    copy = made(tmp_path / "lift", tmp_path / "copy")
    assert copy.info.total_frames == 80
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "lift"], "what the kill left is gone"


def test_a_kill_between_the_two_names_loses_nothing(tmp_path: Path) -> None:
    pictured(tmp_path / "lift")
    made(tmp_path / "lift", tmp_path / "copy")
    before = tree(tmp_path / "copy")
    (tmp_path / "copy").rename(tmp_path / ".copy.old")
    with pytest.raises(TargetExists):
        made(tmp_path / "lift", tmp_path / "copy")
    assert tree(tmp_path / "copy") == before


def test_a_picture_with_its_channels_first_is_cropped_too(tmp_path: Path) -> None:
    root = pictured(tmp_path / "lift")
    info = json.loads((root / "meta/info.json").read_text())
    for key in CAMERAS:
        info["features"][key] |= {"shape": [3, 96, 128], "names": ["channels", "height", "width"]}
    (root / "meta/info.json").write_text(json.dumps(info))
    copy = made(root, tmp_path / "copy")
    assert copy.info.features[FRONT].shape == (32, 48, 3)
    assert copy.info.features[FRONT].names == ("height", "width", "channels")
