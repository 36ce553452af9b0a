"""Each rule of the health model, in figures; and what the robot worker does about it."""

import numpy as np
import pytest

from tests.robot.servo_cell import START, ServoCell
from tests.robot.ward import ELBOW, TICK_S, Ward, one
from workers.model.events import GateMode
from workers.robot.figures import GRIPPER
from workers.robot.health import Demand, chain_hint


def test_a_joint_that_pushes_and_does_not_move_is_stalled_after_360_ms() -> None:
    for load in (45.0, -45.0):
        ward = Ward()
        assert not ward.see(0.34, error_deg=3.4, load_pct=one(load))
        (stall,) = ward.see(0.04, error_deg=3.4, load_pct=one(load))
        assert stall.demand is Demand.STOP and "elbow_flex is stalled" in stall.what and "45 %" in stall.what
        assert ward.health.caps_pct.tolist() == [100, 100, 20, 100, 100, 50]
        ward.health.acknowledge()
        assert ward.health.caps_pct[ELBOW] == 100


def test_current_alone_tells_a_stall_too() -> None:
    assert Ward().see(0.5, error_deg=3.4, current_a=-1.4)


@pytest.mark.parametrize(
    ("error_deg", "load_pct"), [(2.0, 90.0), (3.4, 35.0)], ids=["sags under its load", "is merely slow"]
)
def test_no_stall_where_a_joint(error_deg: float, load_pct: float) -> None:
    found = Ward().see(2.0, error_deg=error_deg, load_pct=one(load_pct))
    assert not any(finding.demand is Demand.STOP for finding in found)


def test_a_joint_that_moves_on_is_not_stalled() -> None:
    ward = Ward()
    for _ in range(100):
        assert not any(f.demand is Demand.STOP for f in ward.see(TICK_S, error_deg=3.4, load_pct=one(75.0)))
        ward.joints[ELBOW] += 0.03


def test_where_the_lead_is_wide_60_steps_tell_a_stall() -> None:
    ward = Ward(np.full(6, 20.0))
    assert not ward.see(1.0, error_deg=4.9, load_pct=one(70.0))
    assert not ward.see(1.0, error_deg=5.4, load_pct=one(50.0))
    assert ward.see(0.5, error_deg=5.4, load_pct=one(70.0))


def test_a_gripper_that_holds_an_object_is_no_stall() -> None:
    found = Ward().see(3.0, error_deg=-18.0, joint=GRIPPER, load_pct=one(70.0, GRIPPER), current_a=2.5)
    assert not any(finding.demand is Demand.STOP for finding in found)


def test_heat_warns_then_halves_the_torque_then_parks_and_each_is_told_once() -> None:
    ward = Ward()
    steps = [
        (54.0, 0, 100.0),
        (55.0, 1, 100.0),
        (59.0, 0, 100.0),
        (60.0, 1, 50.0),
        (64.0, 0, 50.0),
        (65.0, 1, 50.0),
    ]
    for celsius, told, cap in steps:
        assert len(ward.see(0.2, temperature_c=one(celsius, rest=30.0))) == told, celsius
        assert ward.health.caps_pct[ELBOW] == cap, celsius
    assert [finding.demand for finding in ward.found] == [Demand.NOTHING, Demand.NOTHING, Demand.PARK]
    assert ward.health.too_hot
    (cool,) = ward.see(0.2, temperature_c=one(57.0, rest=30.0))
    assert "cooled down" in cool.what and not ward.health.too_hot
    assert ward.health.caps_pct[ELBOW] == 100.0


def test_a_sagging_supply_is_told_after_200_ms_and_again_only_after_it_recovered() -> None:
    ward = Ward()
    assert not ward.see(0.2, voltage_v=one(10.7, rest=11.8))
    (sag,) = ward.see(0.5, voltage_v=one(10.7, rest=11.8))
    assert "10.7 V" in sag.what and "elbow_flex" in sag.what and sag.demand is Demand.NOTHING
    assert not ward.see(0.5, voltage_v=one(10.9, rest=11.8))
    assert not ward.see(0.5, voltage_v=one(10.7, rest=11.8))
    ward.see(0.5)
    assert ward.see(0.5, voltage_v=one(10.7, rest=11.8))


@pytest.mark.parametrize(
    ("bit", "word", "demand"),
    [
        (0, "supply voltage at 12.0 V", Demand.STOP),
        (1, "encoder", Demand.STOP),
        (2, "overheating", Demand.PARK),
        (3, "current", Demand.STOP),
        (5, "overload", Demand.STOP),
        (4, "no name (bit 4", Demand.NOTHING),
        (6, "no name (bit 6", Demand.NOTHING),
    ],
)
def test_every_error_bit_is_told_with_its_joint(bit: int, word: str, demand: Demand) -> None:
    ward, bits = Ward(), np.zeros(6, np.uint8)
    bits[ELBOW] = 1 << bit
    (finding,) = ward.see(0.5, error_bits=bits)
    assert word in finding.what and "elbow_flex" in finding.what and finding.demand is demand
    ward.health.acknowledge()
    assert len(ward.see(0.5, error_bits=bits)) == 1, "still there: told again"


def test_what_servos_say_at_once_is_one_message_with_their_names() -> None:
    ward, bits, load = Ward(), np.zeros(6, np.uint8), np.zeros(6)
    bits[1:4], load[[0, 5]] = 1, (85.0, -88.0)
    volts = np.array([12.0, 9.1, 8.9, 9.0, 12.0, 12.0])
    found = ward.see(1.2, error_bits=bits, voltage_v=volts, load_pct=load)
    told = [finding.what for finding in found if "sags" not in finding.what]
    assert told == [
        "shoulder_lift, elbow_flex, wrist_flex report a wrong supply voltage at 8.9 V",
        "shoulder_pan, gripper work at 88 % of the torque",
    ]
    bits[4] = 1
    (later,) = ward.see(0.5, error_bits=bits, voltage_v=volts, load_pct=load)
    assert later.what.startswith("wrist_roll reports")


def bit(number: int) -> np.ndarray:
    bits = np.zeros(6, np.uint8)
    bits[ELBOW] = 1 << number
    return bits


@pytest.mark.parametrize(
    "damaged",
    [
        {"temperature_c": one(85.0, rest=30.0)},
        {"temperature_c": one(61.0, rest=30.0)},
        {"voltage_v": one(1.2, rest=12.0)},
        *({"error_bits": bit(number)} for number in (0, 1, 2, 3, 5)),
    ],
    ids=lambda damaged: f"{next(iter(damaged))} {next(iter(damaged.values()))[ELBOW]}",
)
def test_one_damaged_reading_neither_tells_nor_does_anything(damaged: dict[str, object]) -> None:
    ward = Ward()
    for _ in range(20):
        assert not ward.see(0.1) and not ward.see(TICK_S, **damaged)
        assert ward.health.caps_pct[ELBOW] == 100.0 and not ward.health.too_hot


def test_a_damaged_reading_that_is_repeated_for_want_of_replies_agrees_with_nothing() -> None:
    ward, misses = Ward(), np.zeros(6, np.int64)
    ward.see(0.1)
    ward.see(TICK_S, temperature_c=one(85.0, rest=30.0))
    misses[ELBOW] = 1
    assert not ward.see(2 * TICK_S, temperature_c=one(85.0, rest=30.0), misses=misses)
    assert not ward.see(0.1)


def test_two_readings_suffice() -> None:
    ward = Ward()
    ward.see(0.1)
    (hot,) = ward.see(2 * TICK_S, temperature_c=one(66.0, rest=30.0))[-1:]
    assert hot.demand is Demand.PARK
    assert ward.see(2 * TICK_S, error_bits=bit(3))[0].demand is Demand.STOP


def test_one_damaged_reading_ends_nothing_that_lasts() -> None:
    ward, ill = Ward(), {"temperature_c": one(66.0, rest=30.0), "error_bits": bit(5)}
    ward.see(0.1, **ill)
    assert not ward.see(TICK_S) and ward.health.too_hot
    assert not ward.see(0.1, **ill)
    sagging = {"voltage_v": one(10.5, rest=12.0)}
    assert not Ward().see(0.1, **sagging)
    ward = Ward()
    found = [*ward.see(0.1, **sagging), *ward.see(TICK_S), *ward.see(0.14, **sagging)]
    assert len(found) == 1, "the time of the sag goes on"


@pytest.mark.parametrize("damaged_at_s", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("what", ["load", "position"])
def test_one_damaged_reading_does_not_delay_a_stall(what: str, damaged_at_s: float) -> None:
    ward, heavy = Ward(), one(75.0)
    ward.see(damaged_at_s, error_deg=3.4, load_pct=heavy)
    ward.joints[ELBOW] += what == "position"
    ward.see(TICK_S, error_deg=3.4, load_pct=one(3.0) if what == "load" else heavy)
    ward.joints[ELBOW] -= what == "position"
    found = ward.see(0.42 - damaged_at_s - TICK_S, error_deg=3.4, load_pct=heavy)
    assert any(finding.demand is Demand.STOP for finding in found)


def test_a_heavy_load_is_told_before_the_servo_gives_up() -> None:
    ward = Ward()
    assert not ward.see(1.0, load_pct=one(85.0))
    (heavy,) = ward.see(0.1, load_pct=one(85.0))
    assert "85 %" in heavy.what and heavy.demand is Demand.NOTHING


def test_three_missed_replies_hold_the_arm_and_a_second_of_them_stops_it() -> None:
    ward, misses = Ward(), np.zeros(6, np.int64)
    misses[ELBOW:] = 2
    assert not ward.see(0.02, misses=misses) and not ward.health.silent
    misses[ELBOW:] = 3
    (silent,) = ward.see(0.02, misses=misses)
    assert silent.demand is Demand.NOTHING and "elbow_flex, wrist_flex" in ward.health.silent
    assert "after id 2 (shoulder_lift)" in silent.advice
    (stop,) = ward.see(1.2, misses=misses)
    assert stop.demand is Demand.STOP
    ward.see(0.02)
    assert not ward.health.silent


def test_replies_that_come_and_cannot_be_read_are_told_as_noise_and_not_as_a_dead_servo() -> None:
    ward, misses = Ward(), np.full(6, 3)
    (noisy,) = ward.see(0.02, misses=misses, garbled=np.array([3, 2, 2, 0, 0, 0]))
    assert "no readable reply" in noisy.what and "noise on the line" in noisy.advice
    assert "supply" not in noisy.advice and "scan-arm" in noisy.advice
    (stop,) = ward.see(1.2, misses=misses, garbled=misses)
    assert stop.demand is Demand.STOP and "noise on the line" in stop.advice
    (late,) = Ward().see(0.02, misses=misses, belated=np.ones(6, bool))
    assert "no reply in time" in late.what and "too late" in late.advice and "latency timer" in late.advice
    (dead,) = Ward().see(0.02, misses=misses, garbled=np.array([1, 0, 0, 0, 0, 0]))
    assert "no reply" in dead.what and "no servo answers: check the supply" in dead.advice


def test_where_the_chain_breaks() -> None:
    silent = np.ones(6, bool)
    assert "supply" in chain_hint(silent)
    silent[:] = [False, False, False, False, True, False]
    assert "id 5" in chain_hint(silent)
    silent[:] = [False, False, False, False, True, True]
    assert "after id 4 (wrist_flex)" in chain_hint(silent)


# what the robot worker does about it


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> ServoCell:
    cell = ServoCell(monkeypatch)
    cell.engage()
    return cell


def test_a_stalled_arm_stops_pushing_within_450_ms_and_starts_again_slowly(cell: ServoCell) -> None:
    cell.tick(0.1, aim=START)
    cell.arm.blocked[ELBOW] = True
    for _ in range(10):
        cell.tick(0.1, aim=np.add(START, one(40.0)))
    stopped = next(
        i
        for i, goal in enumerate(cell.arm.goals)
        if i > 10
        and abs(goal[ELBOW] - START[ELBOW]) < 1e-6
        and cell.arm.goals[i - 1][ELBOW] > START[ELBOW] + 2
    )
    began = next(i for i, goal in enumerate(cell.arm.goals) if goal[ELBOW] > START[ELBOW] + 3.3)
    assert (stopped - 1 - began) * TICK_S <= 0.45  # the tick that finds it writes twice
    assert cell.mode is GateMode.STOPPED and "elbow_flex is stalled" in cell.reason
    assert cell.arm.caps[ELBOW] == 20.0
    cell.arm.blocked[:] = False
    cell.tick(1.0, aim=START)
    assert cell.mode is GateMode.STOPPED
    cell.speak(acknowledged=1)
    cell.tick()
    assert cell.mode is GateMode.HOLD and cell.arm.caps[ELBOW] == 60.0


def test_too_hot_the_arm_parks_goes_limp_and_comes_back_only_cool(cell: ServoCell) -> None:
    cell.arm.temperature[1] = 66.0
    cell.tick(0.2, aim=START)
    assert cell.mode is GateMode.PARK and cell.arm.torque and cell.state["barred"]
    cell.tick(15.0, aim=START)
    assert cell.mode is GateMode.LIMP and not cell.arm.torque
    assert cell.arm.joints == pytest.approx(cell.body.rest_pose, abs=0.5)
    assert "too hot" in cell.reason
    cell.speak(acknowledged=1)
    cell.tick(0.1)
    assert cell.mode is GateMode.LIMP and "still too warm" in cell.said
    cell.arm.temperature[1] = 40.0
    cell.tick(0.1)
    cell.speak(acknowledged=1)
    cell.tick(0.1)
    assert cell.mode is GateMode.HOLD and cell.arm.torque
    cell.engage()


def test_heat_does_not_move_an_arm_that_was_stopped_for_what_is_in_its_way(cell: ServoCell) -> None:
    cell.tick(0.1, aim=START)
    cell.arm.blocked[ELBOW] = True
    cell.tick(1.0, aim=np.add(START, one(40.0)))
    assert cell.mode is GateMode.STOPPED and "stalled" in cell.reason
    cell.arm.temperature[1] = 66.0
    held = cell.arm.goal.copy()
    cell.tick(3.0)
    assert cell.mode is GateMode.STOPPED and "too hot" in cell.said
    assert cell.arm.goal == pytest.approx(held, abs=0.2)


def test_what_is_only_told_moves_no_goal(cell: ServoCell) -> None:
    there = np.add(START, one(40.0))
    cell.tick(0.2, aim=there)
    calm, before = [], len(cell.arm.goals)
    for warm in (40.0, 56.0):  # cool, then a servo that is told to be warm
        cell.arm.temperature[1] = warm
        cell.tick(0.1, aim=there)
        calm += [np.diff(np.array(cell.arm.goals[before:]), axis=0)[:, ELBOW].min()]
        assert cell.mode is GateMode.ENGAGED
    assert "warm" in cell.said and min(calm) > 0.0, "it goes on the way it went"


def test_silent_servos_hold_the_others_and_the_arm_goes_on_with_the_next_episode(cell: ServoCell) -> None:
    cell.tick(0.2, aim=START)
    cell.arm.misses[4:] = 3
    cell.tick(0.1, aim=np.add(START, 20.0))
    held = cell.arm.goal.copy()
    assert cell.mode is GateMode.HOLD and "wrist_roll, gripper" in cell.reason and cell.state["barred"]
    cell.tick(0.5, aim=np.add(START, 20.0))
    assert cell.arm.goal == pytest.approx(held)
    cell.arm.misses[:] = 0
    cell.tick(0.2)
    assert cell.state["barred"], "long enough for the actor to see it"
    cell.tick(0.5)
    assert not cell.state["barred"]
    cell.engage()


def test_a_servo_that_gave_up_gets_its_torque_back_when_acknowledged(cell: ServoCell) -> None:
    cell.arm.bits[ELBOW] = 1 << 5
    cell.tick(0.1)
    assert (
        cell.mode is GateMode.STOPPED and "overload" in cell.reason and "switch the supply off" in cell.said
    )
    cell.arm.bits[:] = 0
    cell.arm.log.clear()
    cell.speak(acknowledged=1)
    cell.tick(0.1)
    assert cell.arm.log == ["torque on"] and cell.mode is GateMode.HOLD
