"""k of n: the defaults keep the promise about single wrong pictures, and the arithmetic in the docstring is right."""

import re

import numpy as np
import pytest

from workers.config import RewardClassifierConfig
from workers.processors import votes
from workers.processors.reward_classifier import RewardClassifierProcessor
from workers.processors.transition import Period, Transition
from workers.processors.votes import Votes, steps_to_decide, wrongly_ended

STEPS = 100  # 10 s at 10 Hz
WRONG = 0.01
PROMISED = 0.005


class Spikes:
    """A classifier that is right, but for single frames drawn at random."""

    def __init__(self, rng: np.random.Generator, share: float) -> None:
        self._rng, self._share = rng, share

    def success_probability(self, transition: Transition) -> float:
        return 0.99 if self._rng.random() < self._share else 0.02


def share_ended(config: RewardClassifierConfig, episodes: int, seed: int) -> float:
    """Share of episodes without success that the processor of such a configuration ends as one."""
    step = RewardClassifierProcessor(
        Spikes(np.random.default_rng(seed), WRONG), config.success_threshold, 1.0, config.votes, config.window, True
    )  # fmt: skip
    ended = 0
    for _ in range(episodes):
        step.reset()
        for _ in range(STEPS):
            item = Transition({}, Period(np.zeros(4, np.float32), np.zeros(6), 0.0, 0.0))
            step(item)
            if item.terminated:
                ended += 1
                break
    return ended / episodes


def test_with_the_defaults_random_spikes_end_less_than_one_in_200_episodes() -> None:
    share = share_ended(RewardClassifierConfig(pretrained_path="simulated"), episodes=5_000, seed=1)
    assert share < PROMISED
    assert wrongly_ended(WRONG, 3, 4, STEPS) < PROMISED / 10, "with room: pictures do not err independently"


def test_two_of_three_would_not_keep_it_and_the_simulation_sees_that() -> None:
    config = RewardClassifierConfig(pretrained_path="simulated", votes=2, window=3)
    share, exact = share_ended(config, episodes=3_000, seed=2), wrongly_ended(WRONG, 2, 3, STEPS)
    assert exact > PROMISED
    assert share == pytest.approx(exact, abs=4 * (exact / 3_000) ** 0.5)


def test_the_defaults_are_the_quickest_that_keep_it_and_forgive_a_missed_step() -> None:
    """Of all k of n up to 6 that forgive a miss and keep it, none decides sooner by a tenth of a step."""
    delays = {
        (k, n): steps_to_decide(0.9, k, n)
        for n in range(1, 7)
        for k in range(1, n)
        if wrongly_ended(WRONG, k, n, STEPS) < PROMISED
    }
    chosen = RewardClassifierConfig(pretrained_path="simulated")
    assert delays[chosen.votes, chosen.window] <= min(delays.values()) + 0.1


def test_the_table_in_the_docstring_is_what_the_functions_say() -> None:
    assert votes.__doc__ is not None
    rows = re.findall(r"(\d) of (\d) +[\d.]+ % +([\d.]+) % +([\d.]+)", votes.__doc__)
    assert len(rows) == 6
    for k, n, percent, steps in rows:
        assert float(percent) == pytest.approx(100 * wrongly_ended(WRONG, int(k), int(n), STEPS), rel=0.02)
        assert float(steps) == pytest.approx(steps_to_decide(0.9, int(k), int(n)), abs=0.006)


def test_a_vote_leaves_with_its_window() -> None:
    counted = Votes(2, 3)
    assert [counted.add(vote) for vote in (True, False, False, True)] == [False] * 4
    assert (counted.count, counted.steps) == (1, (False, False, True))
    assert counted.add(True)
    counted.clear()
    assert counted.count == 0
