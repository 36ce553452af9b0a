import itertools
from functools import partial
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from workers.processors.batch_device import DeviceProcessor, ToBatchProcessor
from workers.processors.errors import ProcessorError
from workers.processors.forward_kinematics import ForwardKinematicsJointsToEE
from workers.processors.gripper_penalty import GripperPenaltyProcessor
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.joint_velocity import JointVelocityProcessor
from workers.processors.motor_current import MotorCurrentProcessor
from workers.processors.reward_classifier import RewardClassifierProcessor
from workers.processors.scaling import scaled_joints
from workers.processors.time_limit import TimeLimitProcessor
from workers.processors.transition import Judgement, Period, Transition
from workers.processors.vanilla_observation import AGENT, PIXELS, SURROUNDINGS, VanillaObservationProcessor
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import RESET_POSE_DEG
from workers.robot.figures import JOINT_NAMES, SO101_RANGE
from workers.robot.kinematics import Kinematics

START = np.array(RESET_POSE_DEG)
SCALED = partial(scaled_joints, joints=SO101_RANGE)
FRONT = "observation.images.front"


def transition(
    joints: np.ndarray = START, stamp_s: float = 0.0, observation: dict[str, Any] | None = None, **values: Any
) -> Transition:
    period = Period(np.zeros(4, np.float32), START.copy(), 40.0, 40.0)
    return Transition(observation or {}, period, ArmReading(joints, np.zeros(6), stamp_s, **values))


def test_pictures_get_their_names_and_stay_uint8() -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    item = transition(observation={AGENT: START, PIXELS: {"front": picture}})
    VanillaObservationProcessor(JOINT_NAMES, SCALED)(item)
    assert item.observation[FRONT] is picture
    assert item.observation["observation.state"] == pytest.approx(SCALED(START), abs=1e-6)
    assert item.observation["observation.state"].dtype == np.float32


def test_the_surroundings_follow_the_agent_in_the_state() -> None:
    item = transition(observation={AGENT: np.array([1.0]), SURROUNDINGS: np.array([2.0, 3.0])})
    VanillaObservationProcessor(("a", "b", "c"))(item)
    assert item.observation["observation.state"] == pytest.approx([1, 2, 3])


def test_a_joint_that_reads_no_number_is_refused_by_step_and_name() -> None:
    joints = START.copy()
    joints[1] = np.nan
    with pytest.raises(ProcessorError, match=r"^VanillaObservationProcessor: shoulder_lift: not a finite"):
        VanillaObservationProcessor(JOINT_NAMES, SCALED)(transition(observation={AGENT: joints}))


def test_a_picture_that_is_none_is_refused_by_name() -> None:
    item = transition(observation={PIXELS: {"front": np.zeros((4, 4), np.float32)}})
    with pytest.raises(ProcessorError, match=r"picture 'front' is float32 \[4, 4\], not uint8"):
        VanillaObservationProcessor(())(item)


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


def test_currents_enter_the_state_in_amperes_with_their_sign() -> None:
    item = transition(current_a=np.array([0.5, -0.5, 0.0, 1.0, -1.0, 9.0]))
    MotorCurrentProcessor()(item)
    assert item.observation["observation.state"] == pytest.approx([0.5, -0.5, 0.0, 1.0, -1.0, 3.0])


def test_the_tool_s_pose_and_the_jaw_s_goal_enter_the_state() -> None:
    kinematics = Kinematics()
    low, high = np.array([0.18, -0.12, 0.0]), np.array([0.26, 0.12, 0.2])
    item = transition()
    ForwardKinematicsJointsToEE(kinematics, low, high, 40.0)(item)
    pose = kinematics.forward(START)
    position = 2.0 * (pose.position_m - low) / (high - low) - 1.0
    wanted = [*position, *pose.rotation[:, 0], *pose.rotation[:, 1], 1.0]
    assert item.observation["observation.state"] == pytest.approx(wanted, abs=1e-6)


def test_a_picture_of_the_right_size_passes_untouched() -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    item = transition(observation={FRONT: picture})
    ImageCropResizeProcessor({}, (128, 128))(item)
    assert item.observation[FRONT] is picture


def test_crop_comes_before_resize_and_both_before_anything_is_float() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[20:40, 60:80] = 255
    item = transition(observation={FRONT: picture})
    ImageCropResizeProcessor({FRONT: (20, 60, 20, 20)}, (64, 64))(item)
    result = item.observation[FRONT]
    assert result.shape == (64, 64, 3) and result.dtype == np.uint8 and (result == 255).all()


def test_halving_first_leaves_a_picture_where_it_was_and_as_smooth() -> None:
    rows, columns = np.mgrid[0:480, 0:640]
    scene = 127.5 + 60.0 * np.sin(rows / 40.0) + 60.0 * np.sin(columns / 25.0)
    picture = np.repeat(scene[..., None], 3, 2).astype(np.uint8)
    item = transition(observation={FRONT: picture})
    ImageCropResizeProcessor({}, (128, 128))(item)
    means = cv2.resize(picture.astype(np.float64), (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(item.observation[FRONT] - means).max() <= 3.0
    assert np.abs(item.observation[FRONT] - means).mean() <= 0.6


def test_without_a_size_a_picture_keeps_that_of_its_crop() -> None:
    item = transition(observation={FRONT: np.zeros((100, 100, 3), np.uint8)})
    ImageCropResizeProcessor({FRONT: (20, 60, 32, 40)}, None)(item)
    assert item.observation[FRONT].shape == (32, 40, 3)


def test_a_crop_outside_the_picture_is_an_error_that_names_it() -> None:
    item = transition(observation={FRONT: np.zeros((100, 100, 3), np.uint8)})
    with pytest.raises(
        ProcessorError, match=r"ImageCropResizeProcessor: .*front does not fit into its 100x100"
    ):
        ImageCropResizeProcessor({FRONT: (90, 0, 20, 20)}, None)(item)


def reset_observation() -> Transition:
    item = transition()
    item.is_reset = True
    return item


def test_the_time_limit_allows_exactly_its_steps_whoever_drives() -> None:
    step = TimeLimitProcessor(3)
    for _ in range(2):
        step.reset()
        step(reset_observation())
        ends = []
        for number in range(3):
            item = transition()
            item.period.is_intervention = number == 1
            step(item)
            ends.append(item.truncated)
        assert ends == [False, False, True]


def test_success_on_the_last_step_is_not_a_time_out() -> None:
    step = TimeLimitProcessor(1)
    item = transition()
    item.terminated = True
    step(item)
    assert not item.truncated


def test_only_a_changed_jaw_goal_costs() -> None:
    step, penalties = GripperPenaltyProcessor(-0.02), []
    goals = [40.0, 40.0, 0.0, 0.0, 40.0, 0.0]
    for before, after in itertools.pairwise(goals):
        item = transition()
        item.period.gripper_goal_before_pct, item.period.gripper_goal_pct = before, after
        step(item)
        penalties.append(item.info["discrete_penalty"])
    assert penalties == [0.0, -0.02, 0.0, -0.02, -0.02]


class Says:
    """A reward model that says what it is told to."""

    def __init__(self, *probabilities: float) -> None:
        self._left = list(probabilities)

    def success_probability(self, transition: Transition) -> float:
        return self._left.pop(0)


def decided(step: RewardClassifierProcessor, steps: int) -> list[float]:
    rewards = []
    for _ in range(steps):
        item = transition()
        step(item)
        assert item.terminated == (item.reward > 0)
        rewards.append(item.reward)
    return rewards


def test_success_takes_two_votes_of_three_steps() -> None:
    step = RewardClassifierProcessor(Says(0.9, 0.1, 0.1, 0.8, 0.1, 0.8), 0.7, 5.0, 2, 3, True)
    assert decided(step, 6) == [0.0, 0.0, 0.0, 0.0, 0.0, 5.0]


def test_votes_are_forgotten_at_a_reset_and_the_reset_has_none() -> None:
    step = RewardClassifierProcessor(Says(0.9, 0.9, 0.9, 0.9), 0.5, 1.0, 2, 3, True)
    assert decided(step, 1) == [0.0]
    step.reset()
    step(reset_observation())
    assert decided(step, 2) == [0.0, 1.0]


def test_a_person_s_verdict_wins_over_the_classifier() -> None:
    step = RewardClassifierProcessor(Says(0.9), 0.5, 1.0, 1, 1, True)
    item = transition()
    item.period.judgement, item.terminated = Judgement.FAILURE, True
    step(item)
    assert item.reward == 0.0 and item.terminated and "decided_by" not in item.info
    assert item.info["success_probability"] == 0.9


def test_a_decision_on_the_last_step_is_success_and_no_time_out() -> None:
    item = transition()
    item.truncated = True
    RewardClassifierProcessor(Says(0.9), 0.5, 1.0, 1, 1, True)(item)
    assert item.terminated and not item.truncated and item.info["decided_by"] == "classifier"


def test_success_need_not_end_the_episode() -> None:
    item = transition()
    RewardClassifierProcessor(Says(0.9), 0.5, 1.0, 1, 1, False)(item)
    assert item.reward == 1.0 and not item.terminated


def test_the_policy_s_input_is_a_batch_of_tensors_and_the_stored_observation_stays() -> None:
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    item = transition(observation={"observation.state": np.ones(3, np.float32), FRONT: picture})
    ToBatchProcessor()(item)
    DeviceProcessor("cpu")(item)
    assert item.observation[FRONT] is picture
    tensor = item.policy_input[FRONT]
    assert isinstance(tensor, torch.Tensor) and tensor.dtype == torch.uint8 and tensor.shape == (1, 4, 4, 3)
    assert (tensor[0].numpy() == picture).all()
    assert item.policy_input["observation.state"].shape == (1, 3)
