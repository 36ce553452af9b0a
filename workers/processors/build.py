"""From the configuration to the two pipelines, and the shapes everybody derives from them."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from workers.config import Config, EnvConfig
from workers.processors.batch_device import DeviceProcessor, ToBatchProcessor
from workers.processors.features import ACTION, STATE, Feature, Features, pictures, scalar, vector
from workers.processors.forward_kinematics import ForwardKinematicsJointsToEE
from workers.processors.gripper_penalty import GripperPenaltyProcessor
from workers.processors.gripper_velocity import GripperVelocityToJoint
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.intervention_action import InterventionActionProcessor
from workers.processors.inverse_kinematics import InverseKinematicsEEToJoints
from workers.processors.joint_deltas import JointDeltasToJoints
from workers.processors.joint_velocity import JointVelocityProcessor
from workers.processors.motor_current import MotorCurrentProcessor
from workers.processors.pipeline import ActionPipeline, ActionStep, EnvironmentPipeline, EnvironmentStep, Line
from workers.processors.reward_classifier import RewardClassifierProcessor, SimulatedRewardModel
from workers.processors.scaling import scaled_joints
from workers.processors.teleop_steps import (
    AddRobotObservationAsComplimentaryData,
    AddTeleopActionAsComplimentaryData,
    AddTeleopEventsAsInfo,
)
from workers.processors.time_limit import TimeLimitProcessor
from workers.processors.vanilla_observation import AGENT, VanillaObservationProcessor, raw_pictures
from workers.robot.build import kinematics_of
from workers.robot.figures import GRIPPER, JOINT_NAMES
from workers.robot.kinematics import Kinematics
from workers.transport.record import FeatureSpec

_STORED = ("observation.", "action", "next.", "complementary_info.")
_POSITIONS = tuple(f"{joint}.pos" for joint in JOINT_NAMES)


@dataclass(frozen=True, slots=True)
class Pipelines:
    """The two pipelines of an environment, and what goes in at either end."""

    environment: EnvironmentPipeline
    action: ActionPipeline
    raw_observation: Features
    raw_action: Features
    stored: Features  # what one step leaves in log and dataset
    step_limit: int

    def spec(self) -> FeatureSpec:
        """The shapes that log, replay and networks agree on."""
        views = pictures(self.stored)
        height, width = next((view.shape[:2] for view in views.values()), (0, 0))
        action = self.stored[ACTION]
        gripper = action.names[-1:] == ("gripper",)
        return FeatureSpec(
            state_dim=self.stored[STATE].shape[0],
            cameras=tuple(views),
            height=height,
            width=width,
            motion_dim=action.shape[0] - gripper,
            gripper=gripper,
        )

    def lines(self) -> tuple[list[Line], list[Line]]:
        """Every step of the environment and of the action pipeline with the features after it."""
        return self.environment.trace(self.raw_observation), self.action.trace(self.raw_action)


def arm_pipelines(config: Config, kinematics: Kinematics, device: str | None = None) -> Pipelines:
    """The pipelines of an arm, in LeRobot's order; with a `device` they end in the policy's tensors there."""
    env = config.env
    raw: dict[str, Feature] = {
        AGENT: vector("float64", _POSITIONS),
        **raw_pictures({name: (camera.height, camera.width) for name, camera in env.cameras.items()}),
    }
    by_joints = env.processor.action_space == "joints"
    motion = tuple(f"{joint}.delta" for joint in JOINT_NAMES[:GRIPPER]) if by_joints else ("dx", "dy", "dz")
    raw_action = {ACTION: vector("float32", motion + ("gripper",) * env.processor.gripper.use_gripper)}
    observing: list[EnvironmentStep] = [
        VanillaObservationProcessor(_POSITIONS, partial(scaled_joints, joints=kinematics.joints))
    ]
    observing += _arm_state_steps(env, kinematics)
    return assemble(config, raw, raw_action, observing, _arm_action_steps(env, kinematics), device)


def assemble(
    config: Config,
    raw: Features,
    raw_action: Features,
    first: list[EnvironmentStep],
    acting: list[ActionStep],
    device: str | None,
) -> Pipelines:
    """Pipelines that begin with the steps `first`, go on with what every environment has, and end on `device`."""
    limit = max_episode_steps(config)
    observing = [*first, *_outcome_steps(config.env, limit)]
    observed = EnvironmentPipeline(observing).trace(raw)[-1][1]
    commanded = ActionPipeline(acting, 0, False).trace(raw_action)[-1][1]
    stored = {key: value for key, value in {**commanded, **observed}.items() if key.startswith(_STORED)}
    stored |= {"next.reward": scalar("float32"), "next.done": scalar("bool")}
    if device is not None:
        observing += [ToBatchProcessor(), DeviceProcessor(device)]
    action = ActionPipeline(
        acting, raw_action[ACTION].shape[0], raw_action[ACTION].names[-1:] == ("gripper",)
    )
    return Pipelines(EnvironmentPipeline(observing), action, raw, raw_action, stored, limit)


def _arm_state_steps(env: EnvConfig, kinematics: Kinematics) -> list[EnvironmentStep]:
    observation, bounds = env.processor.observation, env.workspace.end_effector_bounds
    steps: list[EnvironmentStep] = []
    if observation.add_joint_velocity_to_observation:
        steps.append(JointVelocityProcessor())
    if observation.add_current_to_observation:
        steps.append(MotorCurrentProcessor())
    if observation.add_ee_pose_to_observation:
        low, high = np.array(bounds.min), np.array(bounds.max)
        opening, closed = env.processor.max_gripper_pos, env.processor.gripper.closed_at
        steps.append(ForwardKinematicsJointsToEE(kinematics, low, high, opening, closed))
    return steps


def _outcome_steps(env: EnvConfig, limit: int) -> list[EnvironmentStep]:
    processor = env.processor
    images, gripper, classifier = (
        processor.image_preprocessing,
        processor.gripper,
        processor.reward_classifier,
    )
    steps: list[EnvironmentStep] = []
    if images.crop_params_dict or images.resize_size is not None:
        steps.append(ImageCropResizeProcessor(images.crop_params_dict, images.resize_size))
    steps.append(TimeLimitProcessor(limit))
    if gripper.use_gripper:
        steps.append(GripperPenaltyProcessor(gripper.gripper_penalty))
    if classifier is not None:
        steps.append(
            RewardClassifierProcessor(
                SimulatedRewardModel(),
                classifier.success_threshold,
                classifier.success_reward,
                classifier.votes,
                classifier.window,
                processor.reset.terminate_on_success,
            )
        )
    return steps


def teleop_steps(env: EnvConfig) -> list[ActionStep]:
    """The steps by which a person takes part, in every environment."""
    return [
        AddTeleopActionAsComplimentaryData(),
        AddTeleopEventsAsInfo(),
        InterventionActionProcessor(env.processor.gripper.use_gripper),
    ]


def _arm_action_steps(env: EnvConfig, kinematics: Kinematics) -> list[ActionStep]:
    bounds, sizes = env.workspace.end_effector_bounds, env.workspace.end_effector_step_sizes
    gripper = env.processor.gripper
    action, events, intervention = teleop_steps(env)
    step_sizes_m = np.array([sizes.x, sizes.y, sizes.z])
    most_deg = env.arm.speed_limit_deg_s / env.fps
    to_joints: ActionStep
    if env.processor.action_space == "joints":
        to_joints = JointDeltasToJoints(kinematics, env.processor.joint_step_deg, step_sizes_m, most_deg)
    else:
        low_m, high_m = np.array(bounds.min), np.array(bounds.max)
        to_joints = InverseKinematicsEEToJoints(kinematics, low_m, high_m, step_sizes_m, most_deg)
    jaw = GripperVelocityToJoint(env.processor.max_gripper_pos, gripper.closed_at, gripper.use_gripper)
    return [action, events, AddRobotObservationAsComplimentaryData(), intervention, to_joints, jaw]


def max_episode_steps(config: Config) -> int:
    """Steps of the policy in an episode: `control_time_s` x `fps`."""
    return round(config.env.processor.reset.control_time_s * config.env.fps)


def feature_spec(config: Config) -> FeatureSpec:
    """The shapes that log, replay and networks agree on."""
    return pipelines_of(config).spec()


def pipelines_of(config: Config, device: str | None = None) -> Pipelines:
    """The pipelines that a configuration describes. A Gymnasium environment is opened to look at its spaces.

    Raises EnvironmentRefused where that cannot be.
    """
    if config.env.type == "gymnasium":
        from workers.processors.gymnasium_build import gymnasium_pipelines  # stands on this module

        return gymnasium_pipelines(config, device=device)
    return arm_pipelines(config, kinematics_of(config), device)
