"""Real cameras by the MJPEG emulator: age, loss, damage, freezing, and coming back."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.emulators.mjpeg_camera import MjpegCamera, mjpeg_camera
from workers.camera.drivers.opencv import open_camera
from workers.camera.drivers.source import CameraGone, CameraUnfit, Shot, Source, Wanted
from workers.camera.feed import Feed
from workers.camera.watch import Flaw, Watch
from workers.emulator.card import read_stamp

SIZE = ("--width", "480", "--height", "320")
LIMIT_S = 20.0


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    with mjpeg_camera(*SIZE) as camera:
        yield camera


def wanted(camera: MjpegCamera, **changes: object) -> Wanted:
    return Wanted(**{"device": camera.url, "width": 480, "height": 320, "fps": 30.0} | changes)  # type: ignore[arg-type]


@pytest.fixture
def feed(camera: MjpegCamera) -> Iterator[Feed]:
    def opened() -> Source:
        return open_camera(wanted(camera))

    feed = Feed(opened, retry_s=0.2)
    yield feed
    feed.close()


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end_s, "it did not happen"


def next_shot(feed: Feed) -> Shot:
    end_s = time.monotonic() + LIMIT_S
    while (shot := feed.take(0.1)) is None:
        assert time.monotonic() < end_s, f"no picture; {list(feed.notices)} {feed.refused}"
    return shot


def notices(feed: Feed) -> str:
    return " / ".join(text for _, text in feed.notices.copy())


def test_a_picture_is_upright_and_in_rgb(camera: MjpegCamera, feed: Feed) -> None:
    shot = next_shot(feed)
    assert shot.pixels.shape == (320, 480, 3)
    red, green, blue = shot.pixels[200, 5].tolist()
    assert red < green < blue  # the card's ground


def test_a_picture_that_is_taken_late_is_still_a_new_one(camera: MjpegCamera, feed: Feed) -> None:
    """A reader at 2 Hz of a camera at 30: what it gets was drawn just before, whatever waited in line meanwhile."""
    next_shot(feed)
    ages_s = []
    for _ in range(4):
        time.sleep(0.5)
        feed.take(0.0)
        shot = next_shot(feed)
        ages_s.append(time.monotonic() - read_stamp(shot.pixels) / 1e6)
    assert min(ages_s) < 0.2 and max(ages_s) < 1.0


def test_the_time_of_capture_is_that_of_the_picture(camera: MjpegCamera, feed: Feed) -> None:
    late_s = [
        shot.captured_ns / 1e9 - read_stamp(shot.pixels) / 1e6
        for shot in (next_shot(feed) for _ in range(10))
    ]
    assert 0.0 <= min(late_s) < 0.1


@pytest.mark.parametrize("fault", ["truncate", "corrupt"])
def test_damaged_pictures_are_dropped_and_the_others_kept(
    camera: MjpegCamera, feed: Feed, fault: str
) -> None:
    for _ in range(15):  # it is known as one that gives good pictures
        next_shot(feed)
    camera.script(fault=fault, every=2)
    before = feed.dropped
    until(lambda: next_shot(feed) is not None and feed.dropped > before + 3)
    assert not feed.refused


def test_a_stalled_camera_is_lost_said_and_found_again(camera: MjpegCamera, feed: Feed) -> None:
    next_shot(feed)
    camera.script(fault="stall")
    until(lambda: "lost" in notices(feed))
    camera.script(fault="")
    next_shot(feed)
    until(lambda: "back: it gives 480x320" in notices(feed))


def test_a_camera_that_hangs_up_is_opened_again(camera: MjpegCamera, feed: Feed) -> None:
    next_shot(feed)
    camera.script(fault="refuse")
    until(lambda: "lost" in notices(feed))
    camera.script(fault="")
    next_shot(feed)


def test_a_frozen_camera_is_seen_by_its_pictures(camera: MjpegCamera, feed: Feed) -> None:
    watch = Watch()
    shot = next_shot(feed)
    watch.look(shot.pixels, shot.captured_ns)
    camera.script(fault="freeze")

    def frozen() -> bool:
        shot = next_shot(feed)
        return watch.look(shot.pixels, shot.captured_ns) is Flaw.FROZEN

    until(frozen)


def test_another_size_than_configured_is_refused_with_the_right_one(camera: MjpegCamera) -> None:
    with pytest.raises(CameraUnfit, match="set width = 480 and height = 320"):
        open_camera(wanted(camera, width=640, height=480))


def test_a_size_that_changes_is_a_loss(camera: MjpegCamera, feed: Feed) -> None:
    next_shot(feed)
    camera.script(width=240, height=160)
    until(lambda: "240x160" in notices(feed))


def test_rotation_turns_the_picture(camera: MjpegCamera) -> None:
    source = open_camera(wanted(camera, width=320, height=480, rotation=90))
    try:
        shot = source.shoot()
        assert shot is not None and shot.pixels.shape == (480, 320, 3)
        assert shot.pixels[5, 310].mean() > 200  # the bars' white end, now above at the right
    finally:
        source.close()


def test_nobody_at_the_address_is_said() -> None:
    with pytest.raises(CameraGone, match="does not answer"):
        open_camera(Wanted("http://127.0.0.1:9/stream.mjpg", 480, 320, 30.0))


def test_no_such_device_is_said() -> None:
    with pytest.raises(CameraGone, match="find-cameras"):
        open_camera(Wanted("/dev/video250", 640, 480, 30.0))


def test_a_video_file_plays_at_its_rate_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (160, 120))
    for number in range(5):
        writer.write(np.full((120, 160, 3), 40 * number, np.uint8))
    writer.release()
    source = open_camera(Wanted(str(path), 160, 120, 50.0))
    start_s = time.monotonic()
    shades = [shot.pixels.mean() for _ in range(12) if (shot := source.shoot()) is not None]
    source.close()
    assert len(shades) == 12 and shades[5] == pytest.approx(shades[0], abs=2) and shades[3] > shades[1] + 40
    assert time.monotonic() - start_s > 11 / 50
