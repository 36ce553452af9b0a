"""What the terminal's keys ask for is valid for 150 ms, and the newest word is the one that counts."""

import pytest

from workers.model.commands import Drive
from workers.teleop.held_keys import NOTHING, HeldKeys


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(clock: Clock) -> HeldKeys:
    return HeldKeys(clock)


def test_what_is_held_is_asked_for_until_it_is_150_ms_old(keys: HeldKeys, clock: Clock) -> None:
    keys.take(Drive((1, 0, -1), 1, 100.0))
    clock.now_s = 100.149
    assert keys.now() == (1, 0, -1, 1)
    clock.now_s = 100.151
    assert keys.down and keys.now() == NOTHING
    assert not keys.down, "a word that was too old once is not looked at again"


def test_saying_it_again_keeps_it_valid(keys: HeldKeys, clock: Clock) -> None:
    for renewal in range(10):
        clock.now_s = 100.0 + 0.1 * renewal
        keys.take(Drive((0, 1, 0), 0, clock.now_s))
        assert keys.now() == (0, 1, 0, 0)


def test_letting_go_counts_at_once(keys: HeldKeys, clock: Clock) -> None:
    keys.take(Drive((1, 0, 0), 0, 100.0))
    clock.now_s = 100.01
    keys.take(Drive((0, 0, 0), 0, 100.01))
    assert not keys.down and keys.now() == NOTHING


def test_a_word_that_was_overtaken_moves_nothing(keys: HeldKeys, clock: Clock) -> None:
    clock.now_s = 100.05
    keys.take(Drive((0, 0, 0), 0, 100.04))
    keys.take(Drive((1, 0, 0), 0, 100.03))
    assert keys.now() == NOTHING


def test_a_backlog_of_old_words_moves_nothing(keys: HeldKeys, clock: Clock) -> None:
    clock.now_s = 105.0
    for late in range(60):
        keys.take(Drive((1, 0, 0), 0, 101.0 + 0.05 * late))
        assert keys.now() == NOTHING


def test_a_word_of_a_time_to_come_moves_nothing(keys: HeldKeys, clock: Clock) -> None:
    keys.take(Drive((1, 0, 0), 0, 200.0))
    assert keys.now() == NOTHING


def test_more_than_a_direction_is_a_direction(keys: HeldKeys) -> None:
    keys.take(Drive((7, -9, 0), 5, 100.0))
    assert keys.now() == (1, -1, 0, 1)
