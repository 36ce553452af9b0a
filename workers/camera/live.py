"""The camera worker's loop for a real camera: what its feed brings, judged, published, and shown."""

import logging
import time

import numpy as np
import numpy.typing as npt

from workers.camera.drivers.source import Shot, Source, Wanted
from workers.camera.feed import Feed
from workers.camera.previews import Previews, take_previews
from workers.camera.watch import Flaw, RateWatch, Watch
from workers.config import CameraConfig
from workers.model.events import CameraJudged, Level
from workers.robot.board import frame_dtype
from workers.runtime.harness import Desk, WorkerFailure
from workers.runtime.shared import SharedNewest

WAIT_S = 0.05  # for a picture; orders and the station's questions wait no longer
RATE_PERIOD_S = 1.0
WORDS = {
    Flaw.BLACK: "its picture is black: is it covered, or the light off?",
    Flaw.BRIGHT: "its picture is all white: too much light, or too long an exposure?",
    Flaw.FROZEN: "its picture is frozen: the same, again and again; unplug it and plug it in",
}
log = logging.getLogger(__name__)


def wanted_of(camera: CameraConfig) -> Wanted:
    """What the configuration asks of a real camera."""
    assert camera.index_or_path is not None, "the configuration was checked"
    return Wanted(
        camera.index_or_path, camera.width, camera.height, camera.fps, camera.fourcc, camera.rotation
    )


def run(desk: Desk, name: str, camera: CameraConfig, block: SharedNewest) -> None:
    """Publish the camera's pictures until told to quit; wait for one that is not there, or goes away.

    Raises WorkerFailure when the camera is there and does not give what the configuration wants.
    """
    wanted = wanted_of(camera)

    def open_source() -> Source:
        from workers.camera.drivers.opencv import open_camera  # brings OpenCV, in the thread that uses it

        return open_camera(wanted)

    loop = LiveCamera(desk, name, camera, block, Feed(open_source))
    try:
        while desk.alive():
            loop.turn()
    finally:
        loop.close()


class LiveCamera:
    """One turn after the other: take a picture if there is one, and say what has changed."""

    def __init__(self, desk: Desk, name: str, camera: CameraConfig, block: SharedNewest, feed: Feed) -> None:
        self._desk, self._name, self._block, self._feed = desk, name, block, feed
        self._record = np.zeros((), frame_dtype(camera.height, camera.width))
        self._watch = Watch()
        self._rate = RateWatch(desk.name, camera.fps)
        self._previews = Previews(name)
        self._flaw = Flaw.NONE
        self._told_rate_s = time.monotonic()

    def turn(self) -> None:
        """Raises WorkerFailure."""
        shot = self._feed.take(WAIT_S)
        self._tell_notices()
        if shot is not None:
            self._publish(shot)
        take_previews(self._desk, self._previews)
        now_s = time.monotonic()
        if now_s - self._told_rate_s > RATE_PERIOD_S:
            self._told_rate_s = now_s
            self._desk.mailbox.emit(self._rate.rate(self._feed.dropped))
            if words := self._rate.judge():
                log.warning("camera %s: %s", self._name, words)

    def close(self) -> None:
        self._feed.close()

    def _publish(self, shot: Shot) -> None:
        flaw = self._watch.look(shot.pixels, shot.captured_ns)
        self._record["captured_ns"] = shot.captured_ns
        self._record["changed_ns"] = self._watch.changed_ns
        self._record["flaw"] = flaw.value.encode()
        self._record["pixels"] = shot.pixels
        self._record["number"] += 1
        self._block.write(self._record)
        self._rate.add(shot.captured_ns / 1e9)
        self._show(shot.pixels)
        if flaw is not self._flaw:
            log.warning("camera %s: %s", self._name, WORDS.get(flaw, "its picture is fine again"))
            self._desk.mailbox.emit(CameraJudged(self._name, flaw.value))
            self._flaw = flaw

    def _show(self, pixels: npt.NDArray[np.uint8]) -> None:
        picture = self._previews.due(pixels, time.monotonic())
        if picture is not None:
            self._desk.mailbox.emit(picture)

    def _tell_notices(self) -> None:
        while self._feed.notices:
            level, text = self._feed.notices.popleft()
            if level is Level.INFO:
                self._rate.restart()
                log.info("camera %s: %s", self._name, text)
            else:
                log.warning("camera %s: %s", self._name, text)
        if self._feed.refused:
            raise WorkerFailure(f"camera {self._name}: {self._feed.refused}")
