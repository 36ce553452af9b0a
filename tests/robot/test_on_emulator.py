"""The arm's driver, body and guardian on emulated servos: what the other tests play is so on the bus too."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.emulators.bus import EmulatedBus, emulated_bus
from tests.robot.emulated import block, configuration, seen
from tests.robot.servo_cell import SPAWN, Letters
from workers.actor.realtime import RealtimeArm
from workers.model.events import GateMode, LogLine
from workers.robot.board import Board
from workers.robot.build import kinematics_of, limits_of
from workers.robot.freeze import Frozen
from workers.robot.opening import body_of
from workers.robot.worker import RobotLoop
from workers.runtime.harness import Desk
from workers.runtime.shared import Beat
from workers.station.word import StationWord

IN_THE_AIR = (10.0, -30.0, 20.0, 80.0, 0.0, 40.0)
LIMIT_S = 20.0


class LiveArm:
    """A robot loop on an emulated arm, ticked in real time, that follows a target 15 degrees aside."""

    def __init__(self, bus: EmulatedBus, folder: Path) -> None:
        config = configuration(bus, folder)
        self.bus, self.board, self.letters = bus, Board.create(SPAWN, {}), Letters()
        self.word = StationWord(self.board.word)
        self.word.confirm()
        self.desk = Desk("robot", folder, self.letters, Beat(SPAWN))  # type: ignore[arg-type]
        limits, kinematics = limits_of(config), kinematics_of(config)
        body = body_of(self.desk, config, self.board, limits, kinematics)
        self.loop = RobotLoop(self.desk, config, self.board, body, limits, kinematics)
        self.actor = RealtimeArm(self.board, {}, {}, lambda: True)
        self.target = np.array(config.env.reset_pose)

    def until(self, condition: Callable[[], bool], aside_deg: float = 0.0, half_s: float = 1e9) -> None:
        """Follow a target so far aside, which changes sides every `half_s`."""
        begun_s = time.monotonic()
        until_s = begun_s + LIMIT_S
        while not condition():
            assert time.monotonic() < until_s, (self.mode, self.reason, self.said)
            self.word.speak()
            side = 1 if (time.monotonic() - begun_s) // half_s % 2 == 0 else -1
            self.actor.send(np.add(self.target, [side * aside_deg, 0, 0, 0, 0, 0]))
            self.loop.tick()
            time.sleep(0.02)

    def engage(self) -> None:
        self.actor._target["reset_wanted"] += 1
        self.until(lambda: self.mode is GateMode.ENGAGED and self.state["reset_done"] > 0)
        self.until(lambda: bool(abs(self.state["joints"] - self.target)[0] < 3.0))

    @property
    def state(self) -> np.void:
        read = self.board.arm.read()
        return np.zeros((), "i4") if read is None else read[1]

    @property
    def mode(self) -> GateMode | None:
        return None if self.board.arm.read() is None else GateMode(self.state["mode"].decode())

    @property
    def reason(self) -> str:
        return "" if self.mode is None else str(self.state["reason"].decode())

    @property
    def said(self) -> str:
        return "\n".join(event.text for event in self.letters.events if isinstance(event, LogLine))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveArm]:
    with emulated_bus(pose_deg=IN_THE_AIR) as bus:
        yield LiveArm(bus, tmp_path)


def test_a_blocked_joint_stops_the_arm_and_gets_little_torque(live: LiveArm) -> None:
    live.engage()
    block(live.bus, "shoulder_pan", True)
    live.until(lambda: live.mode is GateMode.STOPPED, aside_deg=15.0)
    assert "shoulder_pan is stalled" in live.reason
    assert seen(live.bus).limits_permille[0] == 200
    block(live.bus, "shoulder_pan", False)
    live.word.clear()
    live.until(lambda: live.mode is GateMode.HOLD)
    assert seen(live.bus).limits_permille[0] == 600


def test_a_goal_that_dithers_hides_no_blocked_joint_and_stalls_none_that_follows(live: LiveArm) -> None:
    half_s = 0.3
    live.engage()
    until_s = time.monotonic() + 1.5
    live.until(lambda: time.monotonic() > until_s, 15.0, half_s)
    assert live.mode is GateMode.ENGAGED, live.reason
    block(live.bus, "shoulder_pan", True)
    live.until(lambda: live.mode is GateMode.STOPPED, 15.0, half_s)
    assert "shoulder_pan is stalled" in live.reason


def test_a_servo_off_the_chain_holds_the_others_and_is_named(live: LiveArm) -> None:
    live.engage()
    for joint in ("wrist_roll", "gripper"):
        live.bus.ask("unplug_joint", joint=joint)
    live.until(lambda: bool(live.state["barred"]))
    assert live.mode is GateMode.HOLD and "wrist_roll, gripper" in live.reason
    assert "after id 4 (wrist_flex)" in live.said
    live.until(lambda: live.mode is GateMode.STOPPED)


def test_a_line_that_becomes_noisy_is_told_as_that(live: LiveArm) -> None:
    live.engage()
    live.bus.script("noise", data="55", count=0)
    live.until(lambda: bool(live.state["barred"]))
    assert (
        live.mode is GateMode.HOLD and "no readable reply" in live.reason and "Noise on the line" in live.said
    )
    live.bus.clear()
    live.until(lambda: "all servos answer again" in live.said)


def test_servos_that_answer_too_late_are_not_called_silent(live: LiveArm) -> None:
    live.engage()
    live.bus.script("late", ms=30.0, count=0)
    live.until(lambda: bool(live.state["barred"]))
    assert live.mode is GateMode.HOLD and "no reply in time" in live.reason and "too late" in live.said


def test_an_unplugged_arm_is_taken_again_when_it_is_back(live: LiveArm) -> None:
    live.engage()
    live.bus.unplug()
    live.until(lambda: live.mode is GateMode.STOPPED)
    assert "arm still powered" in live.reason
    live.bus.replug()
    live.until(lambda: "is back" in live.reason)
    live.word.clear()
    live.until(lambda: live.mode is GateMode.HOLD)
    live.engage()


def test_a_servo_that_lost_its_power_stops_the_arm(live: LiveArm) -> None:
    live.engage()
    live.bus.ask("reboot", joint="elbow_flex")
    live.until(lambda: live.mode is GateMode.STOPPED)
    assert "elbow_flex lost power" in live.reason
    live.word.clear()
    live.until(lambda: all(seen(live.bus).torque))


def test_every_error_that_a_servo_reports_stops_the_arm_with_its_name(live: LiveArm) -> None:
    live.engage()
    for bit, words in (
        (0, "wrong supply voltage"),
        (1, "broken encoder"),
        (3, "too much current"),
        (5, "overload"),
    ):
        live.bus.ask("errors", joint="elbow_flex", bits=1 << bit)
        live.until(lambda: live.mode is GateMode.STOPPED)
        assert live.reason.startswith("elbow_flex reports") and words in live.reason
        live.bus.ask("errors", joint="elbow_flex", bits=0)
        live.word.clear()
        live.until(lambda: live.mode is GateMode.HOLD)
    live.bus.ask("errors", joint="elbow_flex", bits=1 << 2)
    live.until(lambda: live.mode is GateMode.PARK)
    assert "elbow_flex reports overheating" in live.reason


@pytest.mark.parametrize(
    ("number", "words"),
    [(77, "tells whether it has another id"), (2, "two servos with one id")],
    ids=["an id that is lost", "an id that is there twice"],
)
def test_a_servo_whose_id_changes_in_the_run_holds_the_arm_and_the_id_is_named_as_a_cause(
    live: LiveArm, number: int, words: str
) -> None:
    live.engage()
    live.bus.ask("store", joint="elbow_flex", register="ID", value=number)
    live.until(lambda: bool(live.state["barred"]))
    assert live.mode is GateMode.HOLD and "elbow_flex" in live.reason and words in live.said


def test_a_hot_servo_gets_less_torque(live: LiveArm) -> None:
    live.engage()
    live.bus.ask("heat", joint="elbow_flex", celsius=61.0)
    live.until(lambda: "torque is halved" in live.said)
    assert seen(live.bus).limits_permille[2] == 500
    assert live.state["warm"].decode().startswith("elbow_flex 6")


def test_a_frozen_arm_stays_where_it_is_with_less_torque_and_keeps_its_grip(live: LiveArm) -> None:
    live.engage()
    live.target[5] = 10.0
    for _ in range(8):
        live.until(lambda: True)
        live.actor.send(np.add(live.target, [15.0, 0, 0, 0, 0, 0]))
        live.loop.tick()
        time.sleep(0.02)
    live.loop._body.arm.close()  # type: ignore[attr-defined]
    before, jaw = seen(live.bus), live.bus.state()["goal"][5]
    frozen = Frozen(live.bus.port)
    time.sleep(0.5)
    after = seen(live.bus)
    assert frozen.frozen_ids == (1, 2, 3, 4, 5, 6)
    assert np.abs(after.joints_deg - before.joints_deg)[:5].max() < 3.5
    assert after.limits_permille == (400,) * 6 and all(after.torque)
    assert live.bus.state()["goal"][5] == jaw
    frozen.close()
