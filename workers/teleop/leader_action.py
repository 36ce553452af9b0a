"""Where the person moves the leader arm, as actions of a step or as joint targets.

The leader is coupled to the arm as by a clutch. At hand-over nothing moves, wherever the leader is: from then on the
arm goes the way that the leader goes. A difference between the two is never made up for by itself, since the arm must
not move while the hand is still; it is worked off while the leader moves, at a quarter of its way. So there is no
alignment to wait for at the beginning of a short correction, and none to be recorded as a demonstration.
Units: degrees (gripper: percent), metres.
"""

import numpy as np

from workers.processors.transition import Action, GripperCommand
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import ToolPosition

WORKED_OFF = 0.25  # of the leader's way
SQUEEZE_PCT = 15.0  # a trigger moved this far opens or closes the gripper; less is a finger that rests on it


class Clutch:
    """An offset between leader and arm, by which the leader's way becomes the arm's; any units, any dimension."""

    def __init__(self, leader: Floats, arm: Floats) -> None:
        """Engaged where both are now: the first `wanted` of a leader that has not moved is `arm`."""
        self._before, self._offset = leader.copy(), leader - arm

    def wanted(self, leader: Floats) -> Floats:
        """Where the arm is to be for a leader that is at `leader`."""
        way = float(np.linalg.norm(leader - self._before))
        apart = float(np.linalg.norm(self._offset))
        if apart > 0.0:
            self._offset = self._offset * max(0.0, 1.0 - WORKED_OFF * way / apart)
        self._before = leader.copy()
        wanted: Floats = leader - self._offset
        return wanted


class Trigger:
    """The leader's gripper as a person squeezes it: OPEN and CLOSE at a way, whatever stands between the jaws."""

    def __init__(self, closed_at_pct: float = 0.0) -> None:
        self._smaller, self._greater = (
            (GripperCommand.CLOSE, GripperCommand.OPEN)
            if closed_at_pct == 0.0
            else (GripperCommand.OPEN, GripperCommand.CLOSE)
        )
        self._least = self._most = np.nan

    def release(self) -> None:
        """Forget where it was."""
        self._least = self._most = np.nan

    def command(self, leader_pct: float) -> GripperCommand:
        """What a trigger that is now at `leader_pct` says; STAY until it has gone far enough in one direction."""
        self._least = float(np.fmin(self._least, leader_pct))
        self._most = float(np.fmax(self._most, leader_pct))
        if leader_pct < self._most - SQUEEZE_PCT:
            command = self._smaller
        elif leader_pct > self._least + SQUEEZE_PCT:
            command = self._greater
        else:
            return GripperCommand.STAY
        self._least = self._most = leader_pct
        return command


class LeaderAction:
    """The human action of a step from the leader's joints, in end-effector units."""

    def __init__(
        self, tool: ToolPosition, step_sizes_m: Floats, use_gripper: bool, closed_at_pct: float = 0.0
    ) -> None:
        """`step_sizes_m` [3]: the way of one action unit. `closed_at_pct`: the jaw's position when it is closed."""
        self._tool, self._step_sizes_m, self._use_gripper = tool, step_sizes_m, use_gripper
        self._clutch: Clutch | None = None
        self._trigger = Trigger(closed_at_pct)

    def release(self) -> None:
        """The person does not drive, or the leader is not there: the next action begins with no motion."""
        self._clutch = None
        self._trigger.release()

    def action(self, leader_deg: Floats, target_m: Floats) -> Action:
        """float32 [3 (+ 1)]: motion in [-1, 1], then any gripper command.

        `leader_deg` [6] is finite; `target_m` [3] is where the arm's tool is commanded to be.
        """
        leader_m = self._tool.position(leader_deg)
        if self._clutch is None:
            self._clutch = Clutch(leader_m, target_m)
        way_m = self._clutch.wanted(leader_m) - target_m
        motion = np.clip(way_m / self._step_sizes_m, -1.0, 1.0)
        gripper = [self._trigger.command(float(leader_deg[GRIPPER]))] if self._use_gripper else []
        return np.array([*motion, *gripper], np.float32)


class LeaderJoints:
    """Joint targets from the leader's joints: the arm takes on the leader's posture, not only its tool's place."""

    def __init__(self) -> None:
        self._clutch: Clutch | None = None

    def release(self) -> None:
        """The person does not drive, or the leader is not there: the next target begins with no motion."""
        self._clutch = None

    def target(self, leader_deg: Floats, goal_deg: Floats) -> Floats:
        """Joint target [6] for a leader at `leader_deg` [6]; `goal_deg` [6] is the arm's newest goal.

        It passes the safety gate like every target.
        """
        if self._clutch is None:
            self._clutch = Clutch(leader_deg, goal_deg)
        return self._clutch.wanted(leader_deg)
