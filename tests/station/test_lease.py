"""When the station looks at the holder's lease."""

import pytest

from workers.station.lease import LEASE_LIMIT_S, WATCH_PERIOD_S, look_again_s


@pytest.mark.parametrize("age_s", [0.0, 0.1, 0.39, 0.42, 0.4999, LEASE_LIMIT_S])
def test_a_lease_that_is_not_renewed_is_found_lost_within_a_hundredth_of_a_second(age_s: float) -> None:
    """A fixed period would add up to a tenth to the time for which nobody holds the arm."""
    while age_s <= LEASE_LIMIT_S:
        age_s += look_again_s(age_s)
    assert age_s - LEASE_LIMIT_S < 0.01


@pytest.mark.parametrize("age_s", [None, 0.0, 0.51, 30.0])
def test_leases_are_looked_at_ten_times_a_second_and_no_more(age_s: float | None) -> None:
    assert look_again_s(age_s) == WATCH_PERIOD_S
