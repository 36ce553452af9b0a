"""Cameras are decoded side by side in threads: nothing is mixed up, nothing is left running."""

import contextlib
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.dataset.pictured import picture
from tests.dataset.shown import columns_for, episode, write
from tests.learner.test_feed import fed_config
from workers.config import Config
from workers.dataset import feed
from workers.dataset.demonstrations import Demonstrations
from workers.dataset.errors import DatasetError
from workers.dataset.pictures import Picture, VideoWriter, video_frames
from workers.dataset.reader import Dataset
from workers.dataset.side_by_side import side_by_side
from workers.dataset.units import state_units
from workers.transport.record import Step

View = Generator[Picture, None, None]
SHAPE = (2, 128, 128, 3)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("pictures")]


def numbered(count: int, camera: int, pause: Callable[[int], float] = lambda _: 0.0) -> View:
    for number in range(count):
        time.sleep(pause(number))
        yield np.full(SHAPE[1:], (number % 256, number // 256, camera), np.uint8)


def test_frames_stay_together_whichever_camera_is_the_slower_one() -> None:
    """Each camera is slow for a while, by turns; the length is not that of whole pieces."""
    count = 203
    views = [
        numbered(count, 0, lambda number: 0.002 * (number % 60 < 20)),
        numbered(count, 1, lambda number: 0.002 * (number % 60 >= 40)),
    ]
    seen = 0
    for number, frame in enumerate(side_by_side(views, SHAPE)):
        assert (frame == np.array([[number, 0, 0], [number, 0, 1]], np.uint8)[:, None, None]).all(), number
        seen += 1
    assert seen == count and not threads()


@pytest.mark.parametrize("longer", [0, 1])
def test_a_camera_with_more_pictures_than_another_is_an_error(longer: int) -> None:
    lengths = [50, 50]
    lengths[longer] = 53
    views = [numbered(length, camera) for camera, length in enumerate(lengths)]
    with pytest.raises(ValueError, match="3 pictures more"):
        assert sum(1 for _ in side_by_side(views, SHAPE)) == 50
    assert not threads()


def test_who_stops_in_the_middle_leaves_no_thread_and_no_open_video() -> None:
    closed: list[int] = []

    def endless(camera: int) -> View:
        try:
            while True:
                yield np.zeros(SHAPE[1:], np.uint8)
        finally:
            closed.append(camera)

    with contextlib.closing(side_by_side([endless(0), endless(1)], SHAPE)) as frames:
        for _ in range(30):
            next(frames)
        assert len(threads()) == 2
    assert not threads() and sorted(closed) == [0, 1]


def test_the_threads_wait_when_nobody_takes_their_frames() -> None:
    """What is decoded ahead has a bound, whatever the length of the dataset."""
    made = [0, 0]

    def counted(camera: int) -> View:
        for shade in numbered(5000, camera):
            made[camera] += 1
            yield shade

    with contextlib.closing(side_by_side([counted(0), counted(1)], SHAPE)) as frames:
        next(frames)
        before = [-1, -1]
        while made != before:
            before = list(made)
            time.sleep(0.1)
        assert max(made) * SHAPE[1] * SHAPE[2] * SHAPE[3] <= 5 * 2**20


def shown(folder: Path, lengths: tuple[int, ...]) -> Config:
    """A run and a dataset of videos for it, whose pictures are known."""
    config = fed_config(folder, **{"env.processor.image_preprocessing.resize_size": [64, 64]})
    columns = columns_for(config)
    units = state_units(config)
    episodes = [episode(columns, length, seed, units=units) for seed, length in enumerate(lengths)]
    write(folder / "set", columns, episodes, config.env.fps, video=True)
    return config


def test_a_load_gives_the_frames_that_each_video_has_on_its_own(tmp_path: Path) -> None:
    config = shown(tmp_path, (40, 23, 31))
    dataset = Dataset(tmp_path / "set")
    steps = [record for record in Demonstrations(config, dataset.root).records() if isinstance(record, Step)]
    images = np.stack([step.images for step in steps])
    for camera, key in enumerate(dataset.info.cameras):
        alone = [picture for number in range(3) for picture in dataset.pictures(number, key)]
        assert (images[:, camera] == np.stack(alone)).all()
    assert not threads()


@pytest.mark.parametrize("camera", [0, 1])
def test_an_error_in_one_cameras_video_names_it(tmp_path: Path, camera: int) -> None:
    config = shown(tmp_path, (40, 40))
    dataset = Dataset(tmp_path / "set")
    key = dataset.info.cameras[camera]
    video = dataset.episodes[1].videos[key].path
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) * 3 // 4])
    with pytest.raises(DatasetError, match=rf"{key} of episode [01] of .* cannot be read: .*Fetch it again"):
        feed.feed(config, lambda: None)
    assert not threads()
    video.write_bytes(whole)
    assert feed.feed(config, lambda: None).frames == 80


def test_a_load_that_is_cancelled_leaves_no_thread(tmp_path: Path) -> None:
    """Not even while the error is still being looked at, which holds on to all that was running."""
    config = shown(tmp_path, (40, 40))
    calls = iter(range(20))

    def breathe() -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as cancelled:
        feed.feed(config, breathe)
    assert cancelled.traceback and not threads()


@pytest.mark.parametrize("width", [128, 100, 66])  # rows of 100 and of 66 pixels do not lie end to end
def test_pictures_are_those_that_libav_decodes_whatever_their_width(tmp_path: Path, width: int) -> None:
    path = tmp_path / "video.mp4"
    with path.open("wb") as file:
        writer = VideoWriter(file, 48, width, 10)
        for number in range(30):
            writer.add(picture(number, 0, 48, width))
        writer.close()
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for first in (0, 7):
        found = list(video_frames(path, first, 30 - first, 10))
        assert (np.stack(found) == np.stack(decoded[first:])).all()
