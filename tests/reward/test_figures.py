"""The figures of the report, against numbers that can be counted by hand and laws that must hold."""

import itertools
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.reward.figures import (
    Judged,
    Rule,
    frame_scores,
    recommended_threshold,
    reliability,
    roc,
    sweep,
    sweep_row,
)

TWO_OF_THREE = Rule(2, 3)


def judged(probabilities: list[float], truth: list[int]) -> Judged:
    return Judged(np.array(probabilities), np.array(truth, bool))


def test_frames_are_counted_on_their_side_of_the_threshold() -> None:
    of = frame_scores(np.array([0.9, 0.8, 0.5, 0.4, 0.1]), np.array([1, 0, 1, 1, 0], bool), 0.5)
    assert (of.right_positive, of.wrong_positive, of.right_negative, of.wrong_negative) == (2, 1, 1, 1)
    assert (of.accuracy, of.precision, of.recall, of.false_positive_rate) == (3 / 5, 2 / 3, 2 / 3, 1 / 2)


def test_a_rate_of_nothing_is_none_and_not_a_number() -> None:
    of = frame_scores(np.array([0.1, 0.2]), np.array([False, False]), 0.5)
    assert (of.precision, of.recall, of.false_positive_rate) == (None, None, 0.0)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 5), st.integers(0, 4))
def test_an_episode_ends_where_a_run_would_end_it(hits: list[bool], votes: int, more: int) -> None:
    window, expected = votes + more, None
    newest = deque[bool](maxlen=window)
    for frame, hit in enumerate(hits):
        newest.append(hit)
        if sum(newest) >= votes:
            expected = frame
            break
    assert Rule(votes, window).decided_at(np.array(hits, bool)) == expected


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30),
    st.integers(1, 5),
    st.integers(0, 4),
    st.floats(0.001, 1.0),
)
def test_the_strength_of_a_decision_is_the_highest_threshold_with_which_it_falls(
    said: list[float], votes: int, more: int, threshold: float
) -> None:
    rule, probabilities = Rule(votes, votes + more), np.array(said)
    falls = np.flatnonzero(rule.strength(probabilities) >= threshold)
    at = rule.decided_at(probabilities >= threshold)
    assert (int(falls[0]) if len(falls) else None) == at


def test_episodes_are_counted_as_they_would_have_ended() -> None:
    found = judged([0.1, 0.1, 0.9, 0.9, 0.9], [0, 0, 1, 1, 1])
    missed = judged([0.1, 0.1, 0.9, 0.1, 0.1], [0, 0, 1, 1, 1])
    quiet = judged([0.1, 0.9, 0.1, 0.1, 0.9], [0, 0, 0, 0, 0])
    fooled = judged([0.1, 0.9, 0.9, 0.1, 0.1], [0, 0, 0, 0, 0])
    row = sweep_row([found, found, missed, quiet, fooled], 0.5, TWO_OF_THREE)
    of = row.episodes
    assert (of.right_positive, of.wrong_positive, of.right_negative, of.wrong_negative) == (2, 1, 1, 1)
    assert (of.precision, of.recall, of.false_positive_rate, of.accuracy) == (2 / 3, 2 / 3, 1 / 2, 3 / 5)
    assert (row.early, row.delay_frames) == (0, 1.0)


def test_a_success_that_is_decided_long_before_it_is_one_is_wrong_and_not_found() -> None:
    early = judged([0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9], [0, 0, 0, 0, 0, 0, 1, 1])
    row = sweep_row([early], 0.5, TWO_OF_THREE)
    assert row.early == 1
    assert (row.episodes.wrong_positive, row.episodes.precision, row.episodes.recall) == (1, 0.0, 0.0)
    assert row.episodes.accuracy == 0.0


def test_labels_that_lag_by_less_than_the_window_are_not_held_against_it() -> None:
    row = sweep_row([judged([0.1, 0.9, 0.9, 0.9, 0.9], [0, 0, 0, 1, 1])], 0.5, TWO_OF_THREE)
    assert (row.early, row.episodes.recall, row.delay_frames) == (0, 1.0, -1.0)


SCORES = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40)


@given(SCORES)
def test_the_area_is_the_chance_that_a_success_is_seen_above_a_failure(drawn: list[tuple[int, bool]]) -> None:
    probabilities, truth = np.array([of[0] / 8 for of in drawn]), np.array([of[1] for of in drawn])
    points, area = roc(probabilities, truth)
    if truth.all() or not truth.any():
        assert (points, area) == ((), None)
        return
    above = probabilities[truth][:, None] - probabilities[~truth][None]
    assert area == pytest.approx(((above > 0) + 0.5 * (above == 0)).mean())
    assert (points[0].false_positive_rate, points[0].true_positive_rate) == (0.0, 0.0)
    assert (points[-1].false_positive_rate, points[-1].true_positive_rate) == (1.0, 1.0)


def test_points_of_the_curve_are_what_their_thresholds_give() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.4
    probabilities = np.clip(rng.normal(0.35 + 0.3 * truth, 0.2), 0, 1)
    for point in roc(probabilities, truth)[0][1:]:
        of = frame_scores(probabilities, truth, point.threshold)
        assert of.false_positive_rate == pytest.approx(point.false_positive_rate)
        assert of.recall == pytest.approx(point.true_positive_rate)


@given(
    st.lists(st.floats(0.0, 0.6), min_size=1, max_size=60),
    st.lists(st.floats(0.4, 1.0), min_size=1, max_size=60),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_the_threshold_keeps_to_the_rate_or_gains_a_tenth_by_not_doing_so(
    without: list[float], with_success: list[float], rate: float
) -> None:
    episode = judged([*without, *with_success], [0] * len(without) + [1] * len(with_success))
    threshold = recommended_threshold([episode], rate, TWO_OF_THREE)
    of = frame_scores(episode.probabilities, episode.truth, threshold)
    assert of.false_positive_rate is not None and of.recall is not None
    if of.false_positive_rate > rate:
        strictest = max([0.0, *(value for value in without)])
        assert sum(value > strictest for value in with_success) < 0.9 * len(with_success)


def test_the_threshold_is_two_thirds_up_the_gap() -> None:
    episode = judged([0.1, 0.2, 0.9, 0.8], [0, 0, 1, 1])
    assert recommended_threshold([episode], 0.01, TWO_OF_THREE) == pytest.approx(0.6)


def test_one_frame_in_a_hundred_with_a_wrong_label_does_not_move_the_threshold() -> None:
    right = judged([0.1] * 200 + [0.9] * 200, [0] * 200 + [1] * 200)
    wrong = judged([0.1, 0.9], [1, 0])
    assert recommended_threshold([right, wrong], 0.01, TWO_OF_THREE) == recommended_threshold(
        [right], 0.01, TWO_OF_THREE
    )


def test_the_threshold_is_above_what_would_have_ended_a_failure() -> None:
    """Two frames of 202 are within the rate, and end an episode."""
    shown = judged([0.1] * 200 + [0.9] * 200, [0] * 200 + [1] * 200)
    fooled = judged([0.7, 0.7], [0, 0])
    lone = judged([0.7, 0.1, 0.1, 0.7], [0, 0, 0, 0])
    assert recommended_threshold([shown, fooled], 0.01, TWO_OF_THREE) > 0.7
    assert recommended_threshold([shown, lone], 0.01, TWO_OF_THREE) == pytest.approx(
        0.1 + 2 / 3 * 0.8, abs=1e-3
    )


def test_labels_that_are_not_believed_choose_no_threshold() -> None:
    shown = judged([0.1] * 20 + [0.9] * 20, [0] * 20 + [1] * 20)
    unmarked = Judged(np.full(20, 0.9), np.zeros(20, bool), doubted=np.ones(20, bool))
    both = [shown, unmarked]
    assert recommended_threshold(both, 0.01, TWO_OF_THREE) == recommended_threshold(
        [shown], 0.01, TWO_OF_THREE
    )
    row = sweep_row(both, 0.5, TWO_OF_THREE)
    assert row.episodes.wrong_positive == 1 and row.frames.wrong_positive == 20, (
        "they are counted all the same"
    )


def test_no_threshold_is_among_what_differs_by_chance_only() -> None:
    """A failure that is taken for a success with all certainty there is: no threshold can mend that."""
    shown = judged([0.1] * 20 + [0.951] * 20, [0] * 20 + [1] * 20)
    fooled = judged([0.95] * 4, [0] * 4)
    assert recommended_threshold([shown, fooled], 0.01, TWO_OF_THREE) > 0.95
    assert recommended_threshold([shown, fooled], 0.01, TWO_OF_THREE, most=0.9) <= 0.9


def test_what_is_rather_seen_as_none_is_no_success() -> None:
    episode = judged([0.02] * 20 + [0.02, 0.4, 0.9, 0.9], [0] * 20 + [1] * 4)
    assert recommended_threshold([episode], 0.01, TWO_OF_THREE) == 0.5


def test_where_labels_are_wrong_it_does_not_give_up_the_successes_for_the_rate() -> None:
    """Five of a hundred frames without success look exactly like one: only wrong labels do that."""
    episode = judged([0.1] * 95 + [0.9] * 5 + [0.9] * 100, [0] * 100 + [1] * 100)
    threshold = recommended_threshold([episode], 0.01, TWO_OF_THREE)
    assert 0.1 < threshold <= 0.9


def test_reliability_compares_what_is_said_with_what_is() -> None:
    bins, error = reliability(np.array([0.05, 0.07, 0.95, 0.93]), np.array([False, False, True, False]))
    assert [(of.low, of.frames, of.successes) for of in bins] == [(0.0, 2, 0.0), (0.9, 2, 0.5)]
    assert error == pytest.approx((2 * 0.06 + 2 * 0.44) / 4)


def test_a_probability_of_one_is_in_the_last_bin() -> None:
    (last,), _ = reliability(np.array([1.0]), np.array([True]))
    assert (last.low, last.high, last.frames) == (0.9, 1.0, 1)


def test_the_sweep_has_the_thresholds_that_are_asked_for_in_order() -> None:
    rows = sweep([judged([0.2, 0.7], [0, 1])], TWO_OF_THREE, [0.437])
    thresholds = [row.threshold for row in rows]
    assert 0.437 in thresholds and 0.5 in thresholds and thresholds == sorted(thresholds)
    assert all(
        later.frames.right_positive <= sooner.frames.right_positive
        for sooner, later in itertools.pairwise(rows)
    )
