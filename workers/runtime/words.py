"""What a worker says, as people can read it: no command for their terminal, no more and no longer than they read."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

LONGEST = 2000  # characters of a line
LINES_PER_S, AT_ONCE = 50.0, 200  # that reach the consoles; all of them are in the worker's file
LOOKED_AT = 64 * 1024  # bytes of a file at a time
LINES_A_LOOK = 20
TELL_AFTER_LOOKS = 50  # of a flood that goes on

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # strings: titles, pictures, private messages
    r"|\x1b[ -/]*[0-~]"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ")
_TRACEBACK = "Traceback (most recent call last):"


def readable(text: str) -> str:
    """A line without escape sequences, tabs and control characters as spaces, cut to a bearable length."""
    text = _ESCAPES.sub("", text[: 4 * LONGEST])
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST]


def logged(level: str, text: str, wall_s: float) -> str:
    """A line of a worker's own file as `logging` writes it there: who has sent it as an event too is read once."""
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall_s))
    return f"{moment},{int(wall_s % 1.0 * 1000):03d} {level.upper()} {text}"


class Faucet:
    """Lets through `LINES_PER_S` in the long run, `AT_ONCE` at once, and counts the others."""

    def __init__(self) -> None:
        self._level, self._at_s = float(AT_ONCE), 0.0
        self.held_back = 0

    def lets(self, now_s: float) -> bool:
        self._level = min(AT_ONCE, self._level + (now_s - self._at_s) * LINES_PER_S)
        self._at_s = now_s
        if self._level < 1.0:
            self.held_back += 1
            return False
        self._level -= 1.0
        return True

    def take_held_back(self) -> int:
        """How many were not let through since this was asked last."""
        held, self.held_back = self.held_back, 0
        return held


class Printed:
    """What a worker prints into its file beside its log: warnings of libraries, words of C code.

    What was logged comes as events, and a traceback is for the file: neither is given here. Of a flood only the
    newest part is read, and of that the first lines.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._name = path, path.name
        self._at = path.stat().st_size if path.exists() else 0  # what was there is of an earlier life
        self._rest = b""
        self._broken = False  # up to the next end of a line it is only the end of one
        self._untold = self._looks = 0  # bytes of a flood, and how often they were not told
        self._in_traceback = False

    def new_lines(self) -> list[str]:
        """Whole lines since the last look. Reads at most `LOOKED_AT` bytes."""
        data, skipped = self._read()
        self._untold, self._broken = self._untold + skipped, self._broken or skipped > 0
        *lines, rest = ((b"" if skipped else self._rest) + data).split(b"\n")
        if self._broken and lines:
            lines, self._broken = lines[1:], False
        self._rest = b"" if self._broken else rest[-LOOKED_AT:]
        told = [words for line in lines if (words := self._words(line))]
        if (more := len(told) - LINES_A_LOOK) > 0:
            told = [*told[:LINES_A_LOOK], f"{more} lines more were printed: all of them are in {self._name}"]
        self._looks = self._looks + 1 if skipped else TELL_AFTER_LOOKS
        if self._untold and self._looks >= TELL_AFTER_LOOKS:
            told.append(f"{max(1, self._untold // 1000)} kB more were printed: all of it is in {self._name}")
            self._untold = self._looks = 0
        return told

    def _read(self) -> tuple[bytes, int]:
        """(what is new, how many bytes before that were passed over)."""
        try:
            new = self._path.stat().st_size - self._at
            if new <= 0:
                return b"", 0
            skipped = max(0, new - LOOKED_AT)
            with self._path.open("rb") as file:
                file.seek(self._at + skipped)
                data = file.read(LOOKED_AT)
        except OSError:
            return b"", 0
        self._at += skipped + len(data)
        return data, skipped

    def _words(self, line: bytes) -> str:
        """A printed line for people; "" where there is nothing to read, or it comes another way."""
        text = readable(line.decode(errors="replace")).rstrip()
        if text.startswith(_TRACEBACK):
            self._in_traceback = True
            return ""
        if self._in_traceback:
            self._in_traceback = text.startswith(" ") or not text
            return ""
        return "" if _LOGGED.match(text) else text.strip()


def last_line(path: Path) -> str:
    """The last line with words in it, of the end of a file; "" where there is none."""
    return next(_from_the_end(path), "")


def _from_the_end(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOOKED_AT))
            lines = file.read(LOOKED_AT).decode(errors="replace").splitlines()
    except OSError:
        return
    for line in reversed(lines):
        if words := readable(line).strip():
            yield words
