"""The worker of a real camera: what it publishes, what it says, and when it gives up."""

import logging
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.altered import altered
from tests.camera.film import HEIGHT, WIDTH, a_camera, video
from tests.config.effect_tools import FakeDesk, lasting
from tests.emulators.mjpeg_camera import mjpeg_camera
from workers.camera.worker import main
from workers.config import Config
from workers.model.events import FramePreview, LoopRate
from workers.model.orders import Preview
from workers.robot.board import Board
from workers.runtime.harness import WorkerFailure

CONTEXT = multiprocessing.get_context("spawn")
LIMIT_S = 30.0


def configured(device: str, **changes: object) -> Config:
    keys = {f"env.robot.cameras.front.{key}": value for key, value in changes.items()}
    return altered({**a_camera(device), **keys})


def work(
    config: Config, going: Callable[[Board, FakeDesk], bool], orders: tuple[Preview, ...] = ()
) -> FakeDesk:
    """Run the worker while `going`, at most half a minute."""
    camera = config.env.cameras["front"]
    board = Board.create(CONTEXT, {"front": (camera.height, camera.width)})
    until_s = time.monotonic() + LIMIT_S
    desk = FakeDesk(orders, lambda: time.monotonic() < until_s and going(board, desk))
    main(desk, config, "front", board)  # type: ignore[arg-type]
    assert time.monotonic() < until_s, "what was waited for did not come"
    return desk


def test_pictures_and_their_times_are_published_and_shown_to_consoles(tmp_path: Path) -> None:
    config = configured(str(video(tmp_path / "a.avi", 20)))
    began_ns = time.monotonic_ns()
    numbers: list[int] = []

    def going(board: Board, desk: FakeDesk) -> bool:
        read = board.frames["front"].read()
        if read is not None:
            frame = read[1]
            numbers.append(int(frame["number"]))
            assert began_ns < frame["changed_ns"] <= frame["captured_ns"] < time.monotonic_ns()
            assert frame["pixels"].shape == (HEIGHT, WIDTH, 3) and frame["pixels"].mean() > 10
        return not desk.mailbox.of(LoopRate)

    desk = work(config, going, (Preview(24, 24, 10.0),))
    assert numbers == sorted(numbers) and numbers[-1] > 5
    preview = desk.mailbox.of(FramePreview)[0]
    assert (preview.camera, preview.width, preview.height) == ("front", 24, 16)
    assert 15.0 < desk.mailbox.of(LoopRate)[-1].hz < 45.0


def test_a_camera_that_gives_another_size_ends_the_worker_with_what_to_write(tmp_path: Path) -> None:
    config = configured(str(video(tmp_path / "a.avi", 20)), width=640, height=480)
    with pytest.raises(WorkerFailure, match=f"camera front: it gives {WIDTH}x{HEIGHT}.*set width = {WIDTH}"):
        work(config, lambda board, desk: True)


def test_a_camera_that_is_not_there_is_waited_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "later.avi"
    said: list[str] = []

    def going(board: Board, desk: FakeDesk) -> bool:
        said[:] = [record.getMessage() for record in caplog.records]
        if said and not path.exists():
            video(tmp_path / "other.avi", 20).rename(path)
        return board.frames["front"].read() is None

    with caplog.at_level(logging.INFO):
        work(configured(str(path)), going)
    assert said[0].startswith(f"camera front: there is no {path}")
    assert any(text.startswith("camera front: back: it gives 96x64") for text in said)


def test_what_is_wrong_with_the_picture_is_published_and_said(caplog: pytest.LogCaptureFixture) -> None:
    with mjpeg_camera("--width", "480", "--height", "240") as camera:
        steps = iter([("freeze", b"frozen"), ("", b""), ("black", b"black"), ("", b"")])
        wanted: list[bytes] = [b""]

        def going(board: Board, desk: FakeDesk) -> bool:
            read = board.frames["front"].read()
            if read is None or read[1]["flaw"] != wanted[0]:
                return True
            fault, flaw = next(steps, (None, b""))
            if fault is not None:
                camera.script(fault=fault)
                wanted[0] = flaw
            return fault is not None

        work(configured(camera.url, width=480, height=240), going)
    said = [record.getMessage() for record in caplog.records if "its picture" in record.getMessage()]
    assert [text.split(":")[1].strip() for text in said] == [
        "its picture is frozen", "its picture is fine again", "its picture is black", "its picture is fine again",
    ]  # fmt: skip


def test_a_rate_that_is_not_the_configured_one_is_said(caplog: pytest.LogCaptureFixture) -> None:
    def told(*_: object) -> bool:
        return any("pictures a second, not 30" in record.getMessage() for record in caplog.records)

    with mjpeg_camera("--width", "480", "--height", "240", "--fps", "12") as camera:
        work(configured(camera.url, width=480, height=240), lambda board, desk: not told())
    assert told()


def test_a_worker_without_a_camera_answers_the_station_all_the_same(tmp_path: Path) -> None:
    desk = FakeDesk([], lasting(0.5))
    config = configured(str(tmp_path / "none.avi"))
    began_s = time.monotonic()
    main(desk, config, "front", Board.create(CONTEXT, {"front": (HEIGHT, WIDTH)}))  # type: ignore[arg-type]
    assert time.monotonic() - began_s < 5.0
