"""A blocked joint is found whatever its goal does meanwhile; one that follows, or rests where it was sent, never is."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.robot.servo_cell import START, ServoCell
from tests.robot.ward import ELBOW, LEAD, TICK_S, one
from workers.model.events import GateMode
from workers.robot.health import Thresholds
from workers.robot.stall import StallWatch

SPEED_DEG_S, ACCELERATION_DEG_S2, LEAD_DEG = 50.0, 500.0, 3.5
LOAD_PCT_DEG = 13.6  # a servo pushes in proportion to its error; with a gain of 16 so much (emulated)
FOUND_S = 0.45


class Dither:
    """A goal that is sent to and fro, `half_s` each way, by the gate's speed, acceleration and lead."""

    def __init__(self, half_s: float, late_s: float = 0.0) -> None:
        self.goal_deg, self._speed, self._now_s, self._half_s = 0.0, 0.0, late_s, half_s

    def go(self, joint_deg: float) -> float:
        way = 1.0 if math.floor(self._now_s / self._half_s) % 2 == 0 else -1.0
        self._speed = min(max(self._speed * way, 0.0) + ACCELERATION_DEG_S2 * TICK_S, SPEED_DEG_S)
        wanted = self.goal_deg + way * self._speed * TICK_S
        kept = min(max(wanted, joint_deg - LEAD_DEG), joint_deg + LEAD_DEG)
        self._speed = (kept - self.goal_deg) / TICK_S
        self.goal_deg, self._now_s = kept, self._now_s + TICK_S
        return kept


class Watched:
    """The elbow of an arm that is watched: when it was as far off its goal as it may be first, and found last."""

    def __init__(self) -> None:
        self.watch = StallWatch(Thresholds.pushes(LEAD), 60.0)
        self.now_s, self.pushed_s, self.found_s = 0.0, math.inf, math.inf

    def see(self, joint_deg: float, goal_deg: float, load_pct: float | None = None) -> bool:
        error_deg = goal_deg - joint_deg
        load = LOAD_PCT_DEG * error_deg if load_pct is None else load_pct
        if abs(error_deg) > 0.95 * LEAD_DEG:
            self.pushed_s = min(self.pushed_s, self.now_s)
        found = self.watch.take(
            one(joint_deg), one(goal_deg), one(load), np.zeros(6), np.ones(6, bool), self.now_s
        )
        if found[ELBOW]:
            self.found_s = self.now_s
        self.now_s += TICK_S
        return bool(found[ELBOW])

    def runs(self, seconds: float, goal: Callable[[float], float], moves: Callable[[float], float]) -> bool:
        """Whether it is found; `moves`: an error in degrees -> degrees in one tick."""
        joint_deg = 0.0
        for _ in range(round(seconds / TICK_S)):
            goal_deg = goal(joint_deg)
            joint_deg += moves(goal_deg - joint_deg)
            if self.see(joint_deg, goal_deg):
                return True
        return False


def stands(error_deg: float) -> float:
    return 0.0


@pytest.mark.parametrize("half_s", [0.18, 0.2, 0.24, 0.26, 0.3, 0.34, 0.36, 0.38, 0.4, 0.5, 10.0])
def test_a_blocked_joint_is_found_in_450_ms_however_its_goal_turns(half_s: float) -> None:
    for late_s in np.arange(0.0, 2 * half_s, TICK_S):
        watched = Watched()
        assert watched.runs(2.0, Dither(half_s, float(late_s)).go, stands), (half_s, late_s)
        assert watched.found_s - watched.pushed_s <= FOUND_S, (half_s, late_s)


@pytest.mark.parametrize("half_s", [0.06, 0.1, 0.14, 0.2, 0.3, 0.4, 1.0])
@pytest.mark.parametrize(
    ("held_deg", "top_deg_s"), [(0.0, 270.0), (2.6, 270.0), (2.9, 40.0)], ids=["light", "sags", "creeps"]
)
def test_a_joint_that_follows_a_dither_is_not_stalled(
    half_s: float, held_deg: float, top_deg_s: float
) -> None:
    """`held_deg`: the error that its load takes up, either way (gravity, and the friction of its gears)."""

    def moves(error_deg: float) -> float:
        beyond = max(0.0, abs(error_deg) - held_deg)
        return math.copysign(min(beyond, top_deg_s * TICK_S), error_deg)

    assert not Watched().runs(20.0, Dither(half_s).go, moves)


def test_a_joint_that_rests_under_its_load_is_not_stalled_by_a_goal_that_trembles() -> None:
    watched, chance = Watched(), np.random.default_rng(3)
    for _ in range(3000):
        goal_deg = min(LEAD_DEG, 2.6 + abs(chance.normal(0.0, 0.5)))
        assert not watched.see(0.0, goal_deg)


def test_a_joint_that_was_pushed_once_and_then_rests_at_its_goal_is_not_stalled() -> None:
    for pushed_s in (0.02, 0.06, 0.1, 0.12):
        watched = Watched()
        for tick in range(100):
            assert not watched.see(0.0, LEAD_DEG if tick * TICK_S < pushed_s else 0.0), pushed_s


def test_one_damaged_reading_does_not_hide_a_joint_that_dithers_and_is_blocked() -> None:
    for damaged in range(2, 20):
        watched, goal = Watched(), Dither(0.26)
        for tick in range(40):
            goal_deg = goal.go(0.0)
            watched.see(1.5 if tick == damaged else 0.0, goal_deg)
        assert watched.found_s - watched.pushed_s <= FOUND_S, damaged


@pytest.mark.parametrize("half_s", [0.2, 0.3, 0.4])
def test_an_arm_that_is_blocked_while_its_goal_dithers_is_stopped(
    half_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = ServoCell(monkeypatch)
    cell.engage()

    def dither(seconds: float) -> None:
        for number in range(round(seconds / half_s)):
            cell.tick(half_s, aim=np.add(START, one(40.0 if number % 2 else -40.0)))

    dither(4.0)
    assert cell.mode is GateMode.ENGAGED, "while it follows"
    cell.arm.blocked[ELBOW] = True
    dither(1.2)
    assert cell.mode is GateMode.STOPPED and "elbow_flex is stalled" in cell.reason
