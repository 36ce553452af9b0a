"""Agreeing with a USB camera, of which there is none here: one that behaves as drivers do stands in."""

import cv2
import pytest

from workers.camera.drivers.negotiate import fourcc_text, negotiate
from workers.camera.drivers.source import CameraUnfit, Mode, Wanted

W, H, FPS, FOURCC = (
    cv2.CAP_PROP_FRAME_WIDTH,
    cv2.CAP_PROP_FRAME_HEIGHT,
    cv2.CAP_PROP_FPS,
    cv2.CAP_PROP_FOURCC,
)


def code(letters: str) -> int:
    return sum(ord(letter) << 8 * place for place, letter in enumerate(letters))


class FakeCapture:
    """Modes by format: {(width, height): greatest fps}. What is asked for and not there changes nothing."""

    def __init__(self, modes: dict[str, dict[tuple[int, int], float]], forgets_format: bool = False) -> None:
        self._modes, self._forgets = modes, forgets_format
        self._fourcc = next(iter(modes))
        self._wide, self._high = next(iter(modes[self._fourcc]))
        self._fps = 15.0
        self.asked: list[tuple[int, float]] = []

    def set(self, propId: int, value: float, /) -> bool:
        self.asked.append((propId, value))
        sizes = self._modes[self._fourcc]
        if propId == FOURCC:
            letters = fourcc_text(value)
            if letters not in self._modes:
                return False
            self._fourcc = letters
            if (self._wide, self._high) not in self._modes[letters]:
                self._wide, self._high = next(iter(self._modes[letters]))
        elif propId == W:
            self._wide = int(value)
        elif propId == H:
            self._high = int(value)
            if (self._wide, self._high) not in sizes:
                self._wide, self._high = next(iter(sizes))
            if self._forgets:
                self._fourcc = next(iter(self._modes))
        elif propId == FPS:
            self._fps = min(value, sizes[self._wide, self._high])
        return True

    def get(self, propId: int, /) -> float:
        at = {W: self._wide, H: self._high, FPS: self._fps, FOURCC: code(self._fourcc)}
        return float(at[propId])


YUYV = {(640, 480): 30.0, (1280, 720): 10.0}
MJPG = {(640, 480): 60.0, (1280, 720): 30.0}


def test_mjpeg_is_taken_where_there_is_a_choice() -> None:
    mode = negotiate(FakeCapture({"YUYV": YUYV, "MJPG": MJPG}), Wanted(0, 640, 480, 30.0))
    assert mode == Mode(640, 480, 30.0, "MJPG")


def test_a_wanted_format_is_kept_to() -> None:
    mode = negotiate(FakeCapture({"YUYV": YUYV, "MJPG": MJPG}), Wanted(0, 640, 480, 30.0, "YUYV"))
    assert mode == Mode(640, 480, 30.0, "YUYV")


def test_a_driver_that_forgets_the_format_with_the_size_is_asked_in_another_order() -> None:
    mode = negotiate(FakeCapture({"YUYV": YUYV, "MJPG": MJPG}, True), Wanted(0, 1280, 720, 30.0))
    assert mode == Mode(1280, 720, 30.0, "MJPG")


def test_a_camera_without_mjpeg_gives_what_it_has() -> None:
    assert negotiate(FakeCapture({"YUYV": YUYV}), Wanted(0, 640, 480, 30.0)).fourcc == "YUYV"


def test_what_it_cannot_do_is_refused_with_what_it_can() -> None:
    with pytest.raises(CameraUnfit) as refused:
        negotiate(FakeCapture({"YUYV": YUYV}), Wanted(0, 1280, 720, 30.0))
    assert "does not give 1280x720 at 30 fps" in str(refused.value)
    assert "640x480 at 30 fps (YUYV)" in str(refused.value)


def test_a_turned_picture_is_asked_for_the_way_the_camera_lies() -> None:
    mode = negotiate(FakeCapture({"MJPG": MJPG}), Wanted(0, 480, 640, 30.0, rotation=90))
    assert (mode.width, mode.height) == (640, 480)


@pytest.mark.parametrize(("number", "text"), [(code("MJPG"), "MJPG"), (0, ""), (-1, ""), (2.0**40, "")])
def test_formats_are_read_from_opencvs_numbers(number: float, text: str) -> None:
    assert fourcc_text(number) == text
