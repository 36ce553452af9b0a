from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.config import load
from workers.config.ready import ready_config
from workers.processors.build import processor_settings
from workers.processors.pipeline import ActionPipeline, build_action_pipeline
from workers.processors.transition import Command
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import RESET_POSE_DEG
from workers.robot.figures import GRIPPER
from workers.robot.kinematics import Kinematics

KINEMATICS = Kinematics(1.0)
SETTINGS = processor_settings(load(ready_config()))
READING = ArmReading(np.array(RESET_POSE_DEG), np.zeros(6), 0.0)


def ready() -> ActionPipeline:
    pipeline = build_action_pipeline(SETTINGS, KINEMATICS)
    pipeline.reset(READING)
    pipeline.begin_period(READING)
    return pipeline


def act(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_an_action_moves_the_target_by_its_step_size() -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    period = pipeline.apply(Command(act(0.5, -1.0, -0.5, 1)))
    assert pipeline.target_m - before == pytest.approx([0.01, -0.02, -0.01], abs=1e-6)
    assert KINEMATICS.position(period.goal_deg) == pytest.approx(pipeline.target_m, abs=1e-4)


def test_the_target_stays_in_the_workspace_bounds() -> None:
    pipeline = ready()
    for _ in range(12):
        period = pipeline.apply(Command(act(0, 0, -1, 1)))
        pipeline.begin_period(ArmReading(period.goal_deg, np.zeros(6), 0.0))
    assert pipeline.target_m[2] == pytest.approx(SETTINGS.end_effector_min_m[2], abs=1e-4)


def test_key_presses_in_one_period_add_up_and_never_exceed_one_step() -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    for _ in range(3):
        period = pipeline.apply(Command(act(0.4, 0, 0, 1), human=act(0.4, 0, 0, 1)))
    assert period.executed == pytest.approx([1.0, 0, 0, 1])
    assert period.is_intervention
    assert pipeline.target_m[0] - before[0] == pytest.approx(0.02, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1.5, 1.5, width=32)] * 3), min_size=1, max_size=6))
def test_the_recorded_action_is_what_moved_the_target(presses: list[tuple[float, float, float]]) -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    for press in presses:
        period = pipeline.apply(Command(act(*press, 1)))
    assert (np.abs(period.executed[:3]) <= 1.0).all()
    inside = np.abs(pipeline.target_m - before - period.executed[:3] * 0.02).max()
    limits = np.array(SETTINGS.end_effector_min_m), np.array(SETTINGS.end_effector_max_m)
    at_bound = (pipeline.target_m <= limits[0] + 1e-6).any() or (pipeline.target_m >= limits[1] - 1e-6).any()
    assert at_bound or inside < 1e-6


def test_stay_keeps_the_commanded_grip_whatever_the_jaw_measures() -> None:
    pipeline = ready()
    pipeline.apply(Command(act(0, 0, 0, 0)))
    holding = READING.joints_deg.copy()
    holding[GRIPPER] = 18.0
    pipeline.begin_period(ArmReading(holding, np.zeros(6), 0.0))
    period = pipeline.apply(Command(act(0, 0, 1, 1)))
    assert period.goal_deg[GRIPPER] == 0.0 and period.gripper_goal_before_pct == 0.0


def test_open_and_close_go_to_the_ends() -> None:
    pipeline = ready()
    assert pipeline.apply(Command(act(0, 0, 0, 0))).goal_deg[GRIPPER] == 0.0
    assert pipeline.apply(Command(act(0, 0, 0, 2))).goal_deg[GRIPPER] == SETTINGS.max_gripper_pos
    assert pipeline.period.executed[3] == 2


def test_the_human_replaces_the_policy() -> None:
    period = ready().apply(Command(act(1, 1, 1, 0), human=act(0, 0, -0.5, 1)))
    assert period.executed == pytest.approx([0, 0, -0.5, 1])
    assert period.is_intervention


def test_numbers_that_are_none_move_nothing() -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    period = pipeline.apply(Command(act(np.nan, np.inf, -np.inf, np.nan)))
    assert pipeline.target_m == pytest.approx(before, abs=1e-9)
    assert period.executed == pytest.approx([0, 0, 0, 1])


def test_a_blocked_arm_does_not_wind_up_the_target() -> None:
    pipeline = ready()
    for _ in range(6):
        pipeline.begin_period(READING)
        pipeline.apply(Command(act(0, 1, 0, 1)))
    assert np.linalg.norm(pipeline.target_m - KINEMATICS.position(READING.joints_deg)) < 0.075


def test_without_a_gripper_its_commands_do_nothing() -> None:
    settings = replace(SETTINGS, use_gripper=False)
    pipeline = build_action_pipeline(settings, KINEMATICS)
    pipeline.reset(READING)
    pipeline.begin_period(READING)
    before = pipeline.period.gripper_goal_pct
    period = pipeline.apply(Command(act(0, 0, 0, 0)))
    assert period.gripper_goal_pct == before
    assert period.executed[3] == 1
