"""The servo's own way to write a current."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.robot.drivers.sts3215 import AMPERE_PER_COUNT, current_of_register, register_of_current


@pytest.mark.parametrize(
    ("counts", "ampere"),
    [(0, 0.0), (1, 0.0065), (0x8001, -0.0065), (415, 2.6975), (0x8000 | 415, -2.6975), (0x8000, 0.0)],
)
def test_bit_15_is_the_sign_and_a_count_is_six_and_a_half_milliampere(counts: int, ampere: float) -> None:
    assert current_of_register(np.array([counts], np.uint16))[0] == pytest.approx(ampere, abs=1e-12)


@given(st.integers(0, 0xFFFF))
def test_every_register_value_comes_back_from_its_current(counts: int) -> None:
    raw = np.array([counts], np.uint16)
    assert register_of_current(current_of_register(raw)) == raw


@given(st.floats(-100.0, 100.0))
def test_a_current_is_told_to_half_a_count(ampere: float) -> None:
    told = current_of_register(register_of_current(np.array([ampere])))[0]
    assert abs(told - ampere) <= AMPERE_PER_COUNT / 2 + 1e-12


def test_a_current_beyond_the_register_ends_at_its_largest_value() -> None:
    assert register_of_current(np.array([1e9, -1e9])).tolist() == [0x7FFF, 0xFFFF]
