"""A network camera with every fault, over a real socket, read by OpenCV."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.config.effects_cameras import HEIGHT, WIDTH, video
from tests.emulators.mjpeg_camera import MjpegCamera, mjpeg_camera
from workers.camera.drivers.jpeg import STRICT_TRIES, JpegDecoder
from workers.camera.drivers.opencv import open_camera
from workers.camera.drivers.source import CameraGone, CameraUnfit, Shot, Wanted
from workers.camera.feed import Feed
from workers.camera.watch import Flaw, Watch
from workers.emulator.camera import Behaviour, damaged, picture
from workers.emulator.card import draw, read_stamp, stamp

LIMIT_S = 30.0
SIZE = (480, 240)
OPTIONS = ("--width", str(SIZE[0]), "--height", str(SIZE[1]))


@pytest.fixture(scope="module")
def process() -> Iterator[MjpegCamera]:
    with mjpeg_camera(*OPTIONS) as camera:
        yield camera


@pytest.fixture
def camera(process: MjpegCamera) -> MjpegCamera:
    process.script(fault="", every=1, fps=30.0, width=SIZE[0], height=SIZE[1])
    return process


@pytest.fixture
def feed(camera: MjpegCamera) -> Iterator[Feed]:
    made = Feed(lambda: open_camera(Wanted(camera.url, *SIZE, 30.0)), retry_s=0.1)
    yield made
    made.close()


def next_shot(feed: Feed) -> Shot:
    shot = feed.take(LIMIT_S)
    assert shot is not None
    return shot


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def said(feed: Feed, words: str) -> bool:
    return any(words in notice.text for notice in list(feed.notices))


def test_a_time_stamp_in_a_picture_survives_jpeg() -> None:
    for width in (480, 640):
        card = draw("front", 240, width, 1.0)
        stamp(card, 0x1234_5678_9ABC)
        assert read_stamp(card) == 0x1234_5678_9ABC


def test_a_reader_that_rests_gets_the_picture_of_now(feed: Feed) -> None:
    next_shot(feed)
    time.sleep(1.0)
    feed.take(0.0)  # the one that waited
    shot = next_shot(feed)
    assert shot.captured_ns / 1e3 - read_stamp(shot.pixels) < 800_000, "a queue would be a second behind"
    assert feed.dropped > 5


def test_colours_and_sides_are_as_drawn(feed: Feed) -> None:
    pixels = next_shot(feed).pixels
    assert pixels.shape == (SIZE[1], SIZE[0], 3)
    assert pixels[5, 5].min() > 200, "white is left"
    right = pixels[5, -5].astype(int)
    assert right[0] > right[2] + 80, "and red right: RGB, not BGR"


@pytest.mark.parametrize("fault", ["truncate", "corrupt"])
def test_damaged_pictures_are_dropped_and_counted(camera: MjpegCamera, feed: Feed, fault: str) -> None:
    next_shot(feed)
    camera.script(fault=fault, every=2)
    before = feed.dropped
    until(lambda: feed.take(0.1) is not None and feed.dropped > before + 5)
    assert not said(feed, "lost")


@pytest.mark.parametrize("fault", ["stall", "close", "refuse"])
def test_a_camera_that_is_lost_is_back_when_it_gives_again(
    camera: MjpegCamera, feed: Feed, fault: str
) -> None:
    next_shot(feed)
    camera.script(fault=fault)
    until(lambda: said(feed, "lost: it gives no pictures any more"))
    feed.take(0.0)
    assert feed.take(0.3) is None
    camera.script(fault="")
    next_shot(feed)
    assert said(feed, "back: it gives")


def test_a_stream_that_changes_its_size_is_refused_until_it_has_its_own_again(
    camera: MjpegCamera, feed: Feed
) -> None:
    next_shot(feed)
    camera.script(width=SIZE[0] // 2)
    until(lambda: said(feed, f"it gives {SIZE[0] // 2}x{SIZE[1]} now, not {SIZE[0]}x{SIZE[1]}"))
    camera.script(width=SIZE[0])
    feed.take(0.0)
    assert next_shot(feed).pixels.shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize(
    ("fault", "flaw"), [("freeze", Flaw.FROZEN), ("black", Flaw.BLACK), ("bright", Flaw.BRIGHT)]
)
def test_pictures_that_cannot_be_trusted_are_known(
    camera: MjpegCamera, feed: Feed, fault: str, flaw: Flaw
) -> None:
    watch = Watch()

    def look() -> Flaw:
        shot = next_shot(feed)
        return watch.look(shot.pixels, shot.captured_ns)

    assert [look() for _ in range(15)] == [Flaw.NONE] * 15
    camera.script(fault=fault)
    until(lambda: look() is flaw)
    camera.script(fault="")
    until(lambda: look() is Flaw.NONE)


def test_a_wrong_size_is_refused_with_the_right_one(camera: MjpegCamera) -> None:
    with pytest.raises(
        CameraUnfit, match=r"it gives 480x240.*, not 640x480: set width = 480 and height = 240"
    ):
        open_camera(Wanted(camera.url, 640, 480, 30.0))


def test_an_address_where_nobody_is_says_so() -> None:
    with mjpeg_camera(*OPTIONS) as gone:
        gone.unplug()
        with pytest.raises(CameraGone, match="does not answer"):
            open_camera(Wanted(gone.url, *SIZE, 30.0))


@pytest.mark.parametrize("device", [63, "/dev/v4l/by-id/usb-none-video-index0", "no_such.mp4"])
def test_what_is_not_there_is_said_to_be_missing(device: int | str) -> None:
    with pytest.raises(CameraGone, match=r"there is no .*find-cameras"):
        open_camera(Wanted(device, *SIZE, 30.0))


def test_a_video_file_is_played_at_its_rate_again_and_again(tmp_path: Path) -> None:
    source = open_camera(Wanted(str(video(tmp_path / "a.avi", 20)), WIDTH, HEIGHT, 50.0))
    shots = [source.shoot() for _ in range(25)]
    source.close()
    assert all(shots), "ten pictures, two and a half times"
    first, last = shots[0], shots[-1]
    assert first is not None and last is not None
    assert last.captured_ns - first.captured_ns > 24 / 50 * 0.9e9


def test_a_camera_whose_jpegs_always_have_a_flaw_is_read_all_the_same() -> None:
    jpeg, decoder = damaged(picture(Behaviour(*SIZE)), "corrupt"), JpegDecoder()
    seen = [decoder.decode(jpeg) for _ in range(STRICT_TRIES + 2)]
    assert seen[:STRICT_TRIES] == [None] * STRICT_TRIES
    assert not decoder.strict and isinstance(seen[-1], np.ndarray)


def test_one_good_jpeg_keeps_the_decoder_strict() -> None:
    good, decoder = picture(Behaviour(*SIZE)), JpegDecoder()
    assert decoder.decode(good) is not None
    bad = damaged(good, "corrupt")
    assert [decoder.decode(bad) for _ in range(STRICT_TRIES + 2)] == [None] * (STRICT_TRIES + 2)
    assert decoder.decode(good) is not None
