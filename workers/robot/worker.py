"""Robot worker: one arm at its own fixed rate. Reads shared memory, ticks the controller, publishes the arm's state."""

import time
from typing import Protocol

import numpy as np

from workers.config import Config
from workers.model.events import GateMode, Level, LogLine
from workers.robot.board import ARM_STATE, Board
from workers.robot.controller import ArmController, JointTarget, Mode, Status
from workers.robot.drivers import ArmDriver
from workers.robot.figures import Floats
from workers.robot.gate import Limits, ToolPosition
from workers.runtime.harness import Desk
from workers.runtime.pacer import Pacer
from workers.runtime.phases import ROBOT_S

STATION_LIMIT_S = 1.0  # the station says something every 0.1 s
PARK_LIMIT_S = 2.5
RATE_PERIOD_S = 1.0
_MODES = {
    Mode.ENGAGED: GateMode.ENGAGED,
    Mode.HOLD: GateMode.HOLD,
    Mode.PARKING: GateMode.PARK,
    Mode.STOPPED: GateMode.STOPPED,
}


class SimulatedArm(ArmDriver, Protocol):
    """What the worker needs of the simulator beyond a driver."""

    def reset(self, rng: np.random.Generator) -> None: ...
    def advance(self, dt_s: float) -> None: ...
    def scene(self) -> Floats: ...
    def tool_position_m(self) -> Floats: ...
    def cube_position_m(self) -> Floats: ...
    def success(self) -> bool: ...


def main(desk: Desk, config: Config, board: Board) -> None:
    """Run the arm until told to quit, then hold, park and leave."""
    from workers.robot.build import kinematics_of, limits_of
    from workers.robot.drivers.sim import SimArm  # brings MuJoCo

    arm = SimArm(reset_pose_deg=np.array(config.env.processor.reset.fixed_reset_joint_positions))
    loop = RobotLoop(desk, config, board, arm, limits_of(config), kinematics_of(config))
    loop.run()
    loop.park()


class RobotLoop:
    """One arm and its board; a tick reads, gates, writes and publishes."""

    def __init__(
        self, desk: Desk, config: Config, board: Board, arm: SimulatedArm, limits: Limits, tool: ToolPosition
    ) -> None:
        self._desk = desk
        self._board = board
        self._arm = arm
        self._tick_s = 1.0 / config.env.robot.loop_hz
        self._period_s = 1.0 / config.env.fps
        self._rest_pose = np.array(config.env.processor.reset.fixed_reset_joint_positions)
        self._controller = ArmController(arm, limits, tool, self._tick_s, self._period_s)
        self._pacer = Pacer(desk.name, self._tick_s, ROBOT_S)
        self._state = np.zeros((), ARM_STATE)
        self._stops = 0
        self._clears = 0
        self._station_silent = False
        self._goal_moved = False
        self._mode = Mode.HOLD

    def run(self) -> None:
        last_rate_s = time.monotonic()
        while self._desk.alive():
            self._desk.next_order()  # Quit is the only order; `alive` then says no
            self._tick()
            if time.monotonic() - last_rate_s > RATE_PERIOD_S:
                last_rate_s = time.monotonic()
                self._desk.mailbox.emit(self._pacer.rate())
            self._pacer.wait()

    def park(self) -> None:
        """Slowly to the rest pose, then leave; a simulated arm has no torque to take off."""
        self._controller.park(self._rest_pose)
        until_s = time.monotonic() + PARK_LIMIT_S
        while time.monotonic() < until_s:
            status = self._controller.tick(None, time.monotonic())
            self._publish(status)
            self._arm.advance(self._tick_s)
            if status.parked:
                break
            self._pacer.wait()

    def _tick(self) -> None:
        now_s = time.monotonic()
        self._heed_station(now_s)
        target = None if self._station_silent else self._newest_target()
        status = self._controller.tick(target, now_s)
        self._publish(status)
        self._tell_mode(status)
        self._arm.advance(self._tick_s)

    def _heed_station(self, now_s: float) -> None:
        read = self._board.word.read()
        if read is None:
            return
        word = read[1]
        if word["stops"] > self._stops:
            self._stops = int(word["stops"])
            if word["stops"] > word["clears"]:
                self._controller.stop("stop key")
        if word["clears"] > self._clears:
            self._clears = int(word["clears"])
            self._controller.clear_stop()
        self._station_silent = now_s - float(word["at_ns"]) / 1e9 > STATION_LIMIT_S

    def _newest_target(self) -> JointTarget | None:
        read = self._board.target.read()
        if read is None:
            return None
        record = read[1]
        if record["reset_wanted"] != self._state["reset_done"] and self._mode is not Mode.STOPPED:
            self._arm.reset(np.random.default_rng(int(record["reset_seed"])))
            self._controller.restart()
            self._controller.engage()
            self._state["reset_done"] = record["reset_wanted"]
        if not record["moving"]:
            return None
        return JointTarget(record["joints"].copy(), float(record["at_ns"]) / 1e9, int(record["number"]))

    def _publish(self, status: Status) -> None:
        state = self._state
        now_ns = time.monotonic_ns()
        state["at_ns"] = now_ns
        state["joints"] = status.reading.joints_deg
        state["velocity"] = status.reading.velocity_deg_s
        moves = bool((state["goal"] != status.goal_deg).any())
        if moves and not self._goal_moved:
            state["moving_since_ns"] = now_ns
        self._goal_moved = moves
        state["goal"] = status.goal_deg
        state["ee_m"] = self._arm.tool_position_m()
        state["mode"] = _MODES[status.mode].value.encode()
        reason = "the station is silent" if self._station_silent else status.reason
        state["reason"] = reason.encode()[:64]
        state["clipped"] = ",".join(sorted(status.clipped)).encode()[:64]
        state["target_seen"] = status.sequence
        state["cube_m"] = self._arm.cube_position_m()
        state["success"] = self._arm.success()
        state["scene"] = self._arm.scene()
        self._board.arm.write(state)

    def _tell_mode(self, status: Status) -> None:
        """Stops and parking go into the log; the arm holds between any two episodes, which nobody wants to read."""
        before, self._mode = self._mode, status.mode
        if before is status.mode or not {before, status.mode} & {Mode.STOPPED, Mode.PARKING}:
            return
        level = Level.WARNING if status.mode is Mode.STOPPED else Level.INFO
        text = f"{status.mode.value}" + (f": {status.reason}" if status.reason else "")
        self._desk.mailbox.emit(LogLine(self._desk.name, level, text, time.time()))
