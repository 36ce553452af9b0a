"""A monkey at the keyboard: every bound key, and what no keyboard sends; the same for the same seed."""

import random
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace
from textual import events
from textual.pilot import Pilot

from hilserl_tui.remapping import ALL_KEYS
from tests.console import demo
from workers.config.ready import ready_config
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

LEAVES = {"ctrl+q", "q"}  # pressed seldom: most of the time is to be spent inside
CLOSERS = ("escape", "enter", "tab", "shift+tab", "backspace", "home", "end", "pageup", "ctrl+home")
WORDS = tuple("ähn 1,2;/\\'\"[red]{}💥\u200d\x7f")
SIZES = ((80, 24), (120, 40), (200, 60), (40, 10), (12, 4), (1, 1), (300, 20))
BYTES = {
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "enter": b"\r",
    "tab": b"\t",
    "escape": b"\x1b",
    "space": b" ",
    "backspace": b"\x7f",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "comma": b",",
    "full_stop": b".",
    "minus": b"-",
    "plus": b"+",
    "equals_sign": b"=",
    "colon": b":",
    "question_mark": b"?",
    "left_square_bracket": b"[",
    "right_square_bracket": b"]",
    "shift+tab": b"\x1b[Z",
    "ctrl+home": b"\x1b[1;5H",
}
GARBAGE = (
    b"\xff\xfe\xc3\x28\x80",  # no UTF-8
    b"\x1b[M\xff\xff\xff",  # a mouse of 1988
    b"\x1b[M !!",
    b"\x1b[<0;999999;1M",
    b"\x1b[<64;10;10M\x1b[<65;10;10M",
    b"\x1b[<35;5;5M\x1b[<0;5;5M\x1b[<32;30;12M\x1b[<0;30;12m",
    b"\x1b[99:1:;;u",
    b"\x1b[99999999999;2u",
    b"\x1b[200~pasted \x00\xff text\nof two lines\x1b[201~",
    b"\x1b[200~without an end",
    b"\x1b]0;title\x07",
    b"\x1bP+q\x1b\\",
    b"\x1b[I\x1b[O",
    b"\x1b[48;24;80;480;640t",
    b"\x1b[?62;4c\x1b[?2026;2$y",
    b"\x1b[7;7R" * 5,
    b"\x1b[",
    b"\x9b31m",
)


def bound_keys() -> list[str]:
    keys = {name for key in ALL_KEYS for name in key.keys.split(",")}
    return [*sorted(keys - LEAVES), *CLOSERS]


def run_state(folder: Path) -> ConsoleState:
    """A run whose files may be written: a monkey writes bounds, crops and learners into them."""
    path = folder / "monkey.toml"
    path.write_text(ready_config().read_text())
    here = replace(demo.OPENED, config_path=str(path), run_dir=str(folder / "run"))
    state = demo.fold(demo.opening(), demo.history(), demo.running(e.Driver.HUMAN, seconds=1))
    return reduce(state, here)


def happenings(rng: random.Random) -> e.Event:
    """What a run does meanwhile."""
    return rng.choice(
        (
            e.DriverChanged(rng.choice(list(e.Driver)), "space takes the arm"),
            e.StopLatched("kim@pts/3"),
            e.StopCleared("kim@pts/3"),
            e.PauseChanged(rng.random() < 0.5, "somebody paused"),
            e.LogLine("actor", e.Level.ERROR, "\x1b[2J\x1b]0;gone\x07" + "x" * rng.randrange(300), 1.0),
            e.ArmMoved((0.2, 0.0, 0.1), 40.0, rng.choice(list(e.GateMode)), reason="why not", at_s=100.0),
            e.WorkerChanged("learner", rng.choice(list(e.WorkerState)), "no reason at all", 3),
            e.FramePreview("front", 24, 24, demo.picture("front", rng.random(), 24), 1.0),
            e.EpisodeEnded(85, e.EpisodeKind.TRAINING, 1.0, 40, 0, 0, e.EndedBy.SUCCESS, 4.0, 37),
            e.PhaseChanged(rng.choice((e.Phase.TRAINING, e.Phase.RECORDING, e.Phase.EVALUATING)), "", 3, 9),
            e.OperatorChanged(False, rng.randrange(3), rng.choice(("me", "kim", ""))),
        )
    )


def terminal_bytes(rng: random.Random, seconds: float) -> Iterator[tuple[float, bytes]]:
    """(pause, what comes in) for so long: keys above all, and what a line makes of them."""
    keys, passed = bound_keys(), 0.0
    while passed < seconds:
        pause = rng.choice((0.001, 0.01, 0.03))
        passed += pause
        what = rng.random()
        if what < 0.85:
            yield pause, key_bytes(rng.choice(keys))
        elif what < 0.86:
            yield pause, b"q"
        elif what < 0.96:
            yield pause, rng.choice(GARBAGE)
        else:
            yield pause, rng.randbytes(rng.randrange(1, 40))


def key_bytes(name: str) -> bytes:
    """How a terminal without modifier reports sends a key of Textual's name."""
    if name in BYTES:
        return BYTES[name]
    if name.startswith("ctrl+") and len(name) == 6:
        return bytes([ord(name[-1]) & 31])
    return name.encode() if len(name) == 1 else b"\x1b"


async def plays(pilot: Pilot[object], rng: random.Random, strokes: int) -> int:
    """Keys, text, mouse, pastes and sizes into a running console; how many until it was left."""
    keys, app = bound_keys(), pilot.app
    for stroke in range(strokes):
        if app._exit:
            return stroke
        what = rng.random()
        if what < 0.8:
            await pilot.press(rng.choice(keys))
        elif what < 0.81:
            await pilot.press("q")
        elif what < 0.86:
            await pilot.press(rng.choice(WORDS))
        elif what < 0.89:
            app.post_message(events.Paste(rng.choice(("", "a\nb", "[bold]" * 40, "1,2,3,4"))))
        elif what < 0.96:
            kind = rng.choice((events.MouseDown, events.MouseMove, events.MouseUp, events.MouseScrollDown))
            x, y = rng.randrange(-2, 210), rng.randrange(-2, 70)
            button = rng.randrange(4)
            app.post_message(
                kind(None, x, y, 0, 0, button, False, False, False, screen_x=x, screen_y=y, style=None)
            )
        elif what < 0.98:
            await pilot.resize_terminal(*rng.choice(SIZES))
        else:
            app.post_message(rng.choice((events.AppBlur, events.AppFocus))())
        if stroke % 20 == 0:
            await pilot.pause(0.01)
    return strokes
