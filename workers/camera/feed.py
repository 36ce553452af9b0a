"""Feed: the thread that owns a real camera. It keeps the newest picture, and opens a camera again that was lost.

A camera that is read slower than it sends makes its pictures wait in line: at a third of the rate they were 1.4 s old
after 2 s. So this thread reads as fast as they come, whoever wants them.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from workers.camera.drivers.source import CameraGone, CameraUnfit, Shot, Source
from workers.model.events import Level

RETRY_S: Final = 1.0
REPEAT_S: Final = 30.0  # after which the same trouble is told again


class Notice(NamedTuple):
    """Something to tell the operator."""

    level: Level
    text: str


class Feed:
    """Pictures of one camera. `open_source` is called in this feed's own thread, as is everything of what it opens."""

    def __init__(self, open_source: Callable[[], Source], retry_s: float = RETRY_S) -> None:
        self.notices: deque[Notice] = deque(maxlen=100)
        self.refused = ""
        """Why the camera cannot be used as it is configured, found at its first opening."""
        self.dropped = 0
        """Damaged pictures, and those that nobody took in time."""
        self._open_source, self._retry_s = open_source, retry_s
        self._fresh = threading.Condition()
        self._newest: Shot | None = None
        self._closing = threading.Event()
        self._ever_opened = False
        self._crash: Exception | None = None
        self._told: tuple[str, float] = ("", 0.0)
        self._thread = threading.Thread(target=self._run, name="camera-feed", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> Shot | None:
        """The newest picture that was not taken yet, waiting at most so long.

        Raises what the feed's thread ended with, if it was no camera's trouble.
        """
        if self._crash is not None:
            raise self._crash
        with self._fresh:
            if self._newest is None:
                self._fresh.wait(timeout_s)
            shot, self._newest = self._newest, None
        return shot

    def close(self, wait_s: float = 1.0) -> None:
        """Let go of the camera; a read that hangs is left to the end of the process."""
        self._closing.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            self._keep_open()
        except Exception as error:  # the worker must end of it, and be started again, not wait for ever
            self._crash = error

    def _keep_open(self) -> None:
        while not self._closing.is_set() and not self.refused:
            began_s = time.monotonic()
            self._use_once()
            # A camera that was there for a while is tried again at once; one that was not, once a second.
            self._closing.wait(max(0.0, began_s + self._retry_s - time.monotonic()))

    def _use_once(self) -> None:
        """Open the camera and read it until it is lost."""
        try:
            source = self._open_source()
        except CameraGone as gone:
            self._trouble(str(gone))
            return
        except CameraUnfit as unfit:
            if self._ever_opened:
                self._trouble(str(unfit))
            else:
                self.refused = str(unfit)
            return
        try:
            self._announce(source)
            while not self._closing.is_set():
                self._read(source)
        except CameraGone as gone:
            self._trouble(f"lost: {gone}; it is opened again as soon as that works")
        finally:
            source.close()

    def _read(self, source: Source) -> None:
        before = source.broken
        shot = source.shoot()
        self.dropped += source.broken - before
        if shot is None:
            return
        with self._fresh:
            self.dropped += self._newest is not None
            self._newest = shot
            self._fresh.notify()

    def _announce(self, source: Source) -> None:
        back = "back: " if self._ever_opened or self._told[0] else ""
        self._ever_opened, self._told = True, ("", 0.0)
        self.notices.append(Notice(Level.INFO, f"{back}it gives {source.mode}"))

    def _trouble(self, text: str) -> None:
        """Say it once; again when it lasts."""
        said, at_s = self._told
        now_s = time.monotonic()
        if text != said or now_s - at_s > REPEAT_S:
            self._told = (text, now_s)
            self.notices.append(Notice(Level.WARNING, text))
