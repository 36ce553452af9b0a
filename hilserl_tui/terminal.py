"""What the terminal can do: asked once, before anything is drawn, and read until it says what it is."""

import os
import re
import select
import shutil
import sys
import termios
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass

from workers.model.check import Check

LEAST_SIZE = (80, 24)
ANSWER_WITHIN_S = 0.5
SLOW_S = 0.15
QUESTIONS = (
    b"\x1b[>10u\x1b[?u\x1b[<u"  # kitty keyboard: does it tell, of all keys, when they are let go? On, asked, off
    b"\x1b[?2026$p"  # synchronised output
    b"\x1b[?1016$p\x1b[?2048$p"  # mouse in pixels, and word of the size in pixels, without which they mean nothing
    b"\x1b[16t"  # pixels of a cell
    b"\x1b[c"  # what it is: answered by every terminal, and last
)
_TELLS_RELEASES = 10  # flags: phases of a key, of all keys
_LAST = re.compile(rb"\x1b\[\?([\d;]*)c")
HERE = "run this in the terminal you will use"


@dataclass(frozen=True, slots=True)
class Abilities:
    """None: it was not asked, or did not answer."""

    releases: bool = False
    synchronised: bool = False
    pixel_mouse: bool = False
    cell: tuple[int, int] | None = None  # width, height in pixels
    sixel: bool = False


def understood(reply: bytes) -> Abilities | None:
    """What the answers to `QUESTIONS` say; None where the last one is missing."""
    last = _LAST.search(reply)
    if last is None:
        return None
    keyboard = re.search(rb"\x1b\[\?(\d+)u", reply)
    cell = re.search(rb"\x1b\[6;(\d+);(\d+)t", reply)
    return Abilities(
        releases=keyboard is not None and int(keyboard[1]) & _TELLS_RELEASES == _TELLS_RELEASES,
        synchronised=_mode(reply, 2026),
        pixel_mouse=_mode(reply, 1016) and _mode(reply, 2048),
        cell=(int(cell[2]), int(cell[1])) if cell else None,
        sixel=b"4" in last[1].split(b";"),
    )


def _mode(reply: bytes, number: int) -> bool:
    """Whether the terminal knows a mode: DECRPM answers 0 for one it does not, 4 for one that stays off."""
    found = re.search(rb"\x1b\[\?%d;(\d)\$y" % number, reply)
    return found is not None and found[1] in b"123"


def ask(questions: bytes, last: re.Pattern[bytes]) -> tuple[bytes, float | None]:
    """(answers, seconds until the last of them; None where it did not come in time)."""
    here = sys.stdin.fileno()
    before = termios.tcgetattr(here)
    try:
        tty.setcbreak(here)
        asked = time.monotonic()
        os.write(sys.stdout.fileno(), questions)
        reply = b""
        while not last.search(reply):
            left = asked + ANSWER_WITHIN_S - time.monotonic()
            if left <= 0 or not select.select([here], [], [], left)[0]:
                return reply, None
            reply += os.read(here, 256)
        return reply, time.monotonic() - asked
    finally:
        termios.tcsetattr(here, termios.TCSAFLUSH, before)


def terminal_checks() -> Iterator[Check]:
    """Everything about the terminal on standard input and output."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Check("terminal", None, "no terminal here", "the console needs one", HERE)
        yield colours()
        yield encoding(sys.stdout.encoding)
        return
    yield size(*shutil.get_terminal_size())
    yield colours()
    yield encoding(sys.stdout.encoding)
    _, took_s = ask(b"\x1b[6n", re.compile(rb"\x1b\[\d+;\d+R"))
    yield answers(took_s)
    reply, _ = ask(QUESTIONS, _LAST)
    yield from abilities(understood(reply))
    yield from multiplexer()


def size(wide: int, high: int) -> Check:
    ok = wide >= LEAST_SIZE[0] and high >= LEAST_SIZE[1]
    why = "80x24 shows everything but the pictures, 120x40 all"
    return Check("terminal size", ok or None, f"{wide}x{high}", why, "make it larger")


def colours() -> Check:
    if os.environ.get("NO_COLOR"):
        return Check("colours", True, "none (NO_COLOR is set): shapes and words carry everything")
    term, truecolour = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    if truecolour in ("truecolor", "24bit"):
        return Check("colours", True, f"16 million (TERM={term})")
    if "256" in term:
        do = "export COLORTERM=truecolor where the terminal can, and pass it on (ssh: SendEnv COLORTERM)"
        return Check("colours", None, f"256 (TERM={term})", "camera pictures look coarser", do)
    do = "export TERM=xterm-256color; in tmux: set -g default-terminal tmux-256color"
    return Check("colours", None, f"16 (TERM={term or 'not set'})", "camera pictures look poor", do)


def encoding(name: str) -> Check:
    ok = name.lower().replace("-", "") == "utf8"
    why = "frames, plots and pictures are drawn with Unicode"
    return Check("encoding", ok, name.lower(), why, "export LANG=C.UTF-8")


def answers(took_s: float | None) -> Check:
    """How long the terminal takes to say where its cursor is, which the console asks ten times a second."""
    why = "the answer shows that the line is alive, and how fast the screen may be drawn"
    if took_s is None:
        do = "another terminal: in this one only key presses show that you are there"
        return Check("terminal answers", None, "it does not (CSI 6n)", why, do)
    do = "use `ssh -C`: compression makes a thin line several times faster"
    return Check("terminal answers", None if took_s > SLOW_S else True, f"in {took_s * 1000:.0f} ms", why, do)


def abilities(found: Abilities | None) -> Iterator[Check]:
    if found is None:
        why = "it does not say what it can do (CSI c)"
        yield Check("abilities", None, "unknown", why, "nothing: the console works without")
        return
    why = "with it a driving key moves the arm while it is held; without, it repeats bounded steps"
    do = "kitty, Ghostty, foot, iTerm2 and WezTerm (enable_kitty_keyboard = true) report it; tmux does not pass it on"
    words = "tells when a key is let go" if found.releases else "does not tell when a key is let go"
    yield Check("kitty keyboard", True if found.releases else None, words, why, do)
    yield synchronised(found.synchronised)
    yield pixel_mouse(found.pixel_mouse, found.cell)


def synchronised(there: bool) -> Check:
    why, do = "without it the screen may flicker", "nothing, or use a newer terminal"
    return Check("sync output", True if there else None, "yes" if there else "no", why, do)


def pixel_mouse(there: bool, cell: tuple[int, int] | None = None) -> Check:
    why = "without it a crop is dragged in steps of a character cell"
    do = "use the arrow keys on the Crop screen: they move by one pixel"
    cells = f", cells of {cell[0]}x{cell[1]}" if cell else ""
    return Check("pixel mouse", True if there else None, ("yes" if there else "no") + cells, why, do)


def multiplexer() -> Iterator[Check]:
    if os.environ.get("TMUX"):
        why = "tmux answers for the terminal, so the console asks tmux whether you are attached"
        do = "nothing: detaching gives the arm back. A run survives a lost SSH link without tmux too"
        yield Check("tmux", None, "inside tmux", why, do)
