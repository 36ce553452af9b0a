import numpy as np
import pytest

from workers.processors.forward_kinematics import ForwardKinematicsJointsToEE
from workers.processors.gripper_penalty import GripperPenaltyProcessor
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.joint_velocity import JointVelocityProcessor
from workers.processors.time_limit import TimeLimitProcessor
from workers.processors.transition import Period, Transition
from workers.processors.vanilla_observation import VanillaObservationProcessor
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import RESET_POSE_DEG
from workers.robot.kinematics import Kinematics

START = np.array(RESET_POSE_DEG)


def transition(joints: np.ndarray = START, stamp_s: float = 0.0, **frames: np.ndarray) -> Transition:
    return Transition(ArmReading(joints, np.zeros(6), stamp_s), frames, Period(START.copy(), 40.0, 40.0))


def test_pictures_get_their_names_and_stay_uint8() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    item = transition(front=picture)
    VanillaObservationProcessor()(item)
    assert item.observation["observation.images.front"] is picture
    assert item.observation["observation.state"].shape == (6,)
    assert item.observation["observation.state"].dtype == np.float32


def test_velocity_is_by_measured_time_and_zero_after_a_reset() -> None:
    step = JointVelocityProcessor()
    velocities = []
    for offset, stamp_s in ((0.0, 1.0), (10.0, 1.1), (20.0, 1.3)):
        item = transition(START + offset, stamp_s)
        step(item)
        velocities.append(item.observation["observation.state"][0])
    assert velocities == pytest.approx([0.0, 1.0, 0.5])  # 0, 100 and 50 deg/s over a range of 100
    step.reset()
    item = transition(START, 2.0)
    step(item)
    assert not item.observation["observation.state"].any()


def test_tool_position_and_jaw_goal_enter_the_state() -> None:
    kinematics = Kinematics()
    low, high = np.array([0.18, -0.12, 0.0]), np.array([0.26, 0.12, 0.2])
    item = transition()
    ForwardKinematicsJointsToEE(kinematics, low, high, 40.0)(item)
    expected = 2.0 * (kinematics.position(START) - low) / (high - low) - 1.0
    assert item.observation["observation.state"] == pytest.approx([*expected, 1.0], abs=1e-6)


def test_a_picture_of_the_right_size_passes_untouched() -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    item = transition()
    item.observation["observation.images.front"] = picture
    ImageCropResizeProcessor({}, (128, 128))(item)
    assert item.observation["observation.images.front"] is picture


def test_crop_comes_before_resize() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[20:40, 60:80] = 255
    item = transition()
    item.observation["observation.images.front"] = picture
    ImageCropResizeProcessor({"observation.images.front": (20, 60, 20, 20)}, (64, 64))(item)
    result = item.observation["observation.images.front"]
    assert result.shape == (64, 64, 3) and result.dtype == np.uint8 and (result == 255).all()


def test_a_crop_outside_the_picture_is_an_error_that_names_it() -> None:
    item = transition()
    item.observation["observation.images.front"] = np.zeros((100, 100, 3), np.uint8)
    with pytest.raises(ValueError, match="front does not fit into its 100x100 picture"):
        ImageCropResizeProcessor({"observation.images.front": (90, 0, 20, 20)}, None)(item)


def test_the_time_limit_allows_exactly_its_steps() -> None:
    step = TimeLimitProcessor(3)
    for _ in range(2):
        step.reset()
        ends = []
        for _ in range(4):  # the reset observation and three steps
            item = transition()
            step(item)
            ends.append(item.truncated)
        assert ends == [False, False, False, True]


def test_success_on_the_last_step_is_not_a_time_out() -> None:
    step = TimeLimitProcessor(1)
    step(transition())
    item = transition()
    item.terminated = True
    step(item)
    assert not item.truncated


def test_only_a_changed_jaw_goal_costs() -> None:
    item = transition()
    GripperPenaltyProcessor(-0.02)(item)
    assert item.info["discrete_penalty"] == 0.0
    item.period.gripper_goal_pct = 0.0
    GripperPenaltyProcessor(-0.02)(item)
    assert item.info["discrete_penalty"] == -0.02
