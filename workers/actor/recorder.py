"""Recorder: the run's transition log and its list of episodes, through a full disk and back."""

import shutil
from pathlib import Path

from workers.model.events import EpisodeEnded
from workers.runtime.episode_book import EpisodeBook
from workers.transport.log import LogFull, LogWriter
from workers.transport.record import FeatureSpec, Record

DISK_NEEDED_BYTES = 200_000_000  # about three minutes of two raw 128x128 cameras at 10 Hz


class Recorder:
    """Writes what the actor did. Call `open` until it says yes; again after a LogFull or LogUnsaved."""

    def __init__(self, run_dir: Path, features: FeatureSpec) -> None:
        self._run_dir = run_dir
        self._features = features
        self._book = EpisodeBook(run_dir)
        self._log: LogWriter | None = None
        self._unwritten: list[EpisodeEnded] = []
        self.next_episode = self._book.next_episode()

    def open(self) -> bool:
        """Whether there is a log to write to now. Raises LogError when there cannot be one."""
        if shutil.disk_usage(self._run_dir).free < DISK_NEEDED_BYTES:
            return False
        try:
            log = LogWriter(self._run_dir / "log", self._features)
        except LogFull:
            return False
        self._log = log
        self.next_episode = max(self.next_episode, log.last_episode + 1)
        return self._write_book()

    def close(self) -> None:
        """Sync and let go of the log. Closing twice is fine. Raises LogUnsaved when only now it is known."""
        log, self._log = self._log, None
        if log is not None:
            log.close()

    def demonstrations(self, failures_too: bool) -> int:
        """Demonstrations that were kept; only those that succeeded unless `failures_too`."""
        return self._book.demonstrations(failures_too)

    def append(self, record: Record) -> None:
        """Add a record to the log. Raises LogFull, with everything before kept; and LogUnsaved, where it may not be."""
        assert self._log is not None, "open() first"
        self._log.append(record)

    def finish(self, episode: EpisodeEnded) -> bool:
        """Enter a finished episode; False when the disk is full, and the entry is kept for the next `open`."""
        if self._log is not None:
            self._log.sync_soon()
        self._unwritten.append(episode)
        return self._write_book()

    def _write_book(self) -> bool:
        try:
            while self._unwritten:
                self._book.append(self._unwritten[0])
                del self._unwritten[0]
        except OSError:
            return False
        return True
