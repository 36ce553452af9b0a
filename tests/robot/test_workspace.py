"""From where an arm has been to the box it needs: what is counted, what is refused, what is printed."""

from itertools import product

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.altered import altered
from workers.config import Config
from workers.config.robot import MOTORS
from workers.robot.build import configured_limits, kinematics_of, limits_of
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import admit
from workers.robot.workspace import Extent, joint_limits, problems, tutorial_lines

CONFIG = altered({})
RESET = np.array(CONFIG.env.reset_pose)
KINEMATICS = kinematics_of(CONFIG)
RESET_M = KINEMATICS.position(RESET)
AWAY_M = np.full(3, 9.0)
places = st.lists(
    st.tuples(*[st.floats(-0.5, 0.5)] * 3, *[st.floats(-180.0, 180.0)] * 6), min_size=1, max_size=30
)


def extent(*places_m: tuple[float, float, float]) -> Extent:
    seen = Extent()
    for place in places_m:
        seen.note(np.array(place), RESET)
    return seen


def told(seen: Extent, margin_m: float = 0.0, floor_m: float = 0.01) -> list[str]:
    return list(problems(seen, seen.box(margin_m, floor_m, RESET_M), RESET_M))


@given(places)
def test_every_place_that_counted_is_within_what_was_seen(seen: list[tuple[float, ...]]) -> None:
    book = Extent()
    for place in seen:
        book.note(np.array(place[:3]), np.array(place[3:]))
    values = np.array(seen)
    assert book.samples == len(seen)
    assert (book.ee_min_m == values[:, :3].min(axis=0)).all() and (
        book.ee_max_m == values[:, :3].max(axis=0)
    ).all()
    assert (book.joints_min_deg == values[:, 3:].min(axis=0)).all()
    assert (book.joints_max_deg == values[:, 3:].max(axis=0)).all()


def test_a_broken_reading_counts_for_nothing() -> None:
    seen = extent((0.2, 0.0, 0.1))
    seen.note(np.array([np.nan, 0.0, 0.0]), RESET)
    seen.note(np.array([0.9, 0.9, 0.9]), np.full(6, np.inf))
    assert seen.samples == 1 and seen.ee_max_m.tolist() == [0.2, 0.0, 0.1]


@given(places, st.floats(0.0, 0.1), st.floats(-0.1, 0.1))
def test_a_margin_widens_every_side_but_never_goes_below_the_floor(
    seen: list[tuple[float, ...]], margin_m: float, floor_m: float
) -> None:
    book = extent(*[place[:3] for place in seen])  # type: ignore[misc]
    box = book.box(margin_m, floor_m, AWAY_M)
    assert box.min_m[:2] == pytest.approx(book.ee_min_m[:2] - margin_m, abs=1e-4)
    assert box.max_m == pytest.approx(book.ee_max_m + margin_m, abs=1e-4)
    assert box.min_m[2] == pytest.approx(max(book.ee_min_m[2] - margin_m, floor_m), abs=1e-4)


def test_nothing_counted_is_no_workspace() -> None:
    (problem,) = told(Extent())
    assert "nothing was counted" in problem


def test_an_arm_nobody_moved_is_told_axis_by_axis_and_a_margin_does_not_hide_it() -> None:
    tiny = extent(tuple(RESET_M), tuple(np.add(RESET_M, [0.001, 0.029, 0.1])))
    for margin_m in (0.0, 0.05):
        narrow = told(tiny, margin_m)
        assert [problem[0] for problem in narrow] == ["x", "y"]
        assert "only 0.1 cm, the least is 3 cm; move it along x" in narrow[0]
        assert "only 2.9 cm" in narrow[1]


def test_three_centimetres_around_the_reset_pose_are_a_workspace() -> None:
    assert told(extent(tuple(RESET_M - 0.0151), tuple(RESET_M + 0.0151))) == []


def test_a_reset_pose_outside_says_where_it_is_and_the_two_ways_out() -> None:
    beside = extent((RESET_M[0] + 0.02, -0.1, 0.02), (RESET_M[0] + 0.12, 0.1, 0.15))
    (problem,) = told(beside)
    assert "[0.220, 0.000, 0.080] m, outside: x is 2.0 cm below 0.2398" in problem
    assert "Move the arm there too" in problem and "fixed_reset_joint_positions" in problem
    assert told(beside, margin_m=0.021) == []


def around(
    *, low_m: tuple[float, float, float], high_m: tuple[float, float, float] = (0.1, 0.05, 0.06)
) -> Extent:
    """A box whose corners are given from the reset pose."""
    return extent(tuple(np.add(RESET_M, low_m)), tuple(np.add(RESET_M, high_m)))


def test_an_arm_that_sags_in_its_reset_pose_is_not_outside_of_it() -> None:
    sagging = around(low_m=(0.0, -0.05, -0.06), high_m=(0.1, 0.05, -0.001))
    assert told(sagging) == [] and sagging.box(0.0, 0.0, RESET_M).max_m[2] >= RESET_M[2] - 1e-4
    assert told(around(low_m=(0.002, -0.05, -0.01))) == []
    assert told(around(low_m=(0.004, -0.05, -0.01)))


def test_the_four_lines_read_as_lerobot_prints_them_with_their_true_units() -> None:
    seen = Extent()
    seen.note(np.array([0.1, -0.2, 0.03]), np.array([-10.0, 1.23456, 0, 0, 0, 5.0]))
    seen.note(np.array([0.3, 0.2, 0.2]), np.array([10.0, 2.0, 0, 0, 0, 95.0]))
    assert tutorial_lines(seen, seen.box(0.01, 0.0, RESET_M)) == (
        "# End Effector Bounds (x, y, z), metres:",
        "max_ee = [0.31, 0.21, 0.21]",
        "min_ee = [0.09, -0.21, 0.02]",
        "# Joint Position Limits, degrees (gripper: percent open):",
        "max_pos = [10.0, 2.0, 0.0, 0.0, 0.0, 95.0]",
        "min_pos = [-10.0, 1.2346, 0.0, 0.0, 0.0, 5.0]",
    )


@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate])  # too slow to shrink
@example((0.08, 0.02, 0.08), 0.0)  # its near corners are at the end of the reach
@example((0.08, 0.02, 0.02), 0.0078125)
@given(st.tuples(*[st.floats(0.02, 0.08)] * 3), st.floats(0.0, 0.02))
def test_the_joint_limits_keep_the_gate_from_no_corner_of_the_box(
    half: tuple[float, float, float], margin_m: float
) -> None:
    """The arm was only ever in the middle of each side; what keeps it from a corner is its reach alone."""
    seen = extent(
        *(tuple(RESET_M + sign * np.eye(3)[axis] * half[axis]) for axis in range(3) for sign in (-1, 1))
    )
    box = seen.box(margin_m, 0.01, RESET_M)
    bounds = {"min": box.min_m.tolist(), "max": box.max_m.tolist()}
    free = altered({"env.processor.inverse_kinematics.end_effector_bounds": bounds})
    limits = joint_limits(seen, box, RESET, KINEMATICS, 1.0)
    limited = altered({"env.robot.joint_limits_deg": limits}, free)
    for corner in product(*zip(box.min_m, box.max_m, strict=True)):
        assert driven_to(limited, np.array(corner)) == pytest.approx(
            driven_to(free, np.array(corner)), abs=1e-3
        )


def driven_to(config: Config, corner_m: Floats) -> Floats:
    """Where the tool is after two seconds of being driven from the reset pose to a corner, through the gate."""
    kinematics, gate = kinematics_of(config), limits_of(config)
    reference = kinematics.reference(RESET)
    goal, velocity, aim = RESET.copy(), np.zeros(6), RESET.copy()
    for tick in range(100):
        target = RESET_M + (corner_m - RESET_M) * min(1.0, (tick + 1) / 60)
        aim = kinematics.step(target, aim, reference).joints_deg
        verdict = admit(aim, goal, velocity, goal, gate, kinematics, 0.02)
        goal, velocity = verdict.goal_deg, verdict.velocity_deg_s
    return kinematics.position(goal)


def test_joint_limits_stay_within_what_the_gate_allows_anyway_and_leave_the_gripper_alone() -> None:
    seen = extent((0.2, -0.1, 0.02), (0.3, 0.1, 0.15))
    seen.note(np.array([0.25, 0.0, 0.1]), np.array([0.0, 0.0, 0.0, 94.9, 0.0, 50.0]))
    limits = joint_limits(seen, seen.box(0.0, 0.01, RESET_M), RESET, KINEMATICS, 1.0)
    assert list(limits) == list(MOTORS[:GRIPPER])
    upper = KINEMATICS.joints.upper_deg[3] - 1.0
    assert limits["wrist_flex"][1] == pytest.approx(upper, abs=0.1)


def test_configured_joint_limits_narrow_gate_and_kinematics_alike() -> None:
    narrow = altered({"env.robot.joint_limits_deg": {"shoulder_pan": [-10.0, 12.0], "gripper": [0.0, 50.0]}})
    limits, before = limits_of(narrow), limits_of(CONFIG)
    assert (limits.lower_deg[0], limits.upper_deg[0], limits.upper_deg[GRIPPER]) == (-10.0, 12.0, 50.0)
    assert (limits.lower_deg[1:5] == before.lower_deg[1:5]).all()
    least, greatest = configured_limits(narrow)
    assert np.isinf(least[1]) and greatest[0] == 12.0
    aside = KINEMATICS.pose_at(np.array([0.1, 0.2, 0.1]), KINEMATICS.reference(RESET))
    assert abs(kinematics_of(CONFIG).inverse(aside, RESET).joints_deg[0]) > 30.0
    assert -10.0 - 1e-6 <= kinematics_of(narrow).inverse(aside, RESET).joints_deg[0] <= 12.0 + 1e-6
