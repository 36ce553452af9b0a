"""The robot side of the control path: newest target in, gated servo goals out, once per tick.

    target -> fresh? -> interpolate over one actor period -> gate -> servo

The controller has no clock, thread or queue of its own, so the real-time robot worker and the in-process
environment run the same code. Units: degrees (gripper: percent), seconds of the caller's clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from workers.robot.drivers import ArmDriver, ArmReading
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import Limit, Limits, ToolPosition, admit

_STALE_PERIODS = 2.0
SLOW_START_SHARE = 0.3  # of the speed limit, after a stop was cleared ...
_SLOW_START_S = 3.0  # ... rising to all of it while the arm follows targets for this long
_SAG_DEG = 2.6  # bench figure: what a servo at rest is off its goal under the arm's weight
_AT_REST_DEG_S = 3.0  # no joint faster: a servo at rest still tells a step or two a tick
_NOTHING: frozenset[Limit] = frozenset()


class Mode(StrEnum):
    """What the controller does with targets."""

    ENGAGED = "engaged"  # follows fresh targets
    HOLD = "hold"  # torque on, goal = where the arm is; asked for, or because targets went stale
    PARKING = "parking"  # slow move to a rest pose; holds there
    APPROACH = "approach"  # gated move to where an episode starts, of an arm that cannot jump; holds there
    LIMP = "limp"  # torque off: nothing is sent
    STOPPED = "stopped"  # latched until clear_stop()


@dataclass(frozen=True, slots=True)
class JointTarget:
    """Where the actor wants the arm one period after `stamp_s`."""

    joints_deg: Sequence[float] | Floats  # [6]
    stamp_s: float
    sequence: int


@dataclass(frozen=True, slots=True)
class Status:
    """What one tick measured and did."""

    mode: Mode
    reason: str  # why the arm holds or is stopped; empty while it follows
    reading: ArmReading
    goal_deg: Floats  # [6] sent to the servos
    clipped: frozenset[Limit]
    parked: bool  # stands where `park` or `approach` sent it

    @property
    def narrowed(self) -> bool:
        """Whether the goal is another than the target asks for: cut by a limit, or not followed at all."""
        return self.mode is not Mode.ENGAGED or bool(self.clipped)


class ArmController:
    """Follows joint targets through the safety gate. Starts in HOLD at the measured position.

    Args:
        together: of servos. On a way to a pose all joints arrive at once, so that the tool takes the same way whatever
            the pace; and a joint at rest keeps its goal where it only sags, or it would sink with every hold.
        stale_s: how old a target may be; two periods unless told otherwise.
    """

    def __init__(
        self,
        driver: ArmDriver,
        limits: Limits,
        tool: ToolPosition,
        tick_s: float = 0.02,
        period_s: float = 0.1,
        park_speed_deg_s: float = 25.0,
        together: bool = False,
        stale_s: float | None = None,
    ) -> None:
        self._driver, self._limits, self._tool = driver, limits, tool
        self._tick_s, self._period_s = tick_s, period_s
        self._park_speed_deg_s, self._way_limits = park_speed_deg_s, limits
        self._together = together
        self.stale_s = _STALE_PERIODS * period_s if stale_s is None else stale_s
        self._speed_share = 1.0
        self._mode = Mode.HOLD
        self._goal = driver.read().joints_deg
        self.restart()

    @property
    def mode(self) -> Mode:
        """What was asked for last; unlike `Status.mode`, ENGAGED also while targets are missing."""
        return self._mode

    def restart(self) -> None:
        """Forget targets and motion, HOLD at the measured position: at start-up or after a reset. A stop stays."""
        reading = self._driver.read()
        before, self._goal = self._goal, reading.joints_deg
        if self._together:
            lead = self._limits.lead_deg
            self._goal = np.clip(before, reading.joints_deg - lead, reading.joints_deg + lead)
            self._adopt(reading)
        self._velocity: Floats = np.zeros(len(self._goal))
        if self._mode is not Mode.STOPPED:
            self._mode, self._reason = Mode.HOLD, "not engaged"
        self.broken_ticks = 0
        self._way_pose: Floats | None = None
        self._following = False
        self._target: JointTarget | None = None
        self._seen = self._engaged_after = -1  # targets from before the last engage are never followed

    def engage(self) -> None:
        """Follow targets from now on, starting at rest from the measured position. Ignored while STOPPED or LIMP."""
        if self._may_move:
            self._adopt_measured()
            self._mode, self._reason = Mode.ENGAGED, ""
            self.broken_ticks = 0
            self._target, self._engaged_after = None, self._seen

    def hold(self, reason: str) -> None:
        """Stay at the measured position until `engage`. Ignored while STOPPED or LIMP."""
        if self._may_move:
            self._adopt_measured()
            self._mode, self._reason = Mode.HOLD, reason

    def stop(self, reason: str) -> None:
        """Stop at the measured position from the next tick on; latched until `clear_stop`."""
        before, self._mode, self._reason = self._mode, Mode.STOPPED, reason
        if before is not Mode.STOPPED:
            self._adopt_measured()

    def give_way(self) -> None:
        """Goal = where the arm is now, in whatever mode: it was pushed there, or sank."""
        self._adopt_measured()

    def clear_stop(self) -> None:
        """Acknowledge a stop: HOLD, waiting for `engage`; then the arm starts slowly. Ignored unless STOPPED."""
        if self._mode is Mode.STOPPED:
            self.start_slowly()
            self._mode, self._reason = Mode.HOLD, "stop cleared, not engaged"

    def limp(self, reason: str) -> None:
        """Send no goals: the torque is off, or goes off now. `restart` ends it, once the torque is on again."""
        self._mode, self._reason = Mode.LIMP, reason

    def start_slowly(self, share: float = SLOW_START_SHARE) -> None:
        """Move with this share of the speed limit at first, rising to all of it while the arm moves."""
        self._speed_share = share

    def park(self, pose_deg: Floats, within_s: float) -> None:
        """Move to `pose_deg` [6] and hold there; `Status.parked` tells when. Ignored while STOPPED or LIMP.

        Slowly, and faster only where that would take longer than `within_s`; never above the speed limit.
        """
        if self._may_move:
            self._adopt_measured()
            self._mode, self._reason = Mode.PARKING, "parking"
            self._set_out(pose_deg, self._park_speed_deg_s, within_s)

    def approach(self, pose_deg: Floats, speed_deg_s: float, reason: str) -> None:
        """Move to `pose_deg` [6] at no more than `speed_deg_s`; else as `park`, and slower after a stop."""
        if self._may_move:
            self._adopt_measured()
            self._mode, self._reason = Mode.APPROACH, reason
            self._set_out(pose_deg, speed_deg_s, np.inf)

    @property
    def left_s(self) -> float:
        """Seconds that the way to a pose still takes, about."""
        if self._way_pose is None:
            return 0.0
        return float((np.abs(self._way_pose - self._goal) / self._way_limits.speed_deg_s)[:GRIPPER].max())

    @property
    def _may_move(self) -> bool:
        return self._mode not in (Mode.STOPPED, Mode.LIMP)

    def _set_out(self, pose_deg: Floats, speed_deg_s: float, within_s: float) -> None:
        limits = self._limits
        self._way_pose = np.clip(pose_deg, limits.lower_deg, limits.upper_deg)
        ways_deg = np.abs(self._way_pose - self._goal)[:GRIPPER]
        furthest_deg = ways_deg.max()
        speed = np.minimum(limits.speed_deg_s, max(speed_deg_s, furthest_deg / within_s))
        speed[GRIPPER] = limits.speed_deg_s[GRIPPER]
        # The pose may lie outside the workspace box; joint limits, rate and lead still hold on the way.
        self._way_limits = replace(limits, box=None, speed_deg_s=speed)
        if self._together and furthest_deg > 0.0:
            shares = np.ones(len(self._goal))
            shares[:GRIPPER] = np.maximum(ways_deg / furthest_deg, 1e-3)
            acceleration = shares * limits.acceleration_deg_s2
            self._way_limits = replace(
                self._way_limits, speed_deg_s=shares * speed, acceleration_deg_s2=acceleration
            )

    def tick(self, target: JointTarget | None, now_s: float) -> Status:
        """Read the arm, follow the newest target (or hold), write one gated goal."""
        reading = self._driver.read()
        mode, reason, limits = self._mode, self._reason, self._limits
        request: Sequence[float] | Floats = self._goal
        was_following, self._following = self._following, False
        if mode is Mode.ENGAGED:
            waiting = self._waiting(target, now_s)
            if waiting or target is None:
                mode, reason = Mode.HOLD, waiting
                if was_following:
                    self._adopt(reading)
            else:
                self._following = True
                request, limits = self._interpolate(target, now_s), self._slowed(self._limits)
        elif mode is Mode.PARKING and self._way_pose is not None:
            request, limits = self._way_pose, self._way_limits
        elif mode is Mode.APPROACH and self._way_pose is not None:
            request, limits = self._way_pose, self._slowed(self._way_limits)
        clipped = _NOTHING
        if mode in (Mode.ENGAGED, Mode.PARKING, Mode.APPROACH):
            clipped = self._move(request, reading, limits)
        if mode is Mode.LIMP:
            self._goal = reading.joints_deg
        else:
            self._driver.write(self._goal)
        self._seen = self._seen if target is None else max(self._seen, target.sequence)
        return Status(mode, reason, reading, self._goal, clipped, self._is_parked(reading))

    def _waiting(self, target: JointTarget | None, now_s: float) -> str:
        """Why there is nothing to follow, or an empty string."""
        if target is None or target.sequence <= self._engaged_after:
            return "waiting for the first target"
        age_s = now_s - target.stamp_s
        if age_s > self.stale_s + 1e-9:
            return f"no target for {age_s:.1f} s"
        return ""

    def _interpolate(self, target: JointTarget, now_s: float) -> list[float]:
        """Where to be after this tick: on the straight joint line that takes one period."""
        if self._target is None or target.sequence != self._target.sequence:
            self._target, self._line_from_s = target, now_s
            ends = [float(each) for each in target.joints_deg]
            self._line = [(start, end - start) for start, end in zip(self._goal.tolist(), ends, strict=True)]
        done = min(1.0, (now_s - self._line_from_s + self._tick_s) / self._period_s)
        return [start + done * way for start, way in self._line]

    def _slowed(self, limits: Limits) -> Limits:
        """These limits, slower for a while after a stop was cleared."""
        share = self._speed_share
        if share >= 1.0:
            return limits
        self._speed_share = min(1.0, share + (1.0 - SLOW_START_SHARE) * self._tick_s / _SLOW_START_S)
        if limits is not self._limits:  # on a way that is slower by itself
            share = min(1.0, share * float((self._limits.speed_deg_s / limits.speed_deg_s)[:GRIPPER].min()))
        return replace(limits, speed_deg_s=share * limits.speed_deg_s)

    def _move(
        self, request: Sequence[float] | Floats, reading: ArmReading, limits: Limits
    ) -> frozenset[Limit]:
        verdict = admit(
            request, self._goal, self._velocity, reading.joints_deg, limits, self._tool, self._tick_s
        )
        self._goal, self._velocity = verdict.goal_deg, verdict.velocity_deg_s
        self.broken_ticks = self.broken_ticks + 1 if Limit.FINITE in verdict.clipped else 0
        return verdict.clipped

    def _adopt_measured(self) -> None:
        self._adopt(self._driver.read())
        self._following = False

    def _adopt(self, reading: ArmReading) -> None:
        """Goal = present position; the jaw keeps its goal, and with it the grip on whatever it holds."""
        jaw = self._goal[GRIPPER]
        adopts = np.isfinite(reading.joints_deg)
        if self._together:
            sags = np.abs(self._goal - reading.joints_deg) <= _SAG_DEG
            adopts &= ~(sags & (np.abs(reading.velocity_deg_s) <= _AT_REST_DEG_S))
        self._goal = np.where(adopts, reading.joints_deg, self._goal)
        self._goal[GRIPPER] = jaw
        self._velocity = np.zeros(len(self._goal))

    def _is_parked(self, reading: ArmReading) -> bool:
        if self._mode not in (Mode.PARKING, Mode.APPROACH) or self._way_pose is None:
            return False
        arrived = np.abs(self._goal - self._way_pose).max() < 1e-6
        near = np.abs(reading.joints_deg - self._way_pose)[:GRIPPER].max() < self._limits.lead_deg[0]
        rests = self._mode is Mode.PARKING or np.abs(reading.velocity_deg_s)[:GRIPPER].max() < _AT_REST_DEG_S
        return bool(arrived and near and rests)
