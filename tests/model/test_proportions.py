"""Intervals of success rates, against figures that others have published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.model.proportions import paired_difference_interval
from workers.model.select import wilson_interval

counts = st.integers(0, 60)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998) 857-872,
    # table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_nothing_tried_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert paired_difference_interval(0, 0, 0, 0) == (-1.0, 1.0)


def test_pairs_give_the_published_interval() -> None:
    # Fagerland, Lydersen, Laake, "Recommended tests and confidence intervals for paired binomial proportions",
    # Statistics in Medicine 33 (2014) 2850-2875: airway hyper-responsiveness, "Newcombe square-and-add".
    assert paired_difference_interval(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=5e-4)


@given(counts, counts, counts, counts)
def test_the_difference_lies_in_its_interval_and_turns_with_the_sides(
    both: int, first: int, second: int, neither: int
) -> None:
    low, high = paired_difference_interval(both, first, second, neither)
    difference = (first - second) / max(1, both + first + second + neither)
    assert -1.0 <= low <= difference + 1e-12 and difference - 1e-12 <= high <= 1.0
    turned = paired_difference_interval(both, second, first, neither)
    assert turned == pytest.approx((-high, -low))


@given(st.integers(1, 20), st.integers(0, 20))
def test_more_pairs_of_the_same_kind_tell_more(first: int, neither: int) -> None:
    low, high = paired_difference_interval(0, first, 0, neither)
    more_low, more_high = paired_difference_interval(0, 4 * first, 0, 4 * neither)
    assert more_high - more_low < high - low
