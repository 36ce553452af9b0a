"""The console sees any frame of a dataset, of image or video storage, through a process of its own."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from hilserl_tui.pictures_client import PicturesClient
from hilserl_tui.view import Link
from tests.dataset.pictured import CAMERAS, LENGTHS, pictured
from workers.config.ready import ready_config
from workers.dataset.errors import DatasetError
from workers.dataset.look import Shelf
from workers.dataset.reader import Dataset
from workers.model import commands as c


def look(number: int = 1, camera: str = "front", episode: int = 0, frame: int = 0) -> c.Look:
    return c.Look(number, camera, None, (96, 128), None, (64, 64), episode=episode, frame=frame)


@pytest.mark.parametrize("video", [False, True], ids=["image", "video"])
def test_any_frame_is_shown_as_it_is(tmp_path: Path, video: bool) -> None:
    root = pictured(tmp_path / "lift", video)
    shelf, dataset = Shelf(root), Dataset(root)
    assert shelf.cameras == ("front", "side")
    for camera, key in zip(shelf.cameras, CAMERAS, strict=True):
        for episode, length in enumerate(LENGTHS):
            pictures = dataset.frames(episode, [key])[key]
            for frame in (length - 1, 0, length // 2):
                answer = shelf.answer(look(camera=camera, episode=episode, frame=frame))
                assert answer.shown.rgb == pictures[frame].tobytes()
                assert (answer.episode, answer.frame, answer.frames) == (episode, frame, length)


def test_a_frame_out_of_range_is_the_nearest_there_is(tmp_path: Path) -> None:
    shelf = Shelf(pictured(tmp_path / "lift"))
    answer = shelf.answer(look(episode=99, frame=99))
    assert (answer.episode, answer.episodes, answer.frame, answer.frames) == (2, 3, 8, 9)
    answer = shelf.answer(look(episode=-1, frame=-1))
    assert (answer.episode, answer.frame) == (0, 0)


def test_what_cannot_be_shown_is_told(tmp_path: Path) -> None:
    root = pictured(tmp_path / "lift")
    shelf = Shelf(root)
    assert "top" in shelf.answer(look(camera="top")).trouble
    data = sorted((root / "data").rglob("*.parquet"))[-1]
    data.write_bytes(data.read_bytes()[:-200])
    assert "downloaded to its end" in shelf.answer(look(episode=2)).trouble
    with pytest.raises(DatasetError, match="no dataset"):
        Shelf(tmp_path)


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_console_opens_a_dataset_looks_and_leaves_no_process(tmp_path: Path) -> None:
    root = pictured(tmp_path / "lift")
    client = PicturesClient(["--dataset", str(root), "--config", str(ready_config())])
    client.start(lambda: None)
    await until(lambda: client.link is Link.UP)
    run = client.state.run
    assert run is not None and run.dataset and run.cameras == ("front", "side") and run.run_dir == str(root)
    assert not client.send(c.StartRun()), "there is nothing to start"
    assert client.send(look(7, "side", 1, 2))
    await until(lambda: client.state.looked is not None)
    looked = client.state.looked
    assert looked is not None and looked.number == 7
    expected = Dataset(root).frames(1, [CAMERAS[1]])[CAMERAS[1]][2]
    assert np.array_equal(np.frombuffer(looked.shown.rgb, np.uint8).reshape(expected.shape), expected)
    await client.close()
    assert client._process is not None and client._process.returncode is not None


async def test_why_a_dataset_cannot_be_opened_reaches_the_person(tmp_path: Path) -> None:
    client = PicturesClient(["--dataset", str(tmp_path / "none"), "--config", str(ready_config())])
    client.start(lambda: None)
    await until(lambda: client.link is Link.REFUSED)
    assert "there is no dataset in" in client.trouble
    await client.close()
