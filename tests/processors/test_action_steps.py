import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.altered import altered
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.processors.build import arm_pipelines
from workers.processors.errors import ProcessorError
from workers.processors.pipeline import ActionPipeline
from workers.processors.teleop_steps import (
    AddRobotObservationAsComplimentaryData,
    AddTeleopActionAsComplimentaryData,
    AddTeleopEventsAsInfo,
)
from workers.processors.transition import Command, Judgement, Period, Teleop
from workers.robot.build import kinematics_of
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import RESET_POSE_DEG
from workers.robot.figures import GRIPPER, Floats

CONFIG = load(ready_config())
KINEMATICS = kinematics_of(CONFIG)
BOUNDS = CONFIG.env.workspace.end_effector_bounds
OPEN = CONFIG.env.processor.max_gripper_pos


def measured(joints_deg: Floats, goal_deg: Floats | None = None, clipped_ticks: int = 0) -> ArmReading:
    goal = joints_deg if goal_deg is None else goal_deg
    return ArmReading(joints_deg, np.zeros(6), 0.0, np.zeros(6), goal, clipped_ticks)


READING = measured(np.array(RESET_POSE_DEG))


def ready(config: Config = CONFIG) -> ActionPipeline:
    pipeline = arm_pipelines(config, KINEMATICS).action
    pipeline.reset(READING)
    return pipeline


def act(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def press(*values: float) -> Command:
    """A key press of a person, while the policy stays."""
    return Command(act(*[0.0] * (len(values) - 1), 1), Teleop(act(*values)), READING)


def test_the_person_s_action_joins_the_complementary_data() -> None:
    command = press(0.5, 0, 0, 1)
    AddTeleopActionAsComplimentaryData()(command, ready().period)
    assert command.complementary_data["teleop_action"] == pytest.approx([0.5, 0, 0, 1])
    alone = Command(act(0, 0, 0, 1))
    AddTeleopActionAsComplimentaryData()(alone, ready().period)
    assert alone.complementary_data == {}


@pytest.mark.parametrize(
    ("judgement", "event"),
    [
        (Judgement.SUCCESS, "success"),
        (Judgement.FAILURE, "failure"),
        (Judgement.RERECORD, "rerecord_episode"),
    ],
)
def test_a_verdict_becomes_its_event(judgement: Judgement, event: str) -> None:
    command = Command(act(0, 0, 0, 1), Teleop(judgement=judgement))
    AddTeleopEventsAsInfo()(command, ready().period)
    assert {name for name, on in command.info.items() if on} == {event, "terminate_episode"}


def test_without_a_person_no_event_is_on() -> None:
    command = Command(act(0, 0, 0, 1))
    AddTeleopEventsAsInfo()(command, ready().period)
    assert not any(command.info.values())


def test_the_measured_joints_join_the_complementary_data() -> None:
    command = Command(act(0, 0, 0, 1), reading=READING)
    AddRobotObservationAsComplimentaryData()(command, ready().period)
    assert (command.complementary_data["raw_joint_positions"] == READING.joints_deg).all()


def test_an_action_moves_the_target_by_its_step_size() -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    period = pipeline.apply(Command(act(0.5, -1.0, -0.5, 1)))
    assert pipeline.target_m - before == pytest.approx([0.01, -0.02, -0.01], abs=1e-6)
    assert KINEMATICS.position(period.goal_deg) == pytest.approx(pipeline.target_m, abs=1e-4)


def test_the_target_stays_in_the_workspace_bounds_and_the_stored_action_says_so() -> None:
    pipeline = ready()
    executed = []
    for _ in range(12):
        pipeline.begin_period()
        period = pipeline.apply(Command(act(0, 0, -1, 1)))
        executed.append(float(period.executed[2]))
    assert pipeline.target_m[2] == pytest.approx(BOUNDS.min[2], abs=1e-4)
    assert executed[0] == pytest.approx(-1.0, abs=1e-4), "free on the way down"
    assert executed[-1] == pytest.approx(0.0, abs=1e-4), "nothing was carried out at the floor"


def test_key_presses_in_one_period_add_up_and_never_exceed_one_step() -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    pipeline.begin_period()
    for _ in range(3):
        period = pipeline.apply(press(0.4, 0, 0, 1))
    assert period.executed == pytest.approx([1.0, 0, 0, 1], abs=1e-5)
    assert period.is_intervention
    assert pipeline.target_m[0] - before[0] == pytest.approx(0.02, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1.5, 1.5, width=32)] * 3), min_size=1, max_size=6))
def test_the_stored_action_is_exactly_what_moved_the_target(
    presses: list[tuple[float, float, float]],
) -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    pipeline.begin_period()
    for values in presses:
        period = pipeline.apply(Command(act(*values, 1)))
    assert (np.abs(period.executed[:3]) <= 1.0).all()
    assert pipeline.target_m - before == pytest.approx(period.executed[:3] * 0.02, abs=2e-6)


def test_what_the_gate_narrowed_is_stored_as_the_way_between_its_goals() -> None:
    pipeline = ready()
    pipeline.begin_period()
    goal = pipeline.apply(Command(act(1, 0, 0, 1), reading=READING)).goal_deg
    half = READING.joints_deg + 0.5 * (goal - READING.joints_deg)
    stopped_half_way = pipeline.executed(READING, measured(half, half, clipped_ticks=3))
    assert stopped_half_way[:3] == pytest.approx([0.5, 0, 0], abs=0.02)
    assert pipeline.executed(READING, measured(half, half)) == pytest.approx([1, 0, 0, 1], abs=1e-5)


def test_stay_keeps_the_commanded_grip_whatever_the_jaw_measures() -> None:
    pipeline = ready()
    pipeline.apply(Command(act(0, 0, 0, 0)))
    holding = READING.joints_deg.copy()
    holding[GRIPPER] = 18.0
    pipeline.begin_period()
    period = pipeline.apply(Command(act(0, 0, 1, 1), reading=measured(holding)))
    assert period.goal_deg[GRIPPER] == 0.0 and period.gripper_goal_before_pct == 0.0


def test_open_and_close_go_to_the_ends() -> None:
    pipeline = ready()
    assert pipeline.apply(Command(act(0, 0, 0, 0))).goal_deg[GRIPPER] == 0.0
    assert pipeline.apply(Command(act(0, 0, 0, 2))).goal_deg[GRIPPER] == OPEN
    assert pipeline.period.executed[3] == 2


def test_a_mirrored_gripper_closes_at_a_hundred_percent() -> None:
    pipeline = ready(altered({"env.processor.gripper.closed_at": 100}))
    assert pipeline.apply(Command(act(0, 0, 0, 0))).goal_deg[GRIPPER] == 100.0
    assert pipeline.apply(Command(act(0, 0, 0, 2))).goal_deg[GRIPPER] == 100.0 - OPEN


def test_the_person_replaces_the_policy() -> None:
    period = ready().apply(Command(act(1, 1, 1, 0), Teleop(act(0, 0, -0.5, 1)), READING))
    assert period.executed == pytest.approx([0, 0, -0.5, 1], abs=1e-5)
    assert period.is_intervention


def test_a_verdict_is_no_intervention_and_moves_nothing() -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    pipeline.judge(Judgement.SUCCESS)
    assert pipeline.period.judgement is Judgement.SUCCESS
    assert not pipeline.period.is_intervention
    assert pipeline.target_m == pytest.approx(before, abs=1e-9)
    pipeline.begin_period()
    assert pipeline.period.judgement is None


def test_numbers_that_are_none_move_nothing() -> None:
    pipeline = ready()
    before = pipeline.target_m.copy()
    period = pipeline.apply(Command(act(np.nan, np.inf, -np.inf, np.nan)))
    assert pipeline.target_m == pytest.approx(before, abs=1e-9)
    assert period.executed == pytest.approx([0, 0, 0, 1])


def test_a_joint_that_reads_no_number_is_refused_by_name_before_anything_moves() -> None:
    joints = READING.joints_deg.copy()
    joints[3] = np.nan
    with pytest.raises(
        ProcessorError, match=r"InverseKinematicsEEToJoints: wrist_flex: .* not a finite number"
    ):
        ready().reset(measured(joints))


def test_a_blocked_arm_does_not_wind_up_the_target() -> None:
    pipeline = ready()
    for _ in range(6):
        pipeline.begin_period()
        pipeline.apply(Command(act(0, 1, 0, 1), reading=READING))
    assert np.linalg.norm(pipeline.target_m - KINEMATICS.position(READING.joints_deg)) < 0.075


def test_without_a_gripper_an_action_is_motion_and_the_jaw_stays_as_it_was() -> None:
    pipeline = ready(altered({"env.processor.gripper.use_gripper": False}))
    assert pipeline.period.executed.shape == (3,)
    period: Period = pipeline.apply(Command(act(1, 0, -1)))
    assert period.executed == pytest.approx([1, 0, -1], abs=1e-4)
    assert period.goal_deg[GRIPPER] == period.gripper_goal_before_pct == pytest.approx(40.0)


def test_the_answer_does_not_depend_on_what_another_pipeline_did() -> None:
    alone = ready().apply(Command(act(0.3, -0.2, -0.4, 1))).goal_deg
    pipeline, other = ready(), ready()
    for _ in range(5):
        other.apply(Command(act(-1, 1, 1, 0)))
    assert pipeline.apply(Command(act(0.3, -0.2, -0.4, 1))).goal_deg == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize("action_space", ["end_effector", "joints"])
def test_an_arm_that_sags_is_held_where_it_was_sent_and_one_that_was_moved_where_it_is(
    action_space: str,
) -> None:
    """Otherwise the first action of every episode goes down by the sag, and the arm sags anew from there."""
    config = altered({"env.processor.action_space": action_space})
    pipeline = arm_pipelines(config, KINEMATICS).action
    sent = np.array(RESET_POSE_DEG)
    for off_deg, held in ((2.0, 0.0), (20.0, 20.0)):
        found = sent.copy()
        found[1] += off_deg
        reading = measured(found, sent)
        pipeline.reset(reading)
        still = act(*[0.0] * (len(pipeline.period.executed) - 1), 1)
        goal_deg = pipeline.apply(Command(still, None, reading)).goal_deg
        assert goal_deg[:GRIPPER] == pytest.approx((sent + np.eye(6)[1] * held)[:GRIPPER], abs=0.01), off_deg
