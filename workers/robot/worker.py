"""Robot worker: one arm at its own fixed rate. Reads shared memory, ticks the controller, publishes the arm's state."""

import time
from collections.abc import Callable

import numpy as np

from workers.config import Config
from workers.model.events import GateMode, Level, LogLine, Phase, PhaseChanged
from workers.robot.board import ARM_STATE, Board, fitting
from workers.robot.body import Body
from workers.robot.controller import ArmController, JointTarget, Mode, Status
from workers.robot.drivers import ArmGone
from workers.robot.figures import Floats
from workers.robot.gate import Limits, ToolPosition
from workers.robot.health import ACKNOWLEDGE
from workers.runtime.harness import Desk
from workers.runtime.pacer import Pacer
from workers.runtime.phases import ROBOT_S
from workers.runtime.shared import Newest, Record

STATION_LIMIT_S = 1.0  # the station says something every 0.1 s
RESET_FRESH_S = 2.0  # whoever asked for a reset longer ago has given it up
ORDER_TICKS = 10  # between two looks for orders: what is urgent comes by shared memory
BROKEN_TICKS = 3  # 60 ms at 50 Hz
RATE_PERIOD_S = 1.0
SETTLES_DEG = 0.4  # a period: by no more do joints bring the tool's direction back behind a step
_MODES = {
    Mode.ENGAGED: GateMode.ENGAGED,
    Mode.HOLD: GateMode.HOLD,
    Mode.PARKING: GateMode.PARK,
    Mode.STOPPED: GateMode.STOPPED,
    Mode.APPROACH: GateMode.ENGAGED,
    Mode.LIMP: GateMode.LIMP,
}


def main(desk: Desk, config: Config, board: Board) -> None:
    """Run the arm until told to quit or something breaks, then park and leave. Raises WorkerFailure."""
    from workers.robot.build import kinematics_of, limits_of
    from workers.robot.opening import body_of

    limits, kinematics = limits_of(config), kinematics_of(config)
    body = body_of(desk, config, board, limits, kinematics)
    loop = RobotLoop(desk, config, board, body, limits, kinematics)
    try:
        loop.run()
    finally:
        loop.park()


class RobotLoop:
    """One arm and its board; a tick reads, gates, writes and publishes."""

    def __init__(
        self, desk: Desk, config: Config, board: Board, body: Body, limits: Limits, tool: ToolPosition
    ) -> None:
        self._desk = desk
        self._board = board
        self._body = body
        self._tick_s = 1.0 / config.env.arm.loop_hz
        self._period_s = 1.0 / config.env.fps
        self._reset_speed_deg_s = config.env.arm.safety.reset_speed_deg_s
        self._tool = tool
        self._controller = ArmController(
            body.arm,
            limits,
            tool,
            self._tick_s,
            self._period_s,
            body.park_speed_deg_s,
            together=not config.simulated,
            # of a real arm the tick that holds falls within two periods, not after them
            stale_s=None if config.simulated else 2.0 * self._period_s - self._tick_s,
        )
        self._pacer = Pacer(desk.name, self._tick_s, ROBOT_S)
        self._state = np.zeros((), ARM_STATE)
        self._word, self._asked = Newest(board.word), Newest(board.target)
        # What was asked of a predecessor is not this worker's to do: the actor asks again for its next episode.
        asked = self._asked.look()
        self._reset_seen = 0 if asked is None else asked["reset_wanted"]
        self._target: JointTarget | None = None
        self._target_record: Record | None = None
        self._station_silent = False
        self._goal: Floats = np.zeros(6)
        self._still_deg = 2.0 * SETTLES_DEG * self._tick_s / self._period_s  # ticks are not all alike
        self._goal_moved = False
        self._words: tuple[object, ...] = ()  # of the state, as they were published last
        self._clipped_ticks = 0
        self._mode = Mode.HOLD
        self._nonsense = ""  # what was asked for that is no number; latched like a stop
        word = self._word.look()
        self._acknowledged = 0 if word is None else word["acknowledged"]
        self._phase_s = 0
        self._ticks = 0

    def run(self) -> None:
        last_rate_s = time.monotonic()
        while self._desk.alive():
            if self._ticks % ORDER_TICKS == 0:
                self._desk.next_order()  # Quit is the only order; `alive` then says no
            self._ticks += 1
            self.tick()
            if time.monotonic() - last_rate_s > RATE_PERIOD_S:
                last_rate_s = time.monotonic()
                self._desk.mailbox.emit(self._pacer.rate())
            self._pacer.wait()

    def park(self) -> None:
        """To the rest pose; where a stop or the time ends that, hold. Then the body is left, and says how."""
        body, self._nonsense = self._body, ""
        self._guarded(self._heed_station)
        why = body.end()
        until_s = time.monotonic() + body.park_limit_s
        while not why and time.monotonic() < until_s:
            self._desk.alive()  # a sign of life; what it answers is known
            now_s = time.monotonic()
            self._guarded(self._heed_station)
            self._guarded(self._go_home)
            status = self._drive(None, now_s)
            if status.parked or status.mode in (Mode.STOPPED, Mode.LIMP):
                break
            word = self._word.look()
            if word is not None and word["abandoned"]:
                status = self._hold("left by a second Ctrl-C")
                break
            self._tell_parking()
            self._pacer.wait()
        else:
            status = self._hold(why or "not parked in time")
            if not why:
                self._say(
                    Level.WARNING,
                    f"did not reach the rest pose in {body.park_limit_s} s; the arm holds where it is",
                )
        body.leave(status)

    def _go_home(self) -> None:
        """On the way to the rest pose, unless something is in it."""
        if self._controller.mode not in (Mode.PARKING, Mode.STOPPED, Mode.LIMP) and not self._body.waits:
            self._controller.park(self._body.rest_pose, self._body.park_within_s)

    def _hold(self, reason: str) -> Status:
        self._guarded(lambda: self._controller.hold(reason))
        return self._drive(None, time.monotonic())

    def _tell_parking(self) -> None:
        """Every second of the way at the end of a run, how long it still takes."""
        left_s = round(self._controller.left_s)
        if self._desk.quitting and left_s != self._phase_s and self._controller.mode is Mode.PARKING:
            self._phase_s = left_s
            self._desk.mailbox.emit(PhaseChanged(Phase.STOPPING, f"parking, {left_s} s"))

    def tick(self) -> None:
        """One period: the station's word, the actor's newest target, the arm."""
        self._guarded(self._heed_station)
        asked = None if self._station_silent else self._asked.look()
        self._guarded(lambda: self._heed_reset(asked))
        if asked is not self._target_record:
            self._target, self._target_record = _target_of(asked), asked
        self._drive(self._target, time.monotonic())

    def _guarded(self, work: Callable[[], None]) -> None:
        """Work that moves between modes, and for that reads the arm, which may be gone."""
        try:
            work()
        except ArmGone as gone:
            self._body.lose(gone, self._controller)

    def _drive(self, target: JointTarget | None, now_s: float) -> Status:
        status = self._body.tick(self._controller, target, now_s)
        if self._controller.broken_ticks >= BROKEN_TICKS and not self._nonsense:
            self._nonsense = "asked for a goal that is no number, 3 times in a row"
            advice = f"the policy may have diverged: look at its losses. {ACKNOWLEDGE}"
            self._say(Level.ERROR, f"{self._nonsense}: stopped. {advice}")
        self._publish(status)
        self._tell_mode(status)
        self._body.pass_time()
        if status.parked and status.mode is Mode.APPROACH:
            self._guarded(self._arrive)
        return status

    def _arrive(self) -> None:
        self._controller.engage()
        self._state["reset_done"] = self._state["resetting"]

    def _heed_station(self) -> None:
        word = self._word.look()
        if word is None:
            return
        self._station_silent = time.monotonic() - word["at_ns"] / 1e9 > STATION_LIMIT_S
        self._body.heed(word, self._controller)
        if word["acknowledged"] != self._acknowledged:
            self._acknowledged, self._nonsense = word["acknowledged"], ""
        pressed = "stop key" if word["stops"] > word["clears"] else ""
        if why := pressed or self._body.fault or self._nonsense:
            self._controller.stop(why)
        else:
            self._controller.clear_stop()

    def _heed_reset(self, asked: Record | None) -> None:
        """Begin the reset that the actor asks for, a JOINT_TARGET, unless nobody may move the arm."""
        age_s = np.inf if asked is None else time.monotonic() - asked["at_ns"] / 1e9
        if self._controller.mode is Mode.APPROACH and age_s > self._controller.stale_s:
            self._controller.hold("the actor no longer asks for the start pose")
        if asked is None or asked["reset_wanted"] == self._reset_seen:
            return
        self._reset_seen = asked["reset_wanted"]
        if age_s < RESET_FRESH_S and self._controller.mode is not Mode.STOPPED and not self._body.waits:
            self._reset(asked["reset_seed"], asked["to_rest"])

    def _reset(self, seed: int, to_rest: bool) -> None:
        pose = self._body.rest_pose if to_rest else self._body.start_pose(seed)
        self._state["resetting"] = self._reset_seen
        self._controller.restart()
        if pose is not None:
            speed = self._body.park_speed_deg_s if to_rest else self._reset_speed_deg_s
            self._controller.approach(pose, speed, f"going to the {'rest' if to_rest else 'start'} pose")
            return
        self._controller.engage()
        self._state["reset_done"] = self._reset_seen

    def _publish(self, status: Status) -> None:
        state, reading = self._state, status.reading
        now_ns = time.monotonic_ns()
        state["at_ns"] = now_ns
        state["joints"] = reading.joints_deg
        state["velocity"] = reading.velocity_deg_s
        state["current"] = reading.current_a
        if status.goal_deg is not self._goal:  # a goal that stays is the same object
            ways = zip(self._goal.tolist(), status.goal_deg.tolist(), strict=True)
            moves = max(abs(to - was) for was, to in ways) > self._still_deg
            if moves and not self._goal_moved:
                state["moving_since_ns"] = now_ns
            self._goal_moved, self._goal = moves, status.goal_deg
            state["goal"] = status.goal_deg
        else:
            self._goal_moved = False
        state["ee_m"] = self._tool.point(reading.joints_deg.tolist())
        waits = self._body.waits
        reason = "the station is silent" if self._station_silent else waits or status.reason
        words = status.mode, reason, status.clipped, bool(waits), self._body.unconfirmed
        if words != self._words:
            self._words = words
            state["mode"] = _MODES[status.mode].value.encode()
            state["reason"] = fitting(reason, 160)
            state["barred"], state["unconfirmed"] = bool(waits), self._body.unconfirmed
            state["clipped"] = ",".join(sorted(status.clipped)).encode()[:64]
        if status.narrowed:
            self._clipped_ticks += 1
            state["clipped_ticks"] = self._clipped_ticks
        self._body.publish(state)
        self._board.arm.write(state)

    def _tell_mode(self, status: Status) -> None:
        """Stops and parking go into the log; the arm holds between any two episodes, which nobody wants to read."""
        before, self._mode = self._mode, status.mode
        if before is status.mode or not {before, status.mode} & {Mode.STOPPED, Mode.PARKING, Mode.LIMP}:
            return
        level = Level.WARNING if status.mode is Mode.STOPPED else Level.INFO
        text = f"{status.mode.value}" + (f": {status.reason}" if status.reason else "")
        self._say(level, text)

    def _say(self, level: Level, text: str) -> None:
        self._desk.mailbox.emit(LogLine(self._desk.name, level, text, time.time()))


def _target_of(asked: Record | None) -> JointTarget | None:
    """What the arm is to follow, if anything, of a JOINT_TARGET."""
    if asked is None or not asked["moving"]:
        return None
    return JointTarget(asked["joints"], asked["at_ns"] / 1e9, asked["number"])
