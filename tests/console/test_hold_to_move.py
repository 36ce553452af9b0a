"""Held keys: which of them move the arm, what the station is told of it, and what ends it."""

from collections.abc import Iterator
from typing import ClassVar

import pytest

from hilserl_tui.held_keys import MOST_KEYS, HeldKeys, Means
from hilserl_tui.hold_to_move import ANSWERED_WITHIN_S, SAY_AGAIN_S, SLOW_LINE_MS, HoldToMove, may_hold
from hilserl_tui.key_phases import Key, Phase
from hilserl_tui.keymap import driving_keys, remap
from hilserl_tui.pace import Pacer
from hilserl_tui.repeats import may_repeat
from workers.model.commands import Axis, Drive

UP, RAISE, LOWER = "1A", "117u", "106u"


@pytest.fixture(autouse=True)
def no_keys_of_ones_own() -> Iterator[None]:
    yield
    remap({})


class Hand(HeldKeys):
    """Fingers on keys, each of which has an action."""

    does: ClassVar = {UP: (Axis.X, 1), RAISE: (Axis.Z, 1), "5~": (Axis.Z, 1), LOWER: (Axis.Z, -1)}

    def act(self, code: str, phase: Phase = Phase.PRESS, hold: bool = True) -> Means:
        return self.ask(code, phase, *self.does[code], hold)

    def hold(self, *codes: str) -> None:
        for code in codes:
            self.press(code)
            assert self.act(code) is Means.MOTION


@pytest.fixture
def hand() -> Hand:
    return Hand()


def test_a_key_moves_from_its_press_to_its_release(hand: Hand) -> None:
    hand.press(UP)
    assert hand.motion() == (0, 0, 0, 0), "not before its action was found"
    assert hand.act(UP) is Means.MOTION
    assert hand.motion() == (1, 0, 0, 0)
    for _ in range(5):
        assert hand.act(UP, Phase.REPEAT) is Means.MOTION
    hand.release(UP)
    assert hand.motion() == (0, 0, 0, 0) and not hand


def test_two_keys_at_once_and_one_goes_on_when_the_other_is_let_go(hand: Hand) -> None:
    hand.hold(UP, RAISE)
    assert hand.motion() == (1, 0, 1, 0)
    hand.release(UP)
    assert hand.motion() == (0, 0, 1, 0)


def test_opposite_keys_cancel_out_and_two_keys_for_one_motion_are_no_faster(hand: Hand) -> None:
    hand.hold(RAISE, "5~")
    assert hand.motion() == (0, 0, 1, 0)
    hand.hold(LOWER)
    assert hand.motion() == (0, 0, 0, 0)


def test_a_late_repeat_does_not_move_again(hand: Hand) -> None:
    hand.hold(UP)
    hand.spend()
    for hold in (True, False):
        assert hand.act(UP, Phase.REPEAT, hold) is Means.NOTHING
    assert hand.motion() == (0, 0, 0, 0)
    hand.release(UP)
    hand.hold(UP)
    assert hand.motion() == (1, 0, 0, 0)


def test_a_repeat_that_is_handled_after_the_release_is_no_step(hand: Hand) -> None:
    hand.hold(UP)
    hand.release(UP)
    for hold in (True, False):
        assert hand.act(UP, Phase.REPEAT, hold) is Means.NOTHING


def test_a_press_that_is_handled_after_keys_were_spent_moves_nothing(hand: Hand) -> None:
    hand.press(UP)
    hand.spend()
    assert hand.act(UP) is Means.NOTHING


def test_a_key_that_was_down_before_it_could_move_begins_by_no_repeat(hand: Hand) -> None:
    hand.press(UP)  # nobody asked: the arm was not the person's
    assert hand.act(UP, Phase.REPEAT) is Means.NOTHING


def test_without_hold_presses_and_repeats_are_steps(hand: Hand) -> None:
    hand.press(UP)
    for phase in (Phase.PRESS, Phase.REPEAT, Phase.REPEAT):
        assert hand.act(UP, phase, hold=False) is Means.STEP
    assert hand.motion() == (0, 0, 0, 0)


def test_a_press_that_is_over_before_it_is_handled_is_a_step(hand: Hand) -> None:
    hand.press(UP)
    hand.release(UP)
    assert hand.act(UP) is Means.STEP


def test_keys_whose_releases_are_lost_do_not_pile_up(hand: Hand) -> None:
    for number in range(1000):
        hand.press(f"{number}u")
        assert len(hand) <= MOST_KEYS


class Desk:
    """A `HoldToMove` with a clock, a terminal and a station that a test plays."""

    def __init__(self) -> None:
        self.now_s, self.said, self.delivered = 10.0, list[Drive](), True
        self.pacer = Pacer()
        self.hold_to_move = HoldToMove(self.pacer, self._send, wanted=True, clock_s=lambda: self.now_s)
        self.hold_to_move.releases = True
        self.answer()

    def _send(self, held: Drive) -> bool:
        self.said.append(held)
        return self.delivered

    def answer(self, took_s: float = 0.01) -> None:
        self.pacer.asked(self.now_s - took_s)
        self.pacer.answered(self.now_s)

    def press(self) -> None:
        self.hold_to_move.press(UP)

    def release(self) -> None:
        self.hold_to_move.release(UP)

    def ask(self, phase: Phase = Phase.PRESS) -> Means:
        return self.hold_to_move.ask(Key("up", None, UP, phase), Axis.X, 1)

    def pass_by(self, seconds: float, answers: bool = True) -> None:
        """As the input thread does, which sleeps for as long as it is told."""
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += self.hold_to_move.keep_up() or 0.1
            if answers:
                self.answer()

    @property
    def motions(self) -> list[int]:
        return [held.motion[0] for held in self.said]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_is_held_is_said_at_once_again_20_times_a_second_and_over_at_the_release(desk: Desk) -> None:
    desk.press()
    assert desk.ask() is Means.MOTION
    assert desk.motions == [1]
    desk.pass_by(1.0)
    assert 19 <= len(desk.said) <= 22 and set(desk.motions) == {1}
    gaps = [b.at_s - a.at_s for a, b in zip(desk.said, desk.said[1:], strict=False)]
    assert max(gaps) < 0.075, "half of what it is valid for"
    assert min(gaps[1:]) >= SAY_AGAIN_S - 1e-9
    desk.release()
    assert desk.motions[-1] == 0 and not desk.hold_to_move.moving
    said = len(desk.said)
    desk.pass_by(1.0)
    assert len(desk.said) == said


def test_a_terminal_that_stalls_ends_the_motion_for_good(desk: Desk) -> None:
    desk.press()
    desk.ask()
    stalled_s = desk.now_s
    desk.pass_by(0.6, answers=False)
    last = next(held for held in desk.said if not held.moves)
    assert ANSWERED_WITHIN_S < last.at_s - stalled_s <= ANSWERED_WITHIN_S + 2 * SAY_AGAIN_S
    desk.answer()
    assert desk.ask(Phase.REPEAT) is Means.NOTHING and desk.motions[-1] == 0
    desk.release()
    desk.press()
    assert desk.ask() is Means.MOTION


def test_a_console_that_did_not_run_for_a_moment_does_not_go_on_where_it_was(desk: Desk) -> None:
    desk.press()
    desk.ask()
    desk.now_s += 2.0
    desk.answer()  # comes first, with all that waited
    desk.hold_to_move.keep_up()
    assert desk.motions == [1, 0] and not desk.hold_to_move.moving


def test_opposite_keys_are_spent_too_when_the_terminal_stalls(desk: Desk) -> None:
    desk.press()
    desk.ask()
    desk.hold_to_move.press("1B")
    desk.hold_to_move.ask(Key("down", None, "1B", Phase.PRESS), Axis.X, -1)
    desk.pass_by(1.0)
    assert set(desk.motions[2:]) <= {0} and desk.hold_to_move.moving, "it waits for one of them to be let go"
    desk.pass_by(0.6, answers=False)
    desk.answer()
    desk.release()
    assert not desk.hold_to_move.moving and not any(desk.motions[1:])


def test_a_slow_line_drives_by_steps(desk: Desk) -> None:
    desk.answer(took_s=SLOW_LINE_MS / 1e3 + 0.01)
    assert not desk.hold_to_move.holds
    desk.press()
    assert desk.ask() is Means.STEP and desk.said == []


def test_a_terminal_that_tells_no_releases_drives_by_steps(desk: Desk) -> None:
    desk.hold_to_move.releases = False
    desk.press()
    desk.press()
    assert desk.ask() is Means.STEP and not desk.hold_to_move.holds and desk.said == []
    assert desk.hold_to_move.keep_up() is None


def test_what_cannot_be_delivered_moves_nothing_until_a_new_press(desk: Desk) -> None:
    desk.press()
    desk.delivered = False
    desk.ask()
    desk.delivered = True
    desk.pass_by(0.3)
    assert len(desk.said) == 1 and not desk.hold_to_move.moving


def test_letting_go_and_pressing_within_a_moment_are_two_words(desk: Desk) -> None:
    desk.press()
    desk.ask()
    desk.release()
    desk.press()
    desk.ask()
    assert desk.motions == [1, 0, 1]


def test_a_command_of_the_palette_is_a_step(desk: Desk) -> None:
    assert desk.hold_to_move.ask(None, Axis.X, 1) is Means.STEP and desk.said == []


def test_driving_keys_are_those_that_the_person_has() -> None:
    assert {"up", "u", "pageup", "left_square_bracket"} < driving_keys()
    remap({"raise": "k", "forward": ""})
    assert "k" in driving_keys() and not {"up", "u", "pageup"} & driving_keys()


@pytest.mark.parametrize("name", ["TMUX", "STY", "ZELLIJ"])
def test_where_another_program_answers_for_the_terminal_nothing_is_held(name: str) -> None:
    assert may_hold({"TERM": "xterm-kitty"})
    assert not may_hold({name: "1"})


def test_what_ends_or_deletes_something_acts_once_a_press() -> None:
    for once in ("s", "f", "r", "space", "d", "delete", "enter", "n", "p", "v", "y", "q"):
        assert not may_repeat(once, typing=False), once
        assert may_repeat(once, typing=True), "text repeats"
    for again in ("up", "shift+left", "u", "pagedown", "minus", "left_square_bracket", "full_stop", "x"):
        assert may_repeat(again, typing=False), again
    remap({"success": "pageup", "wider": "k"})
    assert not may_repeat("pageup", typing=False)
    assert may_repeat("k", typing=False)
