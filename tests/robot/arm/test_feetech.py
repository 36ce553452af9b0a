"""The driver of a real arm on an emulated one: readings, goals, torque, and what it does when replies are missing."""

import itertools
import sys
import threading
import time

import numpy as np
import pytest

from tests.robot.arm.arms import LEADER, Judge, arm_on_bus, hold, let_go, open_arm
from workers.robot.bus import BAUDS, Bus, Reply, SerialPort
from workers.robot.bus.debts import TAGS
from workers.robot.bus.packet import checksum
from workers.robot.drivers import ArmGone, ArmReading, ArmRefused, ServoHealth
from workers.robot.drivers.feetech import FeetechArm
from workers.robot.drivers.sts3215 import TORQUE_ENABLE

POSE = (10.0, -40.0, 50.0, 20.0, -30.0, 35.0)
ELSEWHERE = (40.0, 40.0, 40.0, 40.0, 40.0, 60.0)


def health_of(reading: ArmReading) -> ServoHealth:
    assert reading.health is not None
    return reading.health


def forged(length: int) -> bytes:
    """A sound reply of servo 1 that says it is at 4000."""
    data = (4000).to_bytes(2, "little") + bytes(length - 2)
    body = bytes((1, length + 2, 0)) + data
    return b"\xff\xff" + body + bytes((checksum(body),))


def read_often(arm: FeetechArm) -> None:
    """The plug is pulled in the first exchange, or right after it."""
    for _ in range(20):
        arm.read()
        time.sleep(0.005)


def test_a_reading_is_where_the_arm_is_and_how_its_servos_are() -> None:
    with arm_on_bus(pose_deg=POSE, volts=12.0) as (arm, emulated):
        emulated.ask("heat", joint="elbow_flex", celsius=48.0)
        emulated.ask("errors", joint="wrist_flex", bits=0x20)
        time.sleep(0.3)
        reading = arm.read()
        np.testing.assert_allclose(reading.joints_deg, emulated.state()["deg"], atol=0.2)
        health = health_of(reading)
        assert health.temperature_c[2] == 48.0
        assert health.error_bits == (0, 0, 0, 0x20, 0, 0)
        np.testing.assert_allclose(health.voltage_v, 12.0, atol=0.3)
        assert not any(health.misses)


def test_torque_goes_on_where_the_joints_are_and_goals_are_followed() -> None:
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        arm.set_torque(True)
        state = emulated.state()
        assert state["torque"] == [1] * 6
        assert np.abs(np.array(state["goal"]) - state["counts"]).max() <= 2
        let_go(emulated)
        goal = np.array([12.0, -30.0, 40.0, 17.0, -11.0, 70.0])
        arm.write(goal)
        deadline_s = time.monotonic() + 10.0
        while np.abs(arm.read().joints_deg - goal).max() > 4.0:
            assert time.monotonic() < deadline_s, arm.read().joints_deg
            time.sleep(0.05)
        arm.set_torque(False)
        assert emulated.state()["torque"] == [0] * 6


def test_caps_are_in_the_servos_ram_and_come_again_with_the_torque() -> None:
    with arm_on_bus() as (arm, emulated):
        arm.cap_torque(np.array([60.0, 50.0, 40.0, 30.0, 20.0, 10.0]))
        assert emulated.state()["torque_limit"] == [600, 500, 400, 300, 200, 100]
        emulated.ask("reboot", joint="elbow_flex")
        assert emulated.state()["torque_limit"][2] == 1000
        arm.set_torque(True)
        assert emulated.state()["torque_limit"] == [600, 500, 400, 300, 200, 100]


def test_torque_and_goals_come_through_faults() -> None:
    with arm_on_bus() as (arm, emulated):
        for seed in range(5):
            emulated.rates(
                drop=0.05, corrupt=0.05, truncate=0.05, late=0.05, late_ms=30.0, lost=0.05, seed=seed
            )
            arm.set_torque(True)
            emulated.clear()
            assert emulated.state()["torque"] == [1] * 6
            emulated.rates(
                drop=0.05, corrupt=0.05, truncate=0.05, late=0.05, late_ms=30.0, lost=0.05, seed=seed
            )
            arm.set_torque(False)
            emulated.clear()
            assert emulated.state()["torque"] == [0] * 6


def test_a_silent_servo_keeps_its_last_good_figures_and_counts_and_the_others_go_on() -> None:
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        before = arm.read()
        emulated.script("silent", ids=[3], count=0)
        for missed in range(1, 60):
            reading = arm.read()
            misses = health_of(reading).misses
            assert misses[2] == missed and max((*misses[:2], *misses[3:])) < 3
            assert reading.joints_deg[2] == before.joints_deg[2]
        emulated.clear()
        deadline_s = time.monotonic() + 10.0
        while any(health_of(arm.read()).misses):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)


@pytest.mark.parametrize("late_ms", [5, 12, 40, 200, 500])
@pytest.mark.parametrize("position", [0, 2, 5])
def test_late_replies_at_each_place_are_never_accepted(position: int, late_ms: int) -> None:
    with arm_on_bus() as (arm, emulated):
        judge = Judge(emulated)
        arm.set_torque(True)  # then every fifth reading is a longer one
        hold(emulated, ELSEWHERE, 2.0)
        for cycle in range(40):
            if cycle % 6 == 1:
                emulated.script("late", position=position, ms=late_ms)
            judge.read(arm)
            time.sleep(0.01)
        judge.judge()
        assert judge.wrong == []
        assert judge.accepted > 150


def test_a_reply_that_cannot_be_true_is_a_miss() -> None:
    """The sum of a packet has eight bits: one fault in 256 passes it."""
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        before = arm.read()
        forgeries = b"".join(forged(length) for length in range(15, 15 + TAGS))  # whichever is asked for
        emulated.script("foreign", ids=[1], data=forgeries.hex(), count=9)
        worst = 0
        for _ in range(9):
            reading = arm.read()
            worst = max(worst, int(health_of(reading).misses[0]))
            assert abs(reading.joints_deg[0] - before.joints_deg[0]) < 3.0
        assert worst >= 1


def test_a_position_that_cannot_be_true_does_not_become_a_goal() -> None:
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        forgeries = b"".join(forged(length) for length in (3, 4, 5))
        emulated.script("foreign", ids=[1], data=forgeries.hex(), skip=1)  # past the look at the torque
        arm.set_torque(True)
        state = emulated.state()
        assert state["torque"] == [1] * 6
        assert np.abs(np.array(state["goal"]) - state["counts"]).max() <= 2


def test_random_faults_lose_readings_and_never_falsify_one() -> None:
    with arm_on_bus() as (arm, emulated):
        judge = Judge(emulated)
        arm.set_torque(True)  # then every fifth reading is a longer one
        hold(emulated, ELSEWHERE, 8.0)
        emulated.rates(drop=0.02, corrupt=0.02, late=0.02, truncate=0.02, late_ms=45.0, lost=0.01, seed=7)
        for _ in range(300):
            judge.read(arm)
            time.sleep(0.005)
        judge.judge()
        assert judge.wrong == []
        assert judge.missed > 50
        assert judge.accepted > 1000


def test_a_thread_that_keeps_the_interpreter_makes_readings_late_and_never_old() -> None:
    with arm_on_bus() as (arm, emulated):
        judge = Judge(emulated)
        hold(emulated, ELSEWHERE, 5.0)
        going = True

        def keep() -> None:
            while going:
                sum(range(200_000))

        before = sys.getswitchinterval()
        sys.setswitchinterval(0.1)
        thread = threading.Thread(target=keep)
        thread.start()
        try:
            for _ in range(15):
                judge.read(arm)
        finally:
            going = False
            thread.join()
            sys.setswitchinterval(before)
        for _ in range(20):
            judge.read(arm)
        judge.judge()
        assert judge.wrong == []
        assert judge.accepted > 150


@pytest.mark.parametrize("when", ["request", "reply", "answered"])
def test_a_port_that_is_pulled_is_gone_and_comes_back(when: str) -> None:
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        before = arm.read()
        emulated.script("unplug", when=when, byte=4)
        with pytest.raises(ArmGone, match="still powered"):
            read_often(arm)
        for act in (arm.read, arm.reopen, lambda: arm.write(before.joints_deg), lambda: arm.set_torque(True)):
            with pytest.raises(ArmGone):
                act()
        emulated.clear()
        emulated.replug()
        arm.reopen()
        np.testing.assert_allclose(arm.read().joints_deg, before.joints_deg, atol=1.0)


def test_a_bus_that_has_become_slow_is_refused_at_first_and_only_told_when_the_arm_is_taken_again() -> None:
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        assert arm.slow == ""
        emulated.script("late", ms=14.0, count=0)
        arm.reopen()
        assert "has become slow" in arm.slow and "no latency timer" in arm.slow
        reading = arm.read()
        assert not any(health_of(reading).misses)
        np.testing.assert_allclose(reading.joints_deg, POSE, atol=1.5)
        arm.close()
        with pytest.raises(ArmRefused, match="too slow"):
            open_arm(emulated)
        again = open_arm(emulated, again=True)
        assert "has become slow" in again.slow
        again.close()


def test_a_servo_that_lost_its_supply_for_a_moment_is_seen() -> None:
    with arm_on_bus() as (arm, emulated):
        arm.set_torque(True)
        emulated.ask("reboot", joint="shoulder_lift")
        deadline_s = time.monotonic() + 10.0
        while not any(unpowered := health_of(arm.read()).unpowered):
            assert time.monotonic() < deadline_s
        assert unpowered == (False, True, False, False, False, False)
        arm.set_torque(True)
        assert not any(health_of(arm.read()).unpowered)
        assert emulated.state()["torque"] == [1] * 6


def test_a_servo_that_does_not_say_whether_it_is_limp_is_taken_for_what_it_was() -> None:
    ram = {"register": 40, "instruction": 0x82, "count": 0}
    with arm_on_bus() as (arm, emulated):
        arm.set_torque(True)
        emulated.script("drop", **ram)
        for _ in range(40):
            assert not any(health_of(arm.read()).unpowered), "silence is no word"
        emulated.clear()
        emulated.ask("reboot", joint="shoulder_lift")
        deadline_s = time.monotonic() + 10.0
        while not health_of(arm.read()).unpowered[1]:
            assert time.monotonic() < deadline_s
        emulated.script("drop", **ram)
        for _ in range(40):
            assert health_of(arm.read()).unpowered[1], "nor is it a sign of life"


def test_servos_that_lost_their_supply_together_are_seen_together() -> None:
    with arm_on_bus() as (arm, emulated):
        arm.set_torque(True)
        for joint in ("shoulder_lift", "wrist_flex", "gripper"):
            emulated.ask("reboot", joint=joint)
        deadline_s = time.monotonic() + 10.0
        while not any(unpowered := health_of(arm.read()).unpowered):
            assert time.monotonic() < deadline_s
        assert unpowered == (False, True, False, True, False, True)


def test_one_damaged_look_at_a_servos_torque_makes_it_no_limp_one() -> None:
    """Its torque byte and its sum, one bit each: such a packet passes."""
    with arm_on_bus() as (arm, _):
        arm.set_torque(True)
        arm.read()
        look, lies = Bus.sync_read, 0

        def damaged(bus: Bus, ids: tuple[int, ...], address: int, length: int) -> dict[int, Reply]:
            nonlocal lies
            replies = look(bus, ids, address, length)
            lies += address == TORQUE_ENABLE.address
            if address != TORQUE_ENABLE.address or not lies % 2:
                return replies
            return {each: Reply(reply.error_bits, b"\0" + reply.data[1:]) for each, reply in replies.items()}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Bus, "sync_read", damaged)
            for _ in range(30):
                assert not any(health_of(arm.read()).unpowered)
        assert lies > 2


@pytest.mark.parametrize("bit", [0, 1, 2, 3, 5])
def test_an_error_bit_is_seen_at_rest_and_in_motion_and_never_keeps_a_servo_from_being_stopped(
    bit: int,
) -> None:
    """LeRobot's driver gives up at the first servo that reports an overload: those before it limp, the rest stiff."""
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        let_go(emulated)
        arm.set_torque(True)
        emulated.ask("errors", joint="shoulder_lift", bits=1 << bit)
        at_rest = arm.read()
        for number in range(10):
            arm.write(at_rest.joints_deg + 0.5 * number * np.eye(6)[0])
            time.sleep(0.02)
            assert health_of(arm.read()).error_bits == (0, 1 << bit, 0, 0, 0, 0)
        assert health_of(at_rest).error_bits == (0, 1 << bit, 0, 0, 0, 0)
        arm.cap_torque(np.full(6, 20.0))
        assert emulated.state()["torque_limit"] == [200] * 6
        arm.set_torque(False)
        assert emulated.state()["torque"] == [0] * 6


def patient_bus(port: str) -> Bus:
    return Bus(SerialPort(port, BAUDS[0]), reply_s=3.0)


def test_a_wall_clock_that_jumps_makes_no_reply_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour to and fro, as by NTP, between any two looks at it. The SDK takes that for a time-out.

    The bus waits for seconds, so that no reply is late because the machine is busy.
    """
    jumps = itertools.cycle((0.0, 3600.0, -3600.0))
    real_s = time.time
    with arm_on_bus(pose_deg=POSE, opened=patient_bus) as (arm, _):
        monkeypatch.setattr(time, "time", lambda: real_s() + next(jumps))
        for _ in range(50):
            assert not any(health_of(arm.read()).misses)
        arm.reopen()
        arm.set_torque(True)


def test_an_adapter_that_echoes_is_heard_through() -> None:
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        emulated.script("echo", count=0)
        for _ in range(20):
            assert not any(health_of(arm.read()).misses)
        arm.set_torque(True)
        assert emulated.state()["torque"] == [1] * 6


def test_a_leader_is_read_and_pulled() -> None:
    with arm_on_bus(LEADER, pose_deg=POSE) as (arm, emulated):
        np.testing.assert_allclose(arm.read().joints_deg, emulated.state()["deg"], atol=0.2)
        arm.cap_torque(np.full(6, 20.0))
        arm.set_torque(True)
        assert emulated.state()["torque_limit"] == [200] * 6


def test_closing_leaves_torque_and_goals() -> None:
    with arm_on_bus(pose_deg=POSE) as (arm, emulated):
        arm.set_torque(True)
        goals = emulated.state()["goal"]
        arm.close()
        state = emulated.state()
        assert (state["torque"], state["goal"]) == ([1] * 6, goals)
        with pytest.raises(ArmGone, match="not open"):
            arm.read()


def test_an_arm_that_says_nothing_is_no_error_of_another_family() -> None:
    with arm_on_bus() as (arm, emulated):
        arm.set_torque(True)
        for call in (lambda: arm.write(np.full(6, np.nan)), lambda: arm.write(np.full(6, np.inf))):
            before = len(emulated.writes())
            call()
            assert len(emulated.writes()) == before
        emulated.script("silent", count=0)
        for _ in range(5):
            arm.read()
        arm.set_torque(True)
        arm.cap_torque(np.full(6, 40.0))
        arm.set_torque(False)
        emulated.clear()
        assert not any(emulated.state()["torque"]), "what nobody answered was heard all the same"
