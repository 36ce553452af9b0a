"""The operator's life signs on a late line: the console's input thread and the station's watch, on a made-up clock.

The terminal, the clock and the read are made up; what asks, reads, counts and judges is the console's own.
"""

import itertools
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from textual import events
from textual.message import Message

from hilserl_tui import drawing
from hilserl_tui import driver as driver_module
from hilserl_tui.drawing import TICK_S, PacedDrawing
from hilserl_tui.driver import PASTE_WITHIN_S, PROBE, ConsoleDriver, StopPressed
from hilserl_tui.hold_to_move import HoldToMove
from workers.station.lease import LEASE_LIMIT_S, look_again_s

ANSWER = b"\x1b[40;120R"
WITHIN_S = 0.6  # the promise: silence releases the arm by then
STEP_S = 0.001
HALF_A_PASTE = b"\x1b[200~half a paste"

# An escape key, and alt with a bracket, look like the first two: nobody waits longer for those.
CUTS = [(at, gap_s) for gap_s in (0.02, 0.15, 0.4) for at in range(1 if gap_s < 0.1 else 3, len(ANSWER))]


class Asking(PacedDrawing):
    """The part of the console that asks the terminal, without the screens that it draws."""

    screen_stack = ()

    def __init__(self, line: "Line") -> None:
        self.client = SimpleNamespace(send=lambda _: line.renewed_s.append(line.now_s), stop=lambda: True)
        self.hold_to_move = HoldToMove(self.pacer, lambda _: True, wanted=False, clock_s=lambda: line.now_s)
        self._driver = line

    def left_alone(self) -> bool:
        return False

    def _draw(self) -> None:
        """There is nothing to draw: only questions go out."""

    def call_after_refresh(self, callback, *args, **options) -> bool:
        callback(*args, **options)
        return True


class Line(ConsoleDriver):
    """The driver on a terminal whose answers come when `arrives` says; it is its own loop, selector and clock.

    `arrives(asked_s)` is when the answer is there, None when it never comes. `typed` comes in as told.
    """

    def __init__(self, arrives: Callable[[float], float | None] = lambda asked_s: asked_s + 0.001) -> None:
        self.now_s, self.renewed_s = 100.0, []
        self.messages: list[Message] = []
        self._arrives = arrives
        self._coming: list[tuple[float, bytes]] = []
        self._next_tick_s, self._end_s = self.now_s, self.now_s
        self._app, self._debug, self._loop = Asking(self), False, self
        self.fileno, self.cursor_origin = 0, None
        self.exit_event = SimpleNamespace(is_set=lambda: self.now_s >= self._end_s)

    def types(self, after_s: float, data: bytes) -> None:
        if data:
            self._coming.append((100.0 + after_s, data))

    def lives(self, seconds: float) -> "Line":
        self._end_s = self.now_s + seconds
        self.run_input_thread()
        return self

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.messages if isinstance(message, events.Key)]

    def released_s(self) -> float | None:
        """When the station takes the arm from this operator."""
        at_s = self.renewed_s[0]
        while at_s < self._end_s:
            age_s = at_s - max(sign_s for sign_s in self.renewed_s if sign_s <= at_s)
            if age_s > LEASE_LIMIT_S:
                return at_s
            at_s += look_again_s(age_s)
        return None

    # what the driver sends

    def write(self, data: str) -> None:
        arrives_s = self._arrives(self.now_s)
        if data == PROBE and arrives_s is not None:
            self._coming.append((arrives_s, ANSWER))

    def send_message(self, message: Message) -> None:
        self.messages.append(message)

    # the event loop

    def is_closed(self) -> bool:
        return False

    def call_soon_threadsafe(self, callback, *args) -> None:
        callback(*args)

    # what the driver reads

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def register(self, *_: object) -> None:
        return

    def select(self, wait_s: float) -> bool:
        """Time goes on until something is there to be read."""
        until_s = self.now_s + wait_s
        while self.now_s < until_s:
            if self.now_s >= self._next_tick_s:
                self._next_tick_s += TICK_S
                self._app.tick()
            if any(at_s <= self.now_s for at_s, _ in self._coming):
                return True
            self.now_s += STEP_S
        return False

    def read(self, *_: object) -> bytes:
        there = [data for at_s, data in sorted(self._coming) if at_s <= self.now_s]
        self._coming = [(at_s, data) for at_s, data in self._coming if at_s > self.now_s]
        return b"".join(there)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Line]:
    """Makes the line that all of a test goes over."""

    def made(*arguments: object) -> Line:
        line = Line(*arguments)
        clock = SimpleNamespace(monotonic=lambda: line.now_s)
        for module in (driver_module, drawing):
            monkeypatch.setattr(module, "time", clock)
        for module in ("textual._parser", "hilserl_tui.key_phases"):
            monkeypatch.setattr(f"{module}.get_time", lambda: line.now_s)
        monkeypatch.setattr(
            driver_module, "selectors", SimpleNamespace(DefaultSelector=lambda: line, EVENT_READ=1)
        )
        monkeypatch.setattr(driver_module, "os", SimpleNamespace(read=line.read))
        return line

    return made


def late(by_s: float, every_s: float = 0.0) -> Callable[[float], float]:
    """An answer comes `by_s` late; with `every_s`, only then the line lets through what has gathered."""

    def arrives(asked_s: float) -> float:
        there_s = asked_s + by_s
        return there_s if not every_s else (there_s // every_s + 1) * every_s

    return arrives


def cut_at(dead_s: float, by_s: float) -> Callable[[float], float | None]:
    """Late answers, until the line is dead; what was on its way then is lost."""
    return lambda asked_s: asked_s + by_s if asked_s + by_s < 100.0 + dead_s else None


@pytest.mark.parametrize("by_s", [0.001, 0.08, 0.15, 0.3])
def test_late_answers_never_release_an_intervention(line, by_s: float) -> None:
    lived = line(late(by_s)).lives(30.0)
    assert lived.released_s() is None
    assert len(lived.renewed_s) > 250, "one for every question"


@pytest.mark.parametrize("every_s", [0.2, 0.3, 0.4])
def test_answers_that_come_late_and_several_at_once_never_release_an_intervention(
    line, every_s: float
) -> None:
    lived = line(late(0.15, every_s)).lives(30.0)
    assert lived.released_s() is None
    assert not lived.messages


@pytest.mark.parametrize("by_s", [0.001, 0.15, 0.3])
def test_silence_releases_within_six_tenths_of_a_second(line, by_s: float) -> None:
    lived = line(cut_at(5.0, by_s)).lives(8.0)
    released_s = lived.released_s()
    assert released_s is not None
    assert LEASE_LIMIT_S - 2 * TICK_S < released_s - 105.0 <= WITHIN_S


def test_what_stalled_for_longer_releases_and_answers_that_come_then_are_life_signs_again(line) -> None:
    def stalls(asked_s: float) -> float:
        return max(asked_s + 0.15, 106.0) if asked_s > 104.85 else asked_s + 0.15

    lived = line(stalls).lives(12.0)
    assert 105.4 <= (lived.released_s() or 0.0) <= 105.6
    back = [at_s for at_s in lived.renewed_s if at_s >= 106.0]
    gaps = [after - before for before, after in itertools.pairwise(back)]
    assert back[0] < 106.01 and max(gaps) < LEASE_LIMIT_S


def test_three_answers_in_one_read_are_three_life_signs_and_no_text(line) -> None:
    mute = line(lambda _: None)
    mute.types(0.5, ANSWER * 3)
    mute.lives(1.0)
    assert len(mute.renewed_s) == 3
    assert not mute.messages


@pytest.mark.parametrize(("at", "gap_s"), CUTS)
def test_an_answer_cut_in_two_reads_is_one_life_sign_and_no_key(line, at: int, gap_s: float) -> None:
    mute = line(lambda _: None)
    mute.types(0.5, ANSWER[:at])
    mute.types(0.5 + gap_s, ANSWER[at:])
    mute.lives(2.0)
    assert len(mute.renewed_s) == 1
    assert not mute.messages


@pytest.mark.parametrize("key", [b"x", b"\x03"])
def test_the_stop_key_behind_half_an_answer_is_heard(line, key: bytes) -> None:
    mute = line(lambda _: None)
    mute.types(0.5, b"\x1b[40;1")
    mute.types(0.7, key)
    stopped = mute.lives(1.0).messages
    assert any(isinstance(message, StopPressed) for message in stopped)


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_a_pasted_text_that_contains_an_answer_is_that_text_and_no_key(line, pieces: int) -> None:
    """An x in it would stop the arm, an s end the episode."""
    pasted = b"\x1b[200~sx \x1b[1;1Rfr\x1b[31mx s and more than a sequence can have, x\x1b[201~"
    size = -(-len(pasted) // pieces)
    mute = line(lambda _: None)
    for number in range(pieces):
        mute.types(0.5 + 0.15 * number, pasted[number * size : (number + 1) * size])
    mute.types(1.5, ANSWER)
    mute.lives(2.0)
    (paste,) = mute.messages
    assert isinstance(paste, events.Paste)
    assert paste.text == "sx fr[31mx s and more than a sequence can have, x"
    assert len(mute.renewed_s) == 1, "the answer behind it"


@pytest.mark.parametrize("every_s", [0.0, 0.4])
@pytest.mark.parametrize("cut", [0, 3])
def test_answers_do_not_keep_a_paste_alive_whose_end_is_lost(line, every_s: float, cut: int) -> None:
    """They come for ever; the stop key must be heard again."""
    answered = line(late(0.15, every_s))
    answered.types(1.0, HALF_A_PASTE[:cut])
    answered.types(1.001, HALF_A_PASTE[cut:])
    answered.types(1.2 + PASTE_WITHIN_S + 0.2, b"x")
    answered.lives(5.0)
    assert any(isinstance(message, StopPressed) for message in answered.messages)
