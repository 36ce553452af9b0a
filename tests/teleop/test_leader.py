"""The leader's worker on a real board: what it tells the actor, when it moves its arm, what it does without one."""

import logging
import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from tests.teleop.leader_arms import KINEMATICS, TICK_S, LeaderArm, towards
from workers.model.events import GateMode
from workers.robot.board import ARM_STATE, JOINT_TARGET, Board
from workers.robot.drivers import ArmGone, ArmRefused, ServoArm
from workers.robot.figures import SO101_RANGE, Floats
from workers.robot.gate import Limits
from workers.runtime.harness import Desk, WorkerFailure
from workers.runtime.shared import Beat
from workers.teleop.leader import SILENT_TICKS, TORQUE_PCT, LeaderLoop
from workers.teleop.leader_checks import impossible

SPAWN = multiprocessing.get_context("spawn")
ARM = np.array([10.0, -20.0, 30.0, 40.0, 5.0, 60.0])


class Letters:
    """A mailbox without a station."""

    def emit(self, event: object) -> None:
        pass

    def next_order(self, timeout_s: float = 0.0) -> None:
        return None


class Cell:
    """A board with an arm on it that the test moves, and a leader's loop that it ticks."""

    def __init__(self, takes_over: bool = False, plugged: bool = True) -> None:
        self.board = Board.create(SPAWN, {})
        self.leader = LeaderArm(ARM + np.array([5, 5, -5, 5, 5, 0]))
        self.plugged, self.human, self.mode = plugged, False, GateMode.ENGAGED
        self.refused = ""
        self.arm_deg, self.arm_alive, self.steps = ARM.copy(), True, True
        desk = Desk("leader", Path("."), Letters(), Beat(SPAWN))  # type: ignore[arg-type]
        self.loop = LeaderLoop(desk, self.board, self._open, Limits(), KINEMATICS, SO101_RANGE, takes_over)
        self.now_s = time.monotonic()

    def _open(self) -> ServoArm:
        if self.refused:
            raise ArmRefused(self.refused)
        if not self.plugged:
            raise ArmGone("nothing at the port")
        return self.leader

    def tick(self) -> np.void:
        state, target = np.zeros((), ARM_STATE), np.zeros((), JOINT_TARGET)
        if self.arm_alive:
            state["at_ns"], state["joints"] = int(self.now_s * 1e9), self.arm_deg
            state["mode"] = self.mode.value.encode()
            self.board.arm.write(state)
        target["human"], target["moving"] = self.human, self.steps
        self.board.target.write(target)
        self.loop.tick(self.now_s)
        self.leader.advance(TICK_S)
        self.now_s += TICK_S
        read = self.board.teleop.read()
        assert read is not None
        record: np.void = read[1]
        return record

    def run(self, seconds: float) -> np.void:
        for _ in range(round(seconds / TICK_S)):
            record = self.tick()
        return record

    def apart_deg(self) -> float:
        return float(np.abs(self.leader.joints_deg - self.arm_deg).max())


def moved(joints_deg: Floats) -> Floats:
    goes: Floats = joints_deg + np.array([0, 0, 15.0, 0, 0, 0])
    return goes


def test_it_tells_where_the_leader_is() -> None:
    cell = Cell()
    record = cell.tick()
    np.testing.assert_allclose(record["joints"], ARM + np.array([5, 5, -5, 5, 5, 0]))
    assert record["connected"] and record["source"] == b"leader" and not record["intervene"]
    assert cell.tick()["number"] == record["number"] + 1


def test_the_leader_comes_to_the_arm_with_no_more_than_its_torque() -> None:
    cell = Cell()
    cell.run(4.0)
    assert cell.leader.on and cell.apart_deg() < 1.5
    assert cell.leader.cap_pct.max() == TORQUE_PCT


def test_torque_is_capped_before_it_is_switched_on() -> None:
    cell = Cell()
    cell.run(4.0)
    caps = [cap for on, cap in cell.leader.torques if on]
    assert caps and max(caps) < 0.1 * TORQUE_PCT


def test_in_the_persons_hand_it_goes_limp_and_its_joints_are_the_command() -> None:
    cell = Cell()
    cell.run(4.0)
    cell.human = True
    cell.leader.hand = towards(moved(ARM), 40.0)
    record = cell.run(1.0)
    assert not cell.leader.on
    np.testing.assert_allclose(record["joints"], moved(ARM), atol=0.5)


def test_to_the_start_of_the_persons_episode_the_leader_goes_along() -> None:
    cell = Cell()
    cell.run(4.0)
    cell.human, cell.steps = True, False
    cell.arm_deg = ARM + 10.0
    cell.run(2.0)
    assert cell.leader.on and cell.apart_deg() < 1.5
    cell.steps = True
    at = cell.leader.joints_deg.copy()
    cell.arm_deg = ARM
    cell.run(1.0)
    assert cell.leader.on and np.abs(cell.leader.joints_deg - at).max() < 0.5, "then it waits for the hand"


@pytest.mark.parametrize("takes_over", [True, False])
def test_a_hand_that_moves_it_asks_for_the_arm_only_where_that_is_wanted(takes_over: bool) -> None:
    cell = Cell(takes_over)
    cell.run(4.0)
    cell.leader.hand = towards(moved(ARM), 60.0)
    asked = [bool(cell.tick()["intervene"]) for _ in range(25)]
    assert any(asked) is takes_over
    assert not cell.leader.on
    cell.human = takes_over
    assert not cell.run(1.0)["intervene"], "asked once, not for ever"


def test_an_arm_that_is_stopped_or_silent_is_not_followed() -> None:
    for trouble in ("stopped", "silent"):
        cell = Cell()
        cell.run(4.0)
        if trouble == "stopped":
            cell.mode = GateMode.STOPPED
        else:
            cell.arm_alive = False
            cell.run(0.5)
        at = cell.leader.joints_deg.copy()
        cell.arm_deg = ARM + 10.0
        cell.run(1.0)
        assert np.abs(cell.leader.joints_deg - at).max() < 0.5, trouble


def test_a_leader_that_is_unplugged_is_told_at_once_and_limp_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cell = Cell()
    cell.run(4.0)
    cell.leader.gone, cell.plugged = True, False
    with caplog.at_level(logging.INFO):
        record = cell.tick()
        assert not record["connected"] and np.isnan(record["joints"]).all()
        assert b"port is gone" in record["reason"]
        cell.run(2.5)  # between two looks at the port, which come once a second
        cell.leader.gone, cell.plugged = False, True
        record = cell.run(0.9)
    assert record["connected"] and record["reason"] == b""
    assert [on for on, _ in cell.leader.torques][-1] is False
    told = [line.getMessage() for line in caplog.records]
    assert sum("port is gone" in line for line in told) == 1 and told[-1] == "leader arm found"


def test_a_leader_that_is_not_there_yet_is_waited_for() -> None:
    cell = Cell(plugged=False)
    assert not cell.run(1.0)["connected"]
    cell.plugged = True
    assert cell.run(1.1)["connected"]


def test_a_servo_that_does_not_answer_for_long_ends_the_command() -> None:
    cell = Cell()
    cell.run(1.0)
    cell.leader.misses[2] = SILENT_TICKS - 1
    assert cell.tick()["connected"]
    cell.leader.misses[2] = SILENT_TICKS
    record = cell.tick()
    assert not record["connected"] and record["reason"] == b"no reply from elbow_flex"
    cell.leader.misses[2] = 0
    assert cell.tick()["connected"]


def test_an_arm_that_cannot_be_the_leader_is_refused_before_any_torque() -> None:
    cell = Cell()
    cell.leader.joints_deg = np.array([0, 0, 160.0, 0, 0, 50])
    with pytest.raises(WorkerFailure, match=r"elbow_flex at 160.*Calibrate it again"):
        cell.tick()
    assert not any(on for on, _ in cell.leader.torques)


def test_a_refused_arm_ends_the_run_at_its_start_and_is_told_later_on() -> None:
    for plugged in (False, True):
        cell = Cell(plugged=plugged)
        cell.run(0.1)
        cell.refused = "it is another arm"
        if not plugged:
            with pytest.raises(WorkerFailure, match="it is another arm"):
                cell.run(1.1)
            continue
        cell.leader.gone = True
        record = cell.run(1.5)
        assert not record["connected"] and record["reason"] == b"it is another arm"


def test_a_leader_that_lost_its_supply_for_a_moment_begins_limp() -> None:
    cell = Cell()
    cell.run(4.0)
    cell.leader.unpowered[:] = True
    cell.tick()
    assert not cell.leader.on
    cell.leader.unpowered[:] = False
    cell.run(4.0)
    assert cell.leader.on and cell.apart_deg() < 1.5


def test_on_the_way_out_torque_goes_slowly() -> None:
    cell = Cell()
    cell.run(4.0)
    caps: list[float] = []
    capped = cell.leader.cap_torque

    def noted(limit_pct: Floats) -> None:
        caps.append(float(limit_pct.max()))
        capped(limit_pct)

    cell.leader.cap_torque = noted  # type: ignore[method-assign]
    cell.loop.release()
    assert not cell.leader.on and len(caps) > 20 and caps == sorted(caps, reverse=True)


def test_a_pose_within_reach_of_some_calibration_is_no_mistake() -> None:
    for pose in (SO101_RANGE.lower_deg, SO101_RANGE.upper_deg, ARM):
        assert not impossible(pose, SO101_RANGE)
    assert impossible(np.full(6, np.nan), SO101_RANGE)
