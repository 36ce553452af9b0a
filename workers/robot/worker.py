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
from workers.robot.start import StartPoses
from workers.robot.tasks import TaskState
from workers.runtime.harness import Desk
from workers.runtime.pacer import Pacer
from workers.runtime.phases import ROBOT_S

STATION_LIMIT_S = 1.0  # the station says something every 0.1 s
RESET_FRESH_S = 2.0  # whoever asked for a reset longer ago has given it up
PARK_S = 2.0  # with its beginning and its end that makes less than PARK_LIMIT_S from any pose in the box
PARK_LIMIT_S = 2.5  # the station kills a worker 3 s after it asked it to quit
RATE_PERIOD_S = 1.0
STILL_DEG = 0.02  # a goal that changes less in a tick stands still: solver and servo leave crumbs
_MODES = {
    Mode.ENGAGED: GateMode.ENGAGED,
    Mode.HOLD: GateMode.HOLD,
    Mode.PARKING: GateMode.PARK,
    Mode.STOPPED: GateMode.STOPPED,
}


class SimulatedArm(ArmDriver, Protocol):
    """What the worker needs of the simulator beyond a driver."""

    def reset(self, seed: int, start_deg: Floats | None = None) -> None: ...
    def advance(self, dt_s: float) -> None: ...
    def scene(self) -> Floats: ...
    def tool_position_m(self) -> Floats: ...
    def task_state(self) -> TaskState: ...


def main(desk: Desk, config: Config, board: Board) -> None:
    """Run the arm until told to quit or something breaks, then park and leave."""
    from workers.robot.build import kinematics_of, limits_of
    from workers.robot.drivers.sim import SimArm  # brings MuJoCo

    env = config.env
    arm = SimArm(np.array(env.reset_pose), env.task, env.simulation.object_area, env.simulation.reward)
    loop = RobotLoop(desk, config, board, arm, limits_of(config), kinematics_of(config))
    try:
        loop.run()
    finally:
        loop.park()


class RobotLoop:
    """One arm and its board; a tick reads, gates, writes and publishes."""

    def __init__(
        self, desk: Desk, config: Config, board: Board, arm: SimulatedArm, limits: Limits, tool: ToolPosition
    ) -> None:
        self._desk = desk
        self._board = board
        self._arm = arm
        self._tick_s = 1.0 / config.env.arm.loop_hz
        self._period_s = 1.0 / config.env.fps
        self._rest_pose = np.array(config.env.reset_pose)
        self._starts = StartPoses(config, limits, tool)
        self._tool = tool
        self._controller = ArmController(arm, limits, tool, self._tick_s, self._period_s)
        self._pacer = Pacer(desk.name, self._tick_s, ROBOT_S)
        self._state = np.zeros((), ARM_STATE)
        # What was asked of a predecessor is not this worker's to do: the actor asks again for its next episode.
        asked = board.target.read()
        self._reset_seen = 0 if asked is None else int(asked[1]["reset_wanted"])
        self._station_silent = False
        self._goal_moved = False
        self._mode = Mode.HOLD

    def run(self) -> None:
        last_rate_s = time.monotonic()
        while self._desk.alive():
            self._desk.next_order()  # Quit is the only order; `alive` then says no
            self.tick()
            if time.monotonic() - last_rate_s > RATE_PERIOD_S:
                last_rate_s = time.monotonic()
                self._desk.mailbox.emit(self._pacer.rate())
            self._pacer.wait()

    def park(self) -> None:
        """To the rest pose; where a stop or the time ends that, hold. A simulated arm has no torque to take off."""
        self._controller.park(self._rest_pose, PARK_S)
        until_s = time.monotonic() + PARK_LIMIT_S
        while time.monotonic() < until_s:
            self._desk.alive()  # a sign of life; what it answers is known
            now_s = time.monotonic()
            self._heed_station(now_s)
            status = self._drive(None, now_s)
            if status.parked or status.mode is Mode.STOPPED:
                return
            self._pacer.wait()
        self._controller.hold("not parked in time")
        self._drive(None, time.monotonic())
        self._say(
            Level.WARNING, f"did not reach the rest pose in {PARK_LIMIT_S} s; the arm holds where it is"
        )

    def tick(self) -> None:
        """One period: the station's word, the actor's newest target, the arm."""
        now_s = time.monotonic()
        self._heed_station(now_s)
        self._drive(None if self._station_silent else self._newest_target(now_s), now_s)

    def _drive(self, target: JointTarget | None, now_s: float) -> Status:
        status = self._controller.tick(target, now_s)
        self._publish(status)
        self._tell_mode(status)
        self._arm.advance(self._tick_s)
        return status

    def _heed_station(self, now_s: float) -> None:
        read = self._board.word.read()
        if read is None:
            return
        word = read[1]
        if word["stops"] > word["clears"]:
            self._controller.stop("stop key")
        else:
            self._controller.clear_stop()
        self._station_silent = now_s - float(word["at_ns"]) / 1e9 > STATION_LIMIT_S

    def _newest_target(self, now_s: float) -> JointTarget | None:
        read = self._board.target.read()
        if read is None:
            return None
        record = read[1]
        if record["reset_wanted"] != self._reset_seen:
            self._reset_seen = int(record["reset_wanted"])
            fresh = now_s - float(record["at_ns"]) / 1e9 < RESET_FRESH_S
            if fresh and self._controller.mode is not Mode.STOPPED:
                self._reset(int(record["reset_seed"]))
        if not record["moving"]:
            return None
        return JointTarget(record["joints"].copy(), float(record["at_ns"]) / 1e9, int(record["number"]))

    def _reset(self, seed: int) -> None:
        self._arm.reset(seed, self._starts.draw(seed))
        self._state["look_seed"] = seed
        self._controller.restart()
        self._controller.engage()
        self._state["reset_done"] = self._reset_seen

    def _publish(self, status: Status) -> None:
        state = self._state
        now_ns = time.monotonic_ns()
        state["at_ns"] = now_ns
        state["joints"] = status.reading.joints_deg
        state["velocity"] = status.reading.velocity_deg_s
        state["current"] = status.reading.current_a
        moves = bool((np.abs(state["goal"] - status.goal_deg) > STILL_DEG).any())
        if moves and not self._goal_moved:
            state["moving_since_ns"] = now_ns
        self._goal_moved = moves
        state["goal"] = status.goal_deg
        state["ee_m"] = self._tool.position(status.reading.joints_deg)
        state["mode"] = _MODES[status.mode].value.encode()
        reason = "the station is silent" if self._station_silent else status.reason
        state["reason"] = reason.encode()[:64]
        state["clipped"] = ",".join(sorted(status.clipped)).encode()[:64]
        state["clipped_ticks"] += status.narrowed
        self._publish_task(self._arm.task_state())
        self._board.arm.write(state)

    def _publish_task(self, task: TaskState) -> None:
        state = self._state
        state["success"], state["progress"], state["reward"] = task.success, task.progress, task.reward
        state["object_m"], state["goal_m"] = task.object_position_m, task.goal_position_m
        state["scene"] = self._arm.scene()

    def _tell_mode(self, status: Status) -> None:
        """Stops and parking go into the log; the arm holds between any two episodes, which nobody wants to read."""
        before, self._mode = self._mode, status.mode
        if before is status.mode or not {before, status.mode} & {Mode.STOPPED, Mode.PARKING}:
            return
        level = Level.WARNING if status.mode is Mode.STOPPED else Level.INFO
        text = f"{status.mode.value}" + (f": {status.reason}" if status.reason else "")
        self._say(level, text)

    def _say(self, level: Level, text: str) -> None:
        self._desk.mailbox.emit(LogLine(self._desk.name, level, text, time.time()))
