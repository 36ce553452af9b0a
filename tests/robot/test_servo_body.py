"""The robot worker with an arm of real servos: how it begins, moves, loses its arm, and ends."""

import numpy as np
import pytest

from tests.robot.servo_cell import START, ServoCell
from workers.model.events import GateMode, PhaseChanged
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import SimArm
from workers.robot.figures import GRIPPER
from workers.robot.health import STALL_TORQUE_PCT
from workers.robot.worker import RobotLoop, main
from workers.runtime.harness import WorkerFailure

AWAY = np.add(START, [40.0, 10.0, -20.0, 10.0, 30.0, 20.0])


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> ServoCell:
    return ServoCell(monkeypatch)


def test_the_torque_goes_on_where_the_arm_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for energised in (False, True):
        cell = ServoCell(monkeypatch, AWAY, energised=energised)
        cell.tick(1.0)
        assert cell.arm.torque
        assert np.abs(np.array(cell.arm.goals) - AWAY).max() < 0.2
        assert "torque off" not in cell.arm.log


def test_nothing_moves_before_a_person_confirms_and_then_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ServoCell(monkeypatch, AWAY, confirmed=False)
    cell.ask_reset()
    state = cell.tick(1.0)
    assert state["barred"] and state["unconfirmed"] and "ctrl+e" in cell.reason
    assert np.abs(cell.arm.joints - AWAY).max() < 1e-6
    cell.speak(confirmed=1)
    cell.tick()
    assert not cell.state["barred"]
    cell.ask_reset()
    speeds = []
    for _ in range(20):
        before = cell.arm.joints.copy()
        cell.tick()
        speeds.append(np.abs(cell.arm.joints - before)[:GRIPPER].max() / 0.02)
    quarter = 0.25 * cell.limits.speed_deg_s[0]
    assert 0.8 * quarter < max(speeds) < 1.5 * quarter


def test_a_reset_is_a_slow_way_to_the_start_pose_and_the_arm_then_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = ServoCell(monkeypatch, AWAY)
    cell.ask_reset()
    cell.tick()
    assert cell.state["reset_done"] == 0 and cell.state["resetting"] == 1
    before, fastest = cell.arm.joints.copy(), 0.0
    while cell.state["reset_done"] == 0:
        cell.tick()
        fastest = max(fastest, np.abs(cell.arm.joints - before)[:GRIPPER].max() / 0.02)
        before = cell.arm.joints.copy()
    assert fastest <= cell.config.env.arm.safety.reset_speed_deg_s + 0.1
    assert np.abs(cell.arm.joints - START).max() < 0.1
    cell.tick(0.4, aim=np.add(START, [3.0, 0, 0, 0, 0, 0]))
    assert cell.mode is GateMode.ENGAGED and cell.arm.joints[0] > START[0] + 2.0


def test_on_its_way_all_joints_arrive_together(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ServoCell(monkeypatch, AWAY)
    cell.ask_reset()
    cell.tick()
    while cell.state["reset_done"] == 0:
        cell.tick()
        left = (START - cell.arm.joints)[:GRIPPER] / (START - AWAY)[:GRIPPER]
        assert np.ptp(left) < 0.02


def test_an_arm_on_its_way_holds_when_the_actor_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ServoCell(monkeypatch, AWAY)
    cell.ask_reset()
    cell.tick(0.6)
    cell.asks_on = False
    cell.tick(0.2 + 0.04)
    assert cell.mode is GateMode.HOLD and "no longer asks" in cell.reason
    there = cell.arm.joints.copy()
    cell.tick(1.0)
    assert np.abs(cell.arm.joints - there).max() < 0.1 and cell.state["reset_done"] == 0
    cell.asks_on = True
    cell.engage()


def test_looking_for_limits_the_reset_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ServoCell(monkeypatch, AWAY, mode="find-limits")
    cell.ask_reset()
    assert cell.tick(0.2)["reset_done"] == 1
    assert np.abs(cell.arm.joints - AWAY).max() < 1e-6


def test_a_worker_that_follows_another_waits_for_an_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ServoCell(monkeypatch, AWAY, predecessor="the robot worker was started again", energised=True)
    cell.ask_reset()
    cell.tick(0.5)
    assert cell.mode is GateMode.STOPPED and "started again" in cell.reason
    assert np.abs(cell.arm.joints - AWAY).max() < 1e-6
    cell.speak(acknowledged=1)
    cell.tick()
    assert cell.mode is GateMode.HOLD
    cell.engage()


def test_goals_that_are_no_numbers_stop_the_arm_in_three_ticks(cell: ServoCell) -> None:
    cell.engage()
    for value in (np.nan, np.inf):
        cell.tick(0.2, aim=START)
        cell.tick(0.08, aim=np.full(6, value))
        assert cell.mode is GateMode.STOPPED and "no number" in cell.reason
        assert np.isfinite(np.array(cell.arm.goals)).all()
        cell.speak(acknowledged=1)
        cell.engage()


def test_a_computer_that_slept_holds_the_arm(cell: ServoCell) -> None:
    cell.engage()
    cell.tick(0.2, aim=START)
    cell.clock.asleep_s += 312.0
    cell.tick(aim=np.add(START, 5.0))
    assert cell.mode is GateMode.STOPPED and "slept for 312 s" in cell.reason


def test_by_hand_the_arm_is_limp_and_comes_back_where_it_was_put(cell: ServoCell) -> None:
    cell.tick()
    cell.speak(let_go=1)
    cell.tick()
    assert cell.mode is GateMode.LIMP and not cell.arm.torque and cell.state["barred"]
    cell.arm.joints = AWAY.copy()
    assert cell.tick(0.5)["joints"] == pytest.approx(AWAY)
    written = len(cell.arm.goals)
    cell.tick(0.5)
    assert len(cell.arm.goals) == written
    cell.speak(let_go=0)
    cell.tick(0.5)
    assert cell.mode is GateMode.HOLD and cell.arm.torque
    assert np.abs(cell.arm.joints - AWAY).max() < 1e-6


def test_a_stop_ends_by_hand_and_a_stopped_arm_is_not_let_go(cell: ServoCell) -> None:
    cell.speak(let_go=1)
    cell.tick()
    cell.speak(stops=1)
    cell.tick()
    assert cell.mode is GateMode.STOPPED and cell.arm.torque
    cell.speak(let_go=2)
    cell.tick(0.2)
    assert cell.arm.torque and "the torque stays on" in cell.said


def test_what_a_servo_reports_while_it_is_led_by_hand_stops_the_arm_once_the_torque_is_on(
    cell: ServoCell,
) -> None:
    cell.tick()
    cell.speak(let_go=1)
    cell.tick()
    cell.arm.bits[2] = 1 << 1
    cell.tick(0.2)
    assert cell.mode is GateMode.LIMP and "broken encoder" in cell.said, "a limp arm is only told of"
    cell.speak(let_go=0)
    cell.tick(0.2)
    assert cell.mode is GateMode.STOPPED and "broken encoder" in cell.reason


def test_a_joint_pushed_away_while_stopped_does_not_snap_back(cell: ServoCell) -> None:
    cell.engage()
    cell.speak(stops=1)
    cell.tick(0.1)
    cell.arm.blocked[0] = True  # in a hand that is stronger than the servo
    cell.arm.joints[0] += 30.0
    cell.tick(1.0)
    assert "stalled" in cell.said and cell.arm.caps[0] == STALL_TORQUE_PCT
    assert abs(cell.arm.goal[0] - cell.arm.joints[0]) < 0.1, "it gives way"
    cell.arm.joints[0] += 20.0
    cell.tick(0.1)
    there = cell.arm.joints.copy()
    cell.speak(clears=1, acknowledged=1)
    cell.tick()
    cell.arm.blocked[0] = False
    cell.tick(0.5)
    assert cell.arm.caps[0] > STALL_TORQUE_PCT
    assert np.abs(cell.arm.joints - there).max() < 0.1


def test_no_torque_from_a_wrong_supply(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ServoCell(monkeypatch)
    cell.arm.voltage[:] = 5.8
    cell.arm.log.clear()
    with pytest.raises(WorkerFailure, match=r"5.8 V, the arm needs 12 V"):
        cell.start_worker()
    assert not cell.arm.log


@pytest.mark.parametrize("missed", [{0}, {1}, {0, 1}, {1, 2}, {2}])
def test_a_reply_that_is_missed_does_not_pass_a_wrong_supply(
    missed: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A weak supply makes servos silent too. What a silent one repeats are old figures."""
    cell = ServoCell(monkeypatch)
    cell.arm.voltage[:] = 5.8
    cell.arm.log.clear()
    looks, read = iter(range(100)), cell.arm.read

    def flaky() -> ArmReading:
        cell.arm.misses[3] = next(looks) in missed
        return read()

    monkeypatch.setattr(cell.arm, "read", flaky)
    with pytest.raises(WorkerFailure, match=r"5.8 V, the arm needs 12 V"):
        cell.start_worker()
    assert not cell.arm.log


def test_at_the_end_the_arm_is_parked_slowly_and_then_limp(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ServoCell(monkeypatch)
    cell.desk.quitting = True
    began_s, before, fastest = cell.clock.now_s, cell.arm.joints.copy(), [0.0]

    def watch(seconds: float) -> None:
        nonlocal before
        cell.clock.sleep(seconds)
        cell.arm.pass_time(seconds)
        fastest.append(np.abs(cell.arm.joints - before)[:GRIPPER].max() / seconds)
        before = cell.arm.joints.copy()

    cell.pace(watch)
    cell.loop.park()
    assert cell.clock.now_s - began_s < 15.0
    assert 9.0 < max(fastest) < 10.1
    assert cell.arm.log[-1] == "torque off" and cell.arm.closed and cell.hand == "left"
    assert cell.arm.joints == pytest.approx(cell.body.rest_pose, abs=0.5)
    assert "parked; torque off" in cell.said
    told = [event.detail for event in cell.letters.events if isinstance(event, PhaseChanged)]
    assert len(told) > 5 and told[-1] == "parking, 0 s" and "parking, 4 s" in told


def test_a_second_signal_leaves_the_arm_holding_and_says_so(cell: ServoCell) -> None:
    ticks = 0

    def hurry(seconds: float) -> None:
        nonlocal ticks
        cell._sleep(seconds)
        ticks += 1
        if ticks == 50:
            cell.speak(abandoned=1)

    cell.pace(hurry)
    cell.loop.park()
    assert ticks == 50
    assert cell.arm.torque and cell.arm.closed and cell.hand == "left"
    assert "its torque is ON" in cell.said and "second Ctrl-C" in cell.said


def test_a_stopped_arm_is_not_parked_but_told_of(cell: ServoCell) -> None:
    cell.engage()
    cell.speak(stops=1)
    cell.loop.park()
    assert cell.arm.torque and "its torque is ON" in cell.said and "stop key" in cell.said


def test_an_arm_that_never_moved_is_left_as_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for stiff in (False, True):
        cell = ServoCell(monkeypatch, AWAY, energised=stiff, confirmed=False)
        cell.tick(0.2)
        cell.loop.park()
        assert cell.arm.torque is stiff
        assert np.abs(cell.arm.joints - AWAY).max() < 1e-6
        assert ("its torque is ON" if stiff else "it never moved; torque off") in cell.said


def test_what_a_predecessor_left_is_parked_at_the_end_but_a_stall_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = ServoCell(monkeypatch, predecessor="the robot worker died")
    cell.tick(0.2)
    assert cell.mode is GateMode.STOPPED
    cell.loop.park()
    assert "parked; torque off" in cell.said
    cell = ServoCell(monkeypatch)
    cell.arm.bits[1] = 1 << 3
    cell.tick(0.2)
    cell.loop.park()
    assert cell.arm.torque and "its torque is ON" in cell.said and "too much current" in cell.said


def test_simulated_cameras_see_an_emulated_arm_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    state = ServoCell(monkeypatch, AWAY).tick()
    like = SimArm(task="pick_lift")
    like.place(AWAY)
    assert state["scene"][-9:-3] == pytest.approx(like.scene()[-9:-3], abs=1e-6)
    assert np.isfinite(state["scene"]).all()


def test_an_exception_in_the_loop_parks_the_arm_before_it_is_told(
    cell: ServoCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(loop: RobotLoop) -> None:
        cell.loop = loop
        cell.pace(cell._sleep)
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(RobotLoop, "run", crash)
    monkeypatch.setattr("workers.robot.opening.body_of", lambda *arguments: cell.body)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        main(cell.desk, cell.config, cell.board)
    assert "parked; torque off" in cell.said and not cell.arm.torque


def test_an_arm_that_sags_does_not_sink_with_every_hold_and_restart(cell: ServoCell) -> None:
    cell.engage()
    cell.arm.sag[1:4] = 1.8
    cell.tick(0.5, aim=START)
    there = cell.arm.joints.copy()
    for _ in range(10):
        cell.speak(stops=1)
        cell.tick(0.1)
        cell.speak(clears=1, acknowledged=1)
        cell.tick(0.1)
        cell.loop._controller.engage()
        cell.tick(0.5)
        cell.loop._controller.restart()
    assert np.abs(cell.arm.joints - there).max() < 0.1
