"""The order in which records of several logs entered replay, on disk: a resume takes them in the same way.

A line a run of records from one log: checksum, number of records, name of the log. The checksum goes on from
the one before, so that a mark (length and checksum) proves all before it. What lies beyond the newest mark of
a checkpoint counts for nothing and is cut.
"""

import os
import zlib
from contextlib import suppress
from pathlib import Path

import msgspec

_HELD_BACK = 4096  # runs kept in memory at most: some hundred kB


class IntakeMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in the order."""

    size: int = 0
    """Bytes up to here."""
    crc32: int = 0
    """Of all of them."""


class IntakeOrder:
    """The file at `path`, appended to. Nothing is written while a single log is read, but at each mark."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = IntakeMark()
        self._runs: list[tuple[str, int]] = []
        """Not written yet."""

    def note(self, source: str, count: int) -> None:
        """`count` more records of `source` were taken in."""
        if self._runs and self._runs[-1][0] == source:
            count += self._runs.pop()[1]
        self._runs.append((source, count))
        if len(self._runs) > _HELD_BACK:
            with suppress(OSError):  # the next checkpoint tries again, and says so
                self.mark()

    def mark(self) -> IntakeMark:
        """Write down all that was noted. Raises OSError, and what was noted is kept for the next time."""
        if self._runs:
            lines, crc = [], self._written.crc32
            for source, count in self._runs:
                text = f"{count} {source}\n".encode()
                crc = zlib.crc32(text, crc)
                lines.append(b"%08x %b" % (crc, text))
            data = b"".join(lines)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                done = 0
                while done < len(data):
                    done += os.pwrite(descriptor, data[done:], self._written.size + done)
            finally:
                os.close(descriptor)
            self._written = IntakeMark(self._written.size + len(data), crc)
            self._runs = []
        return self._written

    def sync(self) -> None:
        """Put on disk what was marked. Raises OSError."""
        with suppress(FileNotFoundError):
            sync_file(self._path)

    def read(self, mark: IntakeMark) -> list[tuple[str, int]]:
        """(source, records) up to `mark`. Raises ValueError when it is not as it was then, or OSError."""
        data = self._path.read_bytes()[: mark.size] if mark.size else b""
        runs: list[tuple[str, int]] = []
        crc = 0
        for line in data.splitlines(keepends=True):
            head, text = line[:9], line[9:]
            crc = zlib.crc32(text, crc)
            if head != b"%08x " % crc or not text.endswith(b"\n"):
                raise ValueError(f"{self._path} is damaged after {len(runs)} lines")
            count, source = text[:-1].decode().split(" ", 1)
            runs.append((source, int(count)))
        if (len(data), crc) != (mark.size, mark.crc32):
            raise ValueError(f"{self._path} is shorter than it was, or another one")
        return runs

    def go_on_from(self, mark: IntakeMark) -> None:
        """Forget all that comes after `mark`. Raises OSError."""
        self._written, self._runs = mark, []
        with suppress(FileNotFoundError):
            os.truncate(self._path, mark.size)


def sync_file(path: Path) -> None:
    """Wait until what was written into `path`, by whomever, is on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
