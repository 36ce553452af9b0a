"""What headless tools draw in a terminal: a line, or a picture of lines, written over itself."""

import os
import sys
import time
from typing import Final

LINE_S: Final = 0.5
IN_PANE: Final = os.environ.get("HILSERL_PANE") == "1"
"""A console reads this: what is drawn over itself comes as one line that begins with FRAME, its rows between ROW."""
FRAME, ROW = "\f", "\x1e"


class Line:
    """One line that is written over itself, twice a second at most while it says the same."""

    def __init__(self) -> None:
        self._shown_s = 0.0
        self._words = ""

    def show(self, text: str) -> None:
        """Show it, if it is new or time passed; without a terminal only what is new."""
        if IN_PANE:
            _frame(text)
            return
        words = "".join(letter for letter in text if not letter.isdigit())
        now_s = time.monotonic()
        terminal = sys.stdout.isatty()
        if words == self._words and (not terminal or now_s - self._shown_s < LINE_S):
            return
        self._words, self._shown_s = words, now_s
        sys.stdout.write(f"\r\x1b[K{text}" if terminal else f"{text}\n")
        sys.stdout.flush()


class Picture:
    """Text that is drawn over itself."""

    def __init__(self) -> None:
        self._lines = 0

    def draw(self, text: str) -> None:
        """Draw it in place of what was drawn before."""
        if IN_PANE:
            _frame(text)
            return
        lines = text.split("\n")
        up = f"\x1b[{self._lines}F" if self._lines and sys.stdout.isatty() else ""
        body = "".join(f"{line}\x1b[K\n" if sys.stdout.isatty() else f"{line}\n" for line in lines)
        sys.stdout.write(up + body)
        sys.stdout.flush()
        self._lines = len(lines)


def _frame(text: str) -> None:
    sys.stdout.write(f"{FRAME}{text.replace(chr(10), ROW)}\n")
    sys.stdout.flush()
