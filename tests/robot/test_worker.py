"""The robot worker's loop on a real board, with the simulated arm: stops, resets and the way out."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from workers.config import load
from workers.config.ready import ready_config
from workers.model.events import Event, GateMode, LogLine
from workers.robot.board import JOINT_TARGET, STATION_WORD, Board
from workers.robot.body import SimulatedBody
from workers.robot.build import kinematics_of, limits_of
from workers.robot.controller import ArmController
from workers.robot.drivers.sim import RESET_POSE_DEG, SimArm
from workers.robot.figures import GRIPPER, Floats
from workers.robot.worker import RobotLoop, main
from workers.runtime.harness import Desk
from workers.runtime.shared import Beat

SPAWN = multiprocessing.get_context("spawn")
CONFIG = load(ready_config())
KINEMATICS = kinematics_of(CONFIG)
REST = np.array(RESET_POSE_DEG)


class Letters:
    """A mailbox without a station."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def next_order(self, timeout_s: float = 0.0) -> None:
        return None


class Workcell:
    """Board, station and actor around a robot loop that the test ticks."""

    def __init__(self) -> None:
        self.board = Board.create(SPAWN, {})
        self.word, self.target = np.zeros((), STATION_WORD), np.zeros((), JOINT_TARGET)
        self.letters = Letters()
        self.desk = Desk("robot", Path("."), self.letters, Beat(SPAWN))  # type: ignore[arg-type]
        self.speak()
        self.start_worker()

    def start_worker(self) -> None:
        self.arm = SimArm(REST)
        limits = limits_of(CONFIG)
        body = SimulatedBody(self.arm, CONFIG, limits, KINEMATICS)
        self.loop = RobotLoop(self.desk, CONFIG, self.board, body, limits, KINEMATICS)

    def speak(self, stops: int = 0, clears: int = 0) -> None:
        self.word["at_ns"] = time.monotonic_ns()
        self.word["stops"] += stops
        self.word["clears"] += clears
        self.board.word.write(self.word)

    def ask_reset(self, age_s: float = 0.0, seed: int = 0) -> None:
        self.target["reset_wanted"] += 1
        self.target["reset_seed"] = seed
        self.target["moving"] = False
        self.target["at_ns"] = time.monotonic_ns() - int(age_s * 1e9)
        self.board.target.write(self.target)

    def aim(self, joints_deg: Floats) -> None:
        self.target["joints"], self.target["moving"] = joints_deg, True
        self.target["number"] += 1
        self.target["at_ns"] = time.monotonic_ns()
        self.board.target.write(self.target)

    def tick(self) -> np.void:
        self.loop.tick()
        read = self.board.arm.read()
        assert read is not None
        state: np.void = read[1]
        return state

    def mode(self) -> GateMode:
        return GateMode(self.tick()["mode"].decode())

    def follows(self) -> bool:
        self.aim(np.add(REST, [5.0, 0, 0, 0, 0, 0]))
        return self.mode() is GateMode.ENGAGED


def test_a_reset_is_carried_out_and_the_arm_then_follows() -> None:
    cell = Workcell()
    assert not cell.follows()
    cell.ask_reset()
    assert cell.tick()["reset_done"] == 1
    assert cell.follows()


def test_a_stop_in_the_same_tick_as_a_reset_wins_and_stays() -> None:
    cell = Workcell()
    cell.speak(stops=1)
    cell.ask_reset()
    state = cell.tick()
    assert state["mode"].decode() == GateMode.STOPPED and state["reset_done"] == 0
    cell.ask_reset()
    assert cell.mode() is GateMode.STOPPED
    assert not cell.follows()


def test_clearing_the_stop_does_not_carry_out_a_reset_asked_meanwhile() -> None:
    cell = Workcell()
    cell.speak(stops=1)
    cell.tick()
    cell.ask_reset()
    cell.tick()
    cell.speak(clears=1)
    cell.target["at_ns"] = (
        time.monotonic_ns()
    )  # the actor takes its target away: a new stamp on the old request
    cell.board.target.write(cell.target)
    state = cell.tick()
    assert state["mode"].decode() == GateMode.HOLD and state["reset_done"] == 0
    assert not cell.follows()
    cell.ask_reset()
    assert cell.tick()["reset_done"] == 2 and cell.follows()


def test_the_board_tells_the_task_and_the_look_of_the_episode() -> None:
    cell, same = Workcell(), SimArm(REST)
    for seed in (3, 2**31 - 1):
        cell.ask_reset(seed=seed)
        state = cell.tick()
        same.reset(seed)
        task = same.task_state()
        assert state["look_seed"] == seed
        assert (state["object_m"] == task.object_position_m).all()
        assert (state["goal_m"] == task.goal_position_m).all()
        assert (state["success"], state["progress"], state["reward"]) == (False, task.progress, 0.0)
        assert state["scene"].tobytes() == same.scene().tobytes()


def test_the_board_tells_currents_and_how_often_a_goal_was_cut() -> None:
    cell = Workcell()
    cell.ask_reset()
    cell.tick()
    assert cell.follows()
    before = cell.tick()["clipped_ticks"]
    cell.aim(np.add(REST, [900.0, 0, 0, 0, 0, 0]))
    for _ in range(4):
        state = cell.tick()
    assert state["clipped_ticks"] - before == 4, "beyond the joint's limit"
    assert np.abs(state["current"]).max() > 0.1
    assert np.isfinite(state["current"]).all()


def test_an_old_request_for_a_reset_is_not_carried_out() -> None:
    cell = Workcell()
    cell.ask_reset(age_s=3.0)
    assert cell.tick()["reset_done"] == 0
    assert not cell.follows()


def test_a_worker_restarted_while_stopped_is_stopped() -> None:
    cell = Workcell()
    cell.ask_reset()
    cell.tick()
    cell.speak(stops=1)
    cell.tick()
    cell.start_worker()
    for _ in range(3):
        assert cell.mode() is GateMode.STOPPED
    assert not cell.follows()


def test_a_restarted_worker_moves_only_after_the_actors_next_reset() -> None:
    cell = Workcell()
    cell.ask_reset()
    assert cell.follows()
    cell.ask_reset()
    cell.start_worker()
    assert cell.tick()["reset_done"] == 0
    assert not cell.follows()
    cell.ask_reset()
    assert cell.tick()["reset_done"] == 3 and cell.follows()


def test_stop_ends_parking_where_the_arm_is() -> None:
    cell = Workcell()
    cell.arm.place(np.add(REST, [60.0, 0, 0, 0, 0, 0]))
    cell.speak(stops=1)
    started_s = time.monotonic()
    cell.loop.park()
    assert time.monotonic() - started_s < 0.5
    state = cell.board.arm.read()[1]
    assert state["mode"].decode() == GateMode.STOPPED
    assert state["goal"][0] == pytest.approx(60.0, abs=0.5)
    assert any(isinstance(event, LogLine) and "stop key" in event.text for event in cell.letters.events)


def test_an_arm_that_cannot_park_in_time_holds_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.robot.body.SimulatedBody.park_limit_s", 0.2)
    cell = Workcell()
    cell.arm.place(np.add(REST, [60.0, 0, 0, 0, 0, 0]))
    cell.loop.park()
    state = cell.board.arm.read()[1]
    assert state["mode"].decode() == GateMode.HOLD
    assert state["goal"][0] == pytest.approx(cell.arm.read().joints_deg[0], abs=0.5)
    assert any(isinstance(event, LogLine) and "rest pose" in event.text for event in cell.letters.events)
    assert cell.desk.beat.age_s(time.monotonic_ns()) < 0.1


def test_a_crash_in_the_loop_parks_before_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def crash(loop: RobotLoop) -> None:
        seen.append("crash")
        raise RuntimeError("the bus is gone")

    monkeypatch.setattr(RobotLoop, "run", crash)
    monkeypatch.setattr(RobotLoop, "park", lambda loop: seen.append("park"))
    cell = Workcell()
    with pytest.raises(RuntimeError, match="the bus is gone"):
        main(cell.desk, CONFIG, cell.board)
    assert seen == ["crash", "park"]


def test_from_any_pose_in_the_box_the_arm_is_parked_in_time() -> None:
    """The tool anywhere in the box, and the wrist turned as far from the rest pose as it goes."""
    limits, rng = limits_of(CONFIG), np.random.default_rng(0)
    assert limits.box is not None
    arm, tick_s = SimArm(REST), 1.0 / CONFIG.env.arm.loop_hz
    for point_m in rng.uniform(limits.box.min_m, limits.box.max_m, (20, 3)):
        pose = KINEMATICS.inverse(KINEMATICS.pose_at(point_m, KINEMATICS.reference(REST)), REST).joints_deg
        pose[4] = limits.lower_deg[4]
        arm.place(pose)
        controller = ArmController(arm, limits, KINEMATICS, tick_s)
        controller.park(REST, SimulatedBody.park_within_s)
        for _ in range(int(SimulatedBody.park_limit_s / tick_s) - 5):  # a few ticks late
            status = controller.tick(None, 0.0)
            arm.advance(tick_s)
            if status.parked:
                break
        assert status.parked
        assert np.abs(arm.read().joints_deg - REST)[:GRIPPER].max() < 5.0


def test_a_motion_begins_when_the_arm_goes_somewhere_and_not_when_its_posture_settles() -> None:
    """Behind a key press joints bring the tool's direction back for half a second: the next press is told apart."""
    cell, began_ns = Workcell(), []
    cell.ask_reset()
    state = cell.tick()
    for ways_deg in ([0.8] * 5, [0.08] * 20, [0.8] * 5, [0.08] * 20):
        for way_deg in ways_deg:
            cell.aim(np.add(state["goal"], [5.0 * way_deg, 0, 0, 0, 0, 0]))  # a tick goes a fifth of the way
            state = cell.tick()
        began_ns.append(int(state["moving_since_ns"]))
    assert began_ns[0] == began_ns[1] < began_ns[2] == began_ns[3]
