"""Surveying: what counts, when it ends, and what the person may still want then."""

import pytest

from tests.altered import altered
from workers.config import BoundsConfig
from workers.config.processor import SMALLEST_BOX_M
from workers.config.survey import reach, surveying
from workers.model.survey import Stage
from workers.robot.build import kinematics_of
from workers.station.survey import BOUNDS, JOINT_LIMITS, Place, Surveying, Wanted

CONFIG = surveying(altered({}))
KINEMATICS = kinematics_of(CONFIG)
PRESENT = BoundsConfig(min=(0.1, -0.1, 0.01), max=(0.3, 0.1, 0.2))
RESET = CONFIG.env.reset_pose
CORNERS = ((0.2, -0.05, 0.03), (0.3, 0.05, 0.12))


def begun(**wanted: float) -> Surveying:
    return Surveying(Wanted(**wanted), CONFIG, PRESENT, KINEMATICS)  # type: ignore[arg-type]


def at(*ee_m: float) -> Place:
    return Place(ee_m, RESET)  # type: ignore[arg-type]


def wave(survey: Surveying, seconds: float = 1.0) -> None:
    """Drive to both corners of a box around the reset pose."""
    for corner in CORNERS:
        survey.pass_time(seconds / 2, at(*corner), driven=True)


def counted(**wanted: float) -> Surveying:
    survey = begun(warm_up_s=0.0, **wanted)
    survey.pass_time(0.01, at(*CORNERS[0]), driven=True)
    wave(survey)
    return survey


def test_the_clock_waits_until_somebody_drives_and_stops_while_nobody_does() -> None:
    survey = begun(warm_up_s=2.0, duration_s=5.0)
    survey.pass_time(100.0, at(0.2, 0.0, 0.1), driven=False)
    assert survey.stage is Stage.WAITING
    survey.pass_time(1.0, at(0.2, 0.0, 0.1), driven=True)
    survey.pass_time(50.0, at(0.2, 0.0, 0.1), driven=False)
    assert (survey.stage, survey.seen().left_s) == (Stage.WARM_UP, 1.0)
    survey.pass_time(1.0, at(0.2, 0.0, 0.1), driven=True)
    survey.pass_time(4.0, at(0.2, 0.0, 0.1), driven=True)
    survey.pass_time(50.0, at(0.2, 0.0, 0.1), driven=False)
    assert (survey.stage, survey.seen().left_s) == (Stage.COUNTING, 1.0)
    survey.pass_time(1.0, at(0.2, 0.0, 0.1), driven=True)
    assert survey.stage is Stage.DONE


def test_nothing_counts_in_the_warm_up() -> None:
    survey = begun(warm_up_s=5.0)
    survey.pass_time(1.0, at(-0.4, 0.4, 0.5), driven=True)
    assert survey.seen().axes is None
    survey.pass_time(4.0, at(-0.4, 0.4, 0.5), driven=True)
    survey.pass_time(0.1, at(*CORNERS[0]), driven=True)
    axes = survey.seen().axes
    assert axes is not None and [axis.low for axis in axes] == list(CORNERS[0])


def test_what_was_seen_can_be_written_once_it_is_wide_enough() -> None:
    survey = counted()
    assert survey.seen().left_s is None
    survey.done()
    assert survey.stage is Stage.DONE and survey.problems == ()
    values = survey.values()
    assert values[(*BOUNDS, "min")] == list(CORNERS[0]) and values[(*BOUNDS, "max")] == list(CORNERS[1])
    assert {path[-1] for path in values if path[:3] == JOINT_LIMITS} == {
        "shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll",
    }  # fmt: skip


def test_nothing_is_added_after_it_is_done_unless_it_goes_on() -> None:
    survey = counted(duration_s=1.0)
    assert survey.stage is Stage.DONE
    survey.pass_time(1.0, at(0.4, 0.3, 0.4), driven=True)
    assert survey.seen().box_max_m == CORNERS[1]
    survey.go_on()
    assert survey.seen().left_s is None, "as long as the person wants"
    survey.pass_time(1.0, at(0.4, 0.3, 0.4), driven=True)
    assert survey.seen().box_max_m == (0.4, 0.3, 0.4)
    assert survey.seen().box_min_m == CORNERS[0]


def test_starting_over_forgets_what_was_seen_and_begins_the_whole_duration_anew() -> None:
    survey = counted(duration_s=1.0)
    survey.start_over()
    assert (survey.stage, survey.seen().axes, survey.seen().left_s) == (Stage.COUNTING, None, 1.0)
    waiting = begun(warm_up_s=3.0)
    waiting.start_over()
    assert waiting.stage is Stage.WAITING, "there is nothing to forget, and the warm-up is still to come"


def test_a_margin_changes_what_is_written_and_not_what_was_seen() -> None:
    survey = counted()
    survey.set_margin(0.01)
    seen = survey.seen()
    assert seen.box_min_m == pytest.approx((0.19, -0.06, 0.02)) and seen.margin_m == 0.01
    assert seen.axes is not None and seen.axes[0].low == 0.2
    survey.set_margin(-1.0)
    assert survey.seen().margin_m == 0.0
    survey.set_margin(1.0)
    assert survey.seen().margin_m == 0.1


def test_the_reset_pose_and_the_file_s_bounds_are_told_from_the_start() -> None:
    seen = begun().seen()
    assert seen.reset_m == pytest.approx((0.22, 0.0, 0.08), abs=1e-3)
    assert seen.present == (PRESENT.min, PRESENT.max)
    assert seen.problems == () and len(seen.joints_reach) == 6


def test_a_file_without_bounds_has_none_to_show() -> None:
    assert Surveying(Wanted(), CONFIG, reach(), KINEMATICS).seen().present is None


def test_a_survey_is_free_of_bounds_and_joint_limits_and_of_nothing_else() -> None:
    before = altered({"env.robot.joint_limits_deg": {"shoulder_pan": [-10, 10]}, "run.name": "task"})
    survey = surveying(before, floor_m=0.03)
    assert survey.env.workspace.end_effector_bounds.min[2] == 0.03
    assert survey.env.arm.joint_limits_deg == {}
    for key in ("speed_limit_deg_s", "acceleration_limit_deg_s2", "joint_margin_deg", "lead_limits"):
        assert getattr(survey.env.arm, key) == getattr(before.env.arm, key)
    assert survey.mode == "find-limits"
    assert survey.run.name == "task-limits", "it leaves nothing in the task's own run"
    assert len(surveying(altered({"run.name": "x" * 64})).run.name) == 64
    assert surveying(altered({"mode": "find-limits", "run.name": "mine"})).run.name == "mine"


def test_a_face_moves_by_itself_and_the_others_stay() -> None:
    survey = counted()
    survey.done()
    for _ in range(3):
        survey.move_face(1, 1, 0.001)
    survey.move_face(0, -1, -0.001)
    seen = survey.seen()
    assert seen.box_max_m == (CORNERS[1][0], round(CORNERS[1][1] + 0.003, 4), CORNERS[1][2])
    assert seen.box_min_m == (round(CORNERS[0][0] + 0.001, 4), *CORNERS[0][1:])
    assert (seen.faces_min_m, seen.faces_max_m) == ((-0.001, 0.0, 0.0), (0.0, 0.003, 0.0))
    assert survey.values()[(*BOUNDS, "max")] == list(seen.box_max_m)


def test_a_face_passes_neither_the_floor_nor_the_opposite_one() -> None:
    survey = counted(floor_m=0.02)
    survey.done()
    survey.move_face(2, -1, 0.05)
    assert survey.seen().box_min_m[2] == 0.02
    for _ in range(90):
        survey.move_face(0, 1, -0.001)
    width = survey.seen().box_max_m[0] - survey.seen().box_min_m[0]
    assert SMALLEST_BOX_M <= width + 1e-9 < SMALLEST_BOX_M + 0.0011


def test_starting_over_puts_the_faces_back() -> None:
    survey = counted()
    survey.done()
    survey.move_face(0, 1, 0.01)
    survey.start_over()
    wave(survey)
    assert survey.seen().box_max_m == CORNERS[1]
