"""A USB camera is asked in the orders that are known to work, and what it offers is said where none does."""

import pytest

from tests.camera.fake_capture import FakeCapture
from workers.camera.drivers.negotiate import fourcc_text, mode_of, negotiate
from workers.camera.drivers.source import CameraUnfit, Mode, Wanted


def wanted(width: int = 640, height: int = 480, fps: float = 30.0, fourcc: str | None = None) -> Wanted:
    return Wanted("/dev/video0", width, height, fps, fourcc)


def test_the_format_is_set_first_then_the_size_then_the_rate() -> None:
    capture = FakeCapture()
    assert negotiate(capture, wanted()) == Mode(640, 480, 30.0, "MJPG")
    assert [name for name, _ in capture.asked] == ["fourcc", "width", "height", "fps"]
    assert capture.asked[0] == ("fourcc", "MJPG")


def test_yuyv_is_taken_from_a_camera_without_mjpg() -> None:
    capture = FakeCapture({("YUYV", 640, 480): 30.0})
    assert negotiate(capture, wanted()).fourcc == "YUYV"


def test_a_camera_that_forgets_its_format_with_the_size_is_asked_in_another_order() -> None:
    capture = FakeCapture(forgetful=True)
    assert negotiate(capture, wanted(1280, 720, 30.0, "MJPG")) == Mode(1280, 720, 30.0, "MJPG")
    fourcc_at = [place for place, (name, _) in enumerate(capture.asked) if name == "fourcc"]
    assert len(fourcc_at) > 1 and fourcc_at[-1] > 3, (
        "the first order was tried, then one with the format later"
    )


def test_a_rate_that_is_not_given_is_refused_with_what_the_camera_offers() -> None:
    with pytest.raises(CameraUnfit) as refused:
        negotiate(FakeCapture(), wanted(640, 480, 60.0))
    text = str(refused.value)
    assert "does not give 640x480 at 60 fps" in text and "640x480 at 30 fps (MJPG)" in text
    assert "1280x720 at 10 fps (YUYV)" in text and "set width, height, fps" in text


def test_a_size_that_is_not_given_is_refused() -> None:
    with pytest.raises(CameraUnfit, match="does not give 800x600"):
        negotiate(FakeCapture(), wanted(800, 600))


def test_a_wanted_format_is_insisted_on() -> None:
    with pytest.raises(CameraUnfit, match=r"640x480 at 30 fps \(H264\)"):
        negotiate(FakeCapture(), wanted(fourcc="H264"))


def test_a_turned_camera_is_asked_for_what_it_has_before_the_turn() -> None:
    capture = FakeCapture()
    negotiate(capture, Wanted("/dev/video0", 480, 640, 30.0, rotation=90))
    assert ("width", 640.0) in capture.asked and ("height", 480.0) in capture.asked


def test_numbers_that_are_no_format_are_no_text() -> None:
    assert [fourcc_text(code) for code in (0.0, -1.0, float(0x47504A4D), 1e12)] == ["", "", "MJPG", ""]


def test_a_rate_that_the_driver_does_not_know_is_none() -> None:
    capture = FakeCapture()
    capture.now["fps"] = 0.0
    assert mode_of(capture).fps == 0.0
