"""The leader arm's worker: reads the arm in the person's hand, and moves it with the follower while nobody holds it.

It tells the actor where the leader is (`Board.teleop`), and that alone: what becomes of it is `leader_action`'s.
A leader that cannot be reached is no reason to end a run. The record then says so; the follower holds if the person
drives, and the policy goes on if it does.
"""

import contextlib
import logging
import time
from collections.abc import Callable

import numpy as np

from workers.config import Config
from workers.model.events import GateMode
from workers.robot.board import Board
from workers.robot.drivers import ArmGone, ArmReading, ArmRefused, ServoArm
from workers.robot.figures import JOINT_NAMES, Floats, JointRange
from workers.robot.gate import Limits, ToolPosition
from workers.runtime.harness import Desk, WorkerFailure
from workers.runtime.pacer import Pacer
from workers.teleop.device import DeviceWriter
from workers.teleop.leader_checks import impossible
from workers.teleop.leader_mirror import Mirror, Pull, Stance

LEADER_HZ = 50.0
TORQUE_PCT = 20.0  # a finger can turn it, and it still carries the arm where that is not stretched out
ARM_FRESH_S = 0.3
SILENT_TICKS = 8  # replies of one servo missed in a row: its joint is older than a command may be
ASKS_S = 0.5  # how long a hand that was felt asks for the follower
REOPEN_S = 1.0
RATE_PERIOD_S = 1.0
RELEASE_S = 0.5
NOT_FOUND = "not found"
log = logging.getLogger(__name__)
Opened = Callable[[], ServoArm]


def main(desk: Desk, config: Config, board: Board) -> None:
    """Until told to quit; then the torque goes, slowly. Raises WorkerFailure for an arm that is not this leader."""
    from workers.robot.build import leader_arm_of  # brings kinematics, as `loop_of` does

    again = bool(desk.restarts)

    def opened() -> ServoArm:
        nonlocal again
        arm = leader_arm_of(config, again)
        again = True
        if arm.slow:
            log.warning(arm.slow)
        return arm

    loop = loop_of(desk, config, board, opened)
    try:
        loop.run()
    finally:
        loop.release()


def loop_of(desk: Desk, config: Config, board: Board, opened: Opened) -> "LeaderLoop":
    """The loop that a configuration describes, over the arm that `opened` opens."""
    from workers.robot.build import arm_model_of, kinematics_of, limits_of

    joints, takes_over = arm_model_of(config).joints, config.env.teleop.takeover_by_motion
    return LeaderLoop(desk, board, opened, limits_of(config), kinematics_of(config), joints, takes_over)


class LeaderLoop:
    """One leader arm and its board; a tick reads, decides what the servos do, and publishes.

    Args:
        opened: opens the arm, torque as it is. Raises ArmGone while it is not there.
        joints: how far the joints of such an arm go.
        takes_over: a hand that moves the mirroring leader asks for the follower.
    """

    def __init__(
        self,
        desk: Desk,
        board: Board,
        opened: Opened,
        limits: Limits,
        tool: ToolPosition,
        joints: JointRange,
        takes_over: bool,
    ) -> None:
        self._desk, self._board, self._opened, self._joints = desk, board, opened, joints
        self._takes_over = takes_over
        self._mirror = Mirror(limits, tool, 1.0 / LEADER_HZ, TORQUE_PCT)
        self._pacer = Pacer(desk.name, 1.0 / LEADER_HZ)
        self._arm: ServoArm | None = None
        self._writer = DeviceWriter(board.teleop, "leader")
        self._stance, self._torque_pct = Stance.LIMP, 0.0
        self._asks_until_s = self._try_at_s = 0.0
        self._gone, self._was_there = NOT_FOUND, False

    def run(self) -> None:
        last_rate_s = time.monotonic()
        while self._desk.alive():
            self._desk.next_order()  # Quit is the only order; `alive` then says no
            self.tick(time.monotonic())
            if time.monotonic() - last_rate_s > RATE_PERIOD_S:
                last_rate_s = time.monotonic()
                self._desk.mailbox.emit(self._pacer.rate())
            self._pacer.wait()

    def tick(self, now_s: float) -> None:
        """One period. Raises WorkerFailure when this cannot be the leader of this arm."""
        try:
            if self._arm is None:
                self._open(now_s)
            if self._arm is not None:
                self._lead(self._arm, now_s)
        except ArmGone as gone:
            self._lose(str(gone), now_s)
        if self._arm is None:
            self._writer.gone(self._gone[:64])

    def release(self) -> None:
        """Take the torque off over half a second: a leader that nobody holds sinks instead of falling."""
        if self._arm is None:
            return
        try:
            while self._torque_pct > 0.0:
                self._desk.alive()
                self._torque_pct -= TORQUE_PCT / (RELEASE_S * LEADER_HZ)
                self._arm.cap_torque(np.full(6, max(1.0, self._torque_pct)))
                self._pacer.wait()
            self._arm.set_torque(False)
            self._arm.close()
        except ArmGone as gone:
            log.warning("the leader keeps its torque of %.0f %%: %s", TORQUE_PCT, gone)

    # the arm

    def _open(self, now_s: float) -> None:
        if now_s < self._try_at_s:
            return
        self._try_at_s = now_s + REOPEN_S
        try:
            arm = self._opened()
        except ArmRefused as refused:
            if self._was_there:
                raise
            raise WorkerFailure(str(refused)) from refused
        arm.set_torque(False)
        wrong = impossible(arm.read().joints_deg, self._joints)
        if wrong:
            arm.close()
            raise WorkerFailure(wrong)
        self._arm, self._was_there = arm, True
        self._go_limp()
        log.info("leader arm found")
        self._gone = ""

    def _go_limp(self) -> None:
        """Begin anew, with an arm whose torque is off."""
        self._stance, self._torque_pct = Stance.LIMP, 0.0
        self._mirror.restart()

    def _lose(self, why: str, now_s: float) -> None:
        if self._arm is not None:
            with contextlib.suppress(ArmGone):
                self._arm.close()
        self._arm, self._try_at_s = None, now_s + REOPEN_S
        if why != self._gone:
            log.warning("leader arm: %s", why)
        self._gone = why

    def _lead(self, arm: ServoArm, now_s: float) -> None:
        reading = arm.read()
        silent = _silent(reading)
        if silent or not np.isfinite(reading.joints_deg).all():
            self._writer.gone((silent or "its joints are no numbers")[:64])
            return
        if reading.health is not None and any(reading.health.unpowered):
            log.warning("leader arm: its supply was gone for a moment")
            arm.set_torque(False)
            self._go_limp()
        pull = self._mirror.tick(reading.joints_deg, self._arm_deg(now_s), not self._person_drives())
        self._apply(arm, pull)
        if self._mirror.taken and self._takes_over:
            self._asks_until_s = now_s + ASKS_S
        asks = now_s < self._asks_until_s
        self._writer.write(asks, np.zeros(3), 0.0, reading.joints_deg, self._mirror.trouble)

    def _apply(self, arm: ServoArm, pull: Pull) -> None:
        if pull.torque_pct != self._torque_pct:
            if pull.torque:
                arm.cap_torque(np.full(6, max(1.0, pull.torque_pct)))
            if pull.torque is not (self._torque_pct > 0.0):
                arm.set_torque(pull.torque)
            self._torque_pct = pull.torque_pct
        if pull.torque:
            arm.write(pull.goal_deg)
        if pull.stance is not self._stance:
            self._stance = pull.stance
            log.info("leader arm: %s", pull.stance.value)

    # the board

    def _arm_deg(self, now_s: float) -> Floats | None:
        """Where the follower is [6]; None while that is not known, or a stop is latched."""
        read = self._board.arm.read()
        if read is None or now_s - float(read[1]["at_ns"]) / 1e9 > ARM_FRESH_S:
            return None
        state = read[1]
        joints: Floats = state["joints"].copy()
        stopped = state["mode"].decode() == GateMode.STOPPED
        return None if stopped or not np.isfinite(joints).all() else joints

    def _person_drives(self) -> bool:
        """Whether the person moves the arm now; on its way to the start of an episode nobody does."""
        read = self._board.target.read()
        return read is not None and bool(read[1]["human"] and read[1]["moving"])


def _silent(reading: ArmReading) -> str:
    """Which servos have not answered for so long that their joints are no command; "" of none."""
    if reading.health is None:
        return ""
    names = [
        name
        for name, misses in zip(JOINT_NAMES, reading.health.misses, strict=True)
        if misses >= SILENT_TICKS
    ]
    return f"no reply from {', '.join(names)}" if names else ""
