"""A loop keeps absolute deadlines, and says so when it could not."""

import pytest

from workers.runtime.pacer import Pacer


class FakeTime:
    def __init__(self) -> None:
        self.now = 100.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time_() -> FakeTime:
    return FakeTime()


def test_work_inside_the_period_does_not_shift_the_deadlines(time_: FakeTime) -> None:
    pacer = Pacer("actor", 0.1, None, time_.clock, time_.sleep)
    for busy in (0.03, 0.0, 0.09, 0.05):
        time_.now += busy
        pacer.wait()
    assert time_.now == pytest.approx(100.4)
    assert pacer.overruns == 0


def test_missed_deadlines_are_counted_and_skipped_not_caught_up(time_: FakeTime) -> None:
    pacer = Pacer("actor", 0.1, None, time_.clock, time_.sleep)
    time_.now += 0.35  # three deadlines gone
    pacer.wait()
    assert pacer.overruns == 2
    assert pacer.deadline_s == pytest.approx(100.4)
    pacer.wait()
    assert time_.now == pytest.approx(100.4)


def test_a_restart_is_no_overrun(time_: FakeTime) -> None:
    pacer = Pacer("actor", 0.1, None, time_.clock, time_.sleep)
    pacer.wait()
    time_.now += 5.0
    pacer.restart()
    pacer.wait()
    pacer.wait()
    assert pacer.overruns == 0
    assert pacer.rate().period_p99_ms == pytest.approx(100.0)


def test_rates_are_measured_not_configured(time_: FakeTime) -> None:
    pacer = Pacer("actor", 0.1, None, time_.clock, time_.sleep)
    for _ in range(20):
        time_.now += 0.11
        pacer.wait()
    rate = pacer.rate({"policy": 3.0})
    assert rate.hz < 9.5
    assert rate.overruns > 0
    assert rate.stages_ms == {"policy": 3.0}


def test_loops_with_phases_keep_their_order_whenever_they_start(time_: FakeTime) -> None:
    time_.now = 100.137
    arm = Pacer("robot", 0.02, 0.0, time_.clock, time_.sleep)
    actor = Pacer("actor", 0.1, 0.008, time_.clock, time_.sleep)
    arm.wait()
    assert time_.now / 0.02 == pytest.approx(round(time_.now / 0.02))
    actor.restart()
    assert (time_.now - 0.008) / 0.1 == pytest.approx(round((time_.now - 0.008) / 0.1))
    started = time_.now
    actor.wait()
    assert time_.now - started == pytest.approx(0.1)
