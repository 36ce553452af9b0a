"""Servos that warm up are told before they are warm, and the arm can rest until they are cooler."""

import pytest

from tests.robot.servo_cell import START, ServoCell
from tests.robot.ward import TICK_S, Ward, one
from workers.model.events import GateMode
from workers.robot.health import Demand, Finding


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> ServoCell:
    cell = ServoCell(monkeypatch)
    cell.engage()
    return cell


def rising(ward: Ward, start_c: float, per_min: float, minutes: float) -> list[Finding]:
    """The findings of an elbow that warms up, told in whole degrees as its sensor does."""
    found, begun_s = list[Finding](), ward.now_s
    while ward.now_s < begun_s + 60.0 * minutes:
        ward.now_s += 1.0
        celsius = float(int(start_c + per_min * (ward.now_s - begun_s) / 60.0))
        found += ward.see(TICK_S, temperature_c=one(celsius, rest=30.0))
    return found


def test_a_servo_that_will_soon_be_warm_is_told_before_it_is() -> None:
    ward = Ward()
    (soon,) = rising(ward, 47.0, 2.0, 3.0)
    assert soon.demand is Demand.NOTHING and soon.what.startswith("elbow_flex is at 5")
    assert "°C a minute" in soon.what and "then episodes wait for it" in soon.advice
    (warm,) = rising(ward, 53.0, 2.0, 2.0)
    assert "warm" in warm.what
    assert (
        ward.health.warmth.startswith("elbow_flex 5") and "°C, rising 1.6 °C a minute" in ward.health.warmth
    )


@pytest.mark.parametrize(("start_c", "per_min"), [(51.5, 0.3), (30.0, 2.0), (54.9, -1.0)])
def test_no_trend_is_told_of_one_that_is_steady_or_cool_or_cools(start_c: float, per_min: float) -> None:
    assert not rising(Ward(), start_c, per_min, 3.0)


def test_warm_servos_are_named_until_they_are_cooler_by_two_degrees() -> None:
    ward = Ward()
    ward.see(0.1, temperature_c=one(54.0, rest=30.0))
    assert ward.health.warmth == ""
    ward.see(0.1, temperature_c=one(57.0, rest=30.0))
    assert ward.health.warmth == "elbow_flex 57 °C"
    ward.see(0.1, temperature_c=one(54.0, rest=30.0))
    assert ward.health.warmth == "elbow_flex 54 °C"
    ward.see(0.1, temperature_c=one(52.0, rest=30.0))
    assert ward.health.warmth == ""


def test_warm_the_arm_goes_to_its_rest_pose_when_the_actor_asks_and_back_for_the_next_episode(
    cell: ServoCell,
) -> None:
    cell.engage()
    assert cell.state["warm"] == b""
    cell.arm.temperature[1] = 56.0
    assert cell.tick(0.2)["warm"].decode() == "shoulder_lift 56 °C"
    cell.target["to_rest"] = True
    cell.engage()
    assert cell.arm.joints == pytest.approx(cell.body.rest_pose, abs=0.5) and cell.arm.torque
    cell.target["at_ns"], cell.asks_on = 0, False
    cell.board.target.write(cell.target)
    cell.tick(0.4)
    assert cell.mode is GateMode.HOLD and not cell.state["barred"]
    cell.asks_on, cell.target["to_rest"] = True, False
    cell.engage()
    assert cell.arm.joints == pytest.approx(START, abs=0.5)
