"""Which joints are stalled: they push as hard as the gate lets them, and do not move. Pure.

A goal that dithers crosses a blocked joint again and again, and the servo does not push while it does. So a joint is
watched from its first push on, as long as it stands still and is pushed again soon; what tells a blocked joint from one
that rests where it was sent is that the goal went elsewhere meanwhile, and the joint did not follow.
Units: degrees, seconds of the caller's clock, percent of a servo's torque, ampere.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.robot.figures import GRIPPER, JOINT_NAMES, Floats

Flags = NDArray[np.bool_]
STEP_DEG: Final = 360.0 / 4096.0
STALL_ERROR_DEG: Final = 60 * STEP_DEG
STALL_MOVED_DEG: Final = 3 * STEP_DEG
STALL_S: Final = (
    0.34  # with what a servo needs to build up its push, and the period that finds it, below 0.45 s
)
STALL_CURRENT_A: Final = 2.0  # the servo's own protection trips at 3.25 A (register 28), after 2 s
BOUND: Final = 0.95  # of the greatest error: a blocked joint is at it, whatever the encoder's last step says
ROAMED: Final = 0.5  # of that bound: so far a goal goes before a joint that is free must have followed
LULL_S: Final = (
    0.32  # between two pushes; from lead to lead a goal takes 0.2 s at 50 deg/s, 0.3 s at half of that
)
RECENT_S: Final = 0.2  # since the last push, of a joint that is found while the goal crosses it


class StallWatch:
    """Watches the joints of one arm [6], reading by reading."""

    def __init__(self, push: Floats, load_pct: float) -> None:
        """`push` [6]: share of a stall's error and effort that a blocked joint reaches; see `Thresholds.pushes`."""
        self._bound_deg = BOUND * push * STALL_ERROR_DEG
        self._load_pct, self._current_a = push * load_pct, push * STALL_CURRENT_A
        self._load_limits, self._current_limits = self._load_pct.tolist(), self._current_a.tolist()
        self.stalled: Flags = np.zeros(len(JOINT_NAMES), bool)
        self.acknowledge()

    def acknowledge(self) -> None:
        """Whatever was found is seen to."""
        nowhere, never = np.zeros(len(JOINT_NAMES)), np.full(len(JOINT_NAMES), np.inf)
        self.stalled[:] = False
        self._since_s = never.copy()  # its first push without a motion since
        self._pushed_s = -never  # its last push
        self._stood_at, self._least_goal, self._greatest_goal = nowhere.copy(), nowhere.copy(), nowhere.copy()
        self._moves, self._lulls = np.zeros(
            (2, len(JOINT_NAMES)), np.int64
        )  # readings: moved since; no push since
        self._is_calm = False  # nobody is watched

    def rests(self, load_pct: Sequence[float], current_a: Floats) -> bool:
        """Whether no joint is watched and none works hard: then there is nothing to `take`. Nearly always so."""
        most = zip(load_pct, self._load_limits, current_a.tolist(), self._current_limits, strict=True)
        return self._is_calm and not any(abs(load) >= a or abs(current) >= b for load, a, current, b in most)

    def take(
        self,
        joints_deg: Floats,
        goal_deg: Floats,
        load_pct: Floats,
        current_a: Floats,
        new: Flags,
        now_s: float,
    ) -> Flags:
        """The joints that are found stalled now, from what they measure [6]; those not `new` repeat older figures."""
        works = (np.abs(load_pct) >= self._load_pct) | (np.abs(current_a) >= self._current_a)
        pushes = works & (np.abs(goal_deg - joints_deg) > self._bound_deg) & ~self.stalled
        pushes[GRIPPER] = False  # it holds an object: its own torque limit is what protects it
        moves = np.abs(joints_deg - self._stood_at) > STALL_MOVED_DEG
        self._watch(pushes, moves, joints_deg, goal_deg, new, now_s)
        stands = ~moves & (now_s - self._since_s >= STALL_S - 1e-6)
        crossed = self._roamed & (now_s - self._pushed_s <= RECENT_S)
        found: Flags = stands & (pushes | crossed)
        self.stalled |= found
        return found

    @property
    def _roamed(self) -> Flags:
        return self._greatest_goal - self._least_goal >= ROAMED * self._bound_deg

    def _watch(
        self, pushes: Flags, moves: Flags, joints_deg: Floats, goal_deg: Floats, new: Flags, now_s: float
    ) -> None:
        """Since when, and where, each joint stands. It takes two readings to end that: one may be a damaged packet."""
        self._moves += moves & new
        over = (self._moves > 1) | self.stalled | (now_s - self._pushed_s > LULL_S)
        rested = (self._lulls > 1) & ~self._roamed  # it may be that it stood where it was sent
        begins = pushes & (over | rested | np.isinf(self._since_s))
        self._since_s = np.where(begins, now_s, np.where(over, np.inf, self._since_s))
        self._stood_at = np.where(begins, joints_deg, self._stood_at)
        self._least_goal = np.where(begins, goal_deg, np.minimum(self._least_goal, goal_deg))
        self._greatest_goal = np.where(begins, goal_deg, np.maximum(self._greatest_goal, goal_deg))
        self._moves[begins] = 0
        self._pushed_s = np.where(pushes, now_s, self._pushed_s)
        self._lulls = np.where(pushes, 0, self._lulls + new)
        self._is_calm = bool(np.isinf(self._since_s).all())
