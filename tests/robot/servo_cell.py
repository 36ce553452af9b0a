"""A robot loop with an arm of servos, its board, its station and its actor; tests tick it on a clock of their own."""

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.robot.servo_arm import TICK_S, FakeServoArm
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.model.events import Event, GateMode, Level, LogLine
from workers.robot.board import JOINT_TARGET, LIFELINE, STATION_WORD, Board
from workers.robot.build import kinematics_of, limits_of
from workers.robot.drivers.sim import RESET_POSE_DEG
from workers.robot.figures import Floats
from workers.robot.lifeline import Lifeline
from workers.robot.opening import thresholds_of
from workers.robot.servo_body import ServoBody
from workers.robot.worker import RobotLoop
from workers.runtime.harness import Desk
from workers.runtime.pacer import Pacer
from workers.runtime.shared import Beat

SPAWN = multiprocessing.get_context("spawn")
START = np.array(RESET_POSE_DEG)


def real_config(mode: str | None = None) -> Config:
    """The ready configuration, with an arm of servos in place of the simulated one."""
    config = load(ready_config())
    robot = msgspec.structs.replace(config.env.arm, type="so101_follower")
    return msgspec.structs.replace(config, env=msgspec.structs.replace(config.env, robot=robot), mode=mode)


class Clock:
    """A monotonic clock that stands still between ticks."""

    def __init__(self) -> None:
        self.now_s, self.asleep_s = 1000.0, 0.0

    def monotonic(self) -> float:
        return self.now_s

    def monotonic_ns(self) -> int:
        return round(self.now_s * 1e9)

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class Letters:
    """A mailbox without a station."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def next_order(self, timeout_s: float = 0.0) -> None:
        return None


class ServoCell:
    """Everything around one robot loop."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        joints_deg: Floats = START,
        mode: str | None = None,
        predecessor: str = "",
        energised: bool = False,
        confirmed: bool = True,
        config: Config | None = None,
    ) -> None:
        self.clock = Clock()
        patch.setattr(time, "monotonic", self.clock.monotonic)
        patch.setattr(time, "monotonic_ns", self.clock.monotonic_ns)
        patch.setattr(time, "sleep", self._sleep)
        patch.setattr(time, "clock_gettime", lambda which: self.clock.now_s + self.clock.asleep_s)
        self.config = config or real_config(mode)
        self.limits, self.tool = limits_of(self.config), kinematics_of(self.config)
        self.board = Board.create(SPAWN, {})
        self.word, self.target = np.zeros((), STATION_WORD), np.zeros((), JOINT_TARGET)
        self.letters = Letters()
        self.asks_on = True  # the actor waits for its reset
        self.desk = Desk("robot", Path("."), self.letters, Beat(SPAWN))  # type: ignore[arg-type]
        self.speak(confirmed=int(confirmed))
        self.arm = FakeServoArm(np.asarray(joints_deg), energised)
        self.start_worker(predecessor)

    def start_worker(self, predecessor: str = "") -> None:
        self.body = ServoBody(
            self.arm,
            self.config,
            self.limits,
            self.board,
            Lifeline(self.board),
            thresholds_of(self.config, self.limits),
            self.say,
            predecessor,
            found_stiff=self.arm.torque,
        )
        self.body.take_hold()
        self.loop = RobotLoop(self.desk, self.config, self.board, self.body, self.limits, self.tool)
        self.pace(self._sleep)

    def pace(self, sleep: Callable[[float], None]) -> None:
        """Let the loop's periods pass by this clock."""
        self.loop._pacer = Pacer("robot", TICK_S, clock=self.clock.monotonic, sleep=sleep)

    def say(self, level: Level, text: str) -> None:
        self.letters.emit(LogLine("robot", level, text, 0.0))

    @property
    def said(self) -> str:
        return "\n".join(event.text for event in self.letters.events if isinstance(event, LogLine))

    def speak(self, **counts: int) -> None:
        for field, count in counts.items():
            self.word[field] = count if field == "let_go" else self.word[field] + count
        self.word["at_ns"] = self.clock.monotonic_ns()
        self.board.word.write(self.word)

    def ask_reset(self) -> None:
        self.target["reset_wanted"] += 1
        self.target["moving"] = False
        self.target["at_ns"] = self.clock.monotonic_ns()
        self.board.target.write(self.target)

    def aim(self, joints_deg: Floats) -> None:
        self.target["joints"], self.target["moving"] = joints_deg, True
        self.target["number"] += 1
        self.target["at_ns"] = self.clock.monotonic_ns()
        self.board.target.write(self.target)

    def tick(self, seconds: float = TICK_S, aim: Floats | None = None) -> np.void:
        """Ticks of so many seconds; with `aim`, an actor that sends that every 100 ms."""
        for number in range(max(1, round(seconds / TICK_S))):
            if aim is not None and number % 5 == 0:
                self.aim(aim)
            elif self.asks_on and not self.target["moving"]:
                self.target["at_ns"] = self.clock.monotonic_ns()
                self.board.target.write(self.target)
            self.speak()
            self.loop.tick()
            self._sleep(TICK_S)
        return self.state

    @property
    def state(self) -> np.void:
        read = self.board.arm.read()
        assert read is not None
        state: np.void = read[1]
        return state

    @property
    def mode(self) -> GateMode:
        return GateMode(self.state["mode"].decode())

    @property
    def reason(self) -> str:
        return str(self.state["reason"].decode())

    @property
    def hand(self) -> str:
        read = self.board.lifeline.read()
        assert read is not None and read[1].dtype == LIFELINE
        return str(read[1]["hand"].decode())

    def engage(self) -> None:
        """Confirmed, reset and following."""
        self.ask_reset()
        for _ in range(3000):
            if self.tick()["reset_done"] == self.target["reset_wanted"]:
                return
        raise AssertionError(f"never reset: {self.mode} {self.reason}")

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.arm.pass_time(seconds)
