"""The pipelines as a whole: order, description, and that nothing but documented errors comes out of them."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.altered import altered
from tests.processors.random_pipelines import CONFIG, INPUTS, KINEMATICS, Inputs, configurations, run_one
from workers.config import Config
from workers.processors.build import arm_pipelines, feature_spec
from workers.processors.describe import described

EVERYTHING = {
    "env.processor.observation.add_joint_velocity_to_observation": True,
    "env.processor.observation.add_current_to_observation": True,
    "env.processor.observation.add_ee_pose_to_observation": True,
    "env.processor.reward_classifier": {"pretrained_path": "simulated"},
}


def test_the_steps_stand_in_lerobot_s_order() -> None:
    pipelines = arm_pipelines(altered(EVERYTHING), KINEMATICS, "cpu")
    assert [type(step).__name__ for step in pipelines.environment.steps] == [
        "VanillaObservationProcessor",
        "JointVelocityProcessor",
        "MotorCurrentProcessor",
        "ForwardKinematicsJointsToEE",
        "ImageCropResizeProcessor",
        "TimeLimitProcessor",
        "GripperPenaltyProcessor",
        "RewardClassifierProcessor",
        "ToBatchProcessor",
        "DeviceProcessor",
    ]
    assert [type(step).__name__ for step in pipelines.action.steps] == [
        "AddTeleopActionAsComplimentaryData",
        "AddTeleopEventsAsInfo",
        "AddRobotObservationAsComplimentaryData",
        "InterventionActionProcessor",
        "InverseKinematicsEEToJoints",
        "GripperVelocityToJoint",
    ]


@pytest.mark.parametrize(
    ("changes", "state_dim"),
    [
        ({}, 22),
        (EVERYTHING, 28),
        ({"env.processor.observation": {}}, 6),
        ({"env.processor.observation": {"add_current_to_observation": True}}, 12),
    ],
)
def test_the_state_s_size_follows_from_the_switches(changes: dict[str, object], state_dim: int) -> None:
    assert feature_spec(altered(changes)).state_dim == state_dim


def test_the_pictures_size_is_that_of_the_crop_where_nothing_is_resized() -> None:
    changes = {
        "env.processor.image_preprocessing": {
            "crop_params_dict": {
                "observation.images.front": [0, 0, 64, 96],
                "observation.images.side": [9, 9, 64, 96],
            }
        }
    }
    spec = feature_spec(altered(changes))
    assert (spec.height, spec.width, spec.cameras) == (64, 96, ("front", "side"))


def test_without_a_gripper_there_is_no_penalty_and_no_command() -> None:
    pipelines = arm_pipelines(altered({"env.processor.gripper.use_gripper": False}), KINEMATICS)
    assert (pipelines.spec().motion_dim, pipelines.spec().gripper) == (3, False)
    assert "complementary_info.discrete_penalty" not in pipelines.stored
    assert "GripperPenaltyProcessor" not in {type(step).__name__ for step in pipelines.environment.steps}


def test_the_description_names_every_step_with_what_goes_in_and_comes_out() -> None:
    text = described(arm_pipelines(CONFIG, KINEMATICS, "cpu"))
    assert (
        "2. JointVelocityProcessor\n    observation.state                     float32 [6] -> float32 [12]"
        in text
    )
    assert (
        "6. GripperVelocityToJoint\n    joint_goal                            float64 [5] -> float64 [6]"
        in text
    )
    assert "complementary_info.discrete_penalty   float32 [1]" in text.split("Stored of every step")[1]


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(config=configurations(), inputs=INPUTS)
def test_a_random_pipeline_raises_nothing_but_documented_errors(config: Config, inputs: Inputs) -> None:
    run_one(config, inputs)


def test_sensible_input_gets_to_the_end_and_odd_input_is_refused() -> None:
    assert all(run_one(CONFIG, Inputs(seed, oddness=0.0)) for seed in range(20))
    assert not all(run_one(CONFIG, Inputs(seed, oddness=0.3)) for seed in range(20))
