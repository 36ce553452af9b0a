"""A bus on which most readings take too long is refused; one that is late now and then is only told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.robot.bus.fake_port import FakePort, FakeServos
from workers.robot.bus import Bus
from workers.robot.drivers import ArmRefused
from workers.robot.drivers.pace import CYCLES, PATIENCE_S, judge_pace, pace_of


def bus_of(delay_s: Callable[[int], float], ids: tuple[int, ...] = (1, 2, 3, 4, 5, 6)) -> Bus:
    """Servos that answer request n (from 1 on) after `delay_s(n)`."""
    servos = FakeServos(ids)
    servos.delay_s = lambda _: delay_s(servos.moment)
    return Bus(FakePort(servos), 0.008, 0.006)


def test_a_quick_bus_is_not_talked_about() -> None:
    bus = bus_of(lambda _: 0.002)
    assert judge_pace(bus, "arm") == ""
    assert bus.counters.requests == CYCLES and bus.counters.missed == 0


@pytest.mark.parametrize("delay_ms", [11.0, 16.0, 30.0])
def test_a_slow_adapter_is_refused_with_its_figure(delay_ms: float, tmp_path: Path) -> None:
    with pytest.raises(
        ArmRefused, match=rf"too slow.*{delay_ms:.1f} ms \(median.*less than 10 ms.*no latency timer"
    ):
        judge_pace(bus_of(lambda _: delay_ms / 1e3), "arm", tmp_path)


@pytest.mark.parametrize("delay_ms", [11.0, 16.0, 30.0])
def test_in_mid_session_a_slow_bus_is_told_and_waited_for(delay_ms: float, tmp_path: Path) -> None:
    bus = bus_of(lambda _: delay_ms / 1e3)
    words = judge_pace(bus, "arm", tmp_path, again=True)
    assert (
        "has become slow" in words and f"{delay_ms:.1f} ms (median" in words and "no latency timer" in words
    )
    assert len(bus.sync_read(range(1, 7), 56, 15)) == 6, "its replies are waited for"


def test_where_it_has_a_timer_the_command_is_told(tmp_path: Path) -> None:
    bus = bus_of(lambda _: 0.016)
    bus.port.name = "/dev/ttyUSB3"  # type: ignore[misc]
    timer = tmp_path / "bus/usb-serial/devices/ttyUSB3/latency_timer"
    timer.parent.mkdir(parents=True)
    timer.write_text("16\n")
    command = "echo 1 | sudo tee /sys/bus/usb-serial/devices/ttyUSB3/latency_timer"
    with pytest.raises(ArmRefused) as refused:
        judge_pace(bus, "arm", tmp_path)
    assert command in str(refused.value)


def test_a_busy_computer_is_told_and_not_refused() -> None:
    words = judge_pace(bus_of(lambda number: 0.025 if number % 8 == 0 else 0.002), "arm")
    assert "2.0 ms (median" in words and "25.0 ms" in words


def test_a_computer_that_was_busy_for_a_moment_is_asked_again() -> None:
    assert judge_pace(bus_of(lambda number: 0.02 if number <= CYCLES else 0.002), "arm") == ""


def test_replies_that_are_lost_do_not_make_a_bus_slow() -> None:
    bus = bus_of(lambda number: 0.5 if number % 3 == 0 else 0.002)
    assert pace_of(bus).median_ms == pytest.approx(2.0, abs=0.1)


def test_who_is_missing_is_not_waited_for_long() -> None:
    bus = bus_of(lambda _: 0.002, ids=(1, 2, 3))
    begun_s = bus.port.now_s()
    assert judge_pace(bus, "arm") == ""
    assert bus.port.now_s() - begun_s < 8 * PATIENCE_S
