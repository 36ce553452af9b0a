"""The two pipelines: lists of steps, put together from settings."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from workers.processors.forward_kinematics import ForwardKinematicsJointsToEE
from workers.processors.gripper_penalty import GripperPenaltyProcessor
from workers.processors.gripper_velocity import GripperVelocityToJoint
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.intervention_action import InterventionActionProcessor
from workers.processors.inverse_kinematics import InverseKinematicsEEToJoints
from workers.processors.joint_velocity import JointVelocityProcessor
from workers.processors.settings import ProcessorSettings
from workers.processors.time_limit import TimeLimitProcessor
from workers.processors.transition import STAY_ACTION, Command, Period, Transition
from workers.processors.vanilla_observation import VanillaObservationProcessor
from workers.robot.drivers import ArmReading
from workers.robot.figures import Floats
from workers.robot.kinematics import Kinematics


class EnvironmentStep(Protocol):
    """One step of the environment pipeline; changes the transition in place."""

    def reset(self) -> None: ...

    def __call__(self, transition: Transition) -> None: ...


class ActionStep(Protocol):
    """One step of the action pipeline; changes the command and the period in place."""

    def reset(self, reading: ArmReading) -> None: ...

    def __call__(self, command: Command, period: Period) -> None: ...


class EnvironmentPipeline:
    """Raw reading and pictures -> observation, reward, end of episode."""

    def __init__(self, steps: Sequence[EnvironmentStep]) -> None:
        self._steps = tuple(steps)

    def reset(self) -> None:
        """Start a new episode."""
        for step in self._steps:
            step.reset()

    def __call__(self, transition: Transition) -> None:
        for step in self._steps:
            step(transition)


class ActionPipeline:
    """Commands -> joint target. Several commands may come in one period, each taking effect at once."""

    def __init__(self, steps: Sequence[ActionStep], reference: InverseKinematicsEEToJoints) -> None:
        self._steps = tuple(steps)
        self._reference = reference
        self.period = Period(np.zeros(6), 0.0, 0.0)

    @property
    def target_m(self) -> Floats:
        """The end-effector target [3] in metres."""
        return self._reference.target_m

    def reset(self, reading: ArmReading) -> None:
        """Take the measured arm as the point to start from."""
        for step in self._steps:
            step.reset(reading)
        self.period = Period(reading.joints_deg.copy(), 0.0, 0.0)
        self.apply(Command(np.array(STAY_ACTION, np.float32)))
        self.begin_period(reading)

    def begin_period(self, reading: ArmReading) -> None:
        """Start a new period: nothing executed yet, goals as they were."""
        self._reference.follow(reading)
        last = self.period
        self.period = Period(last.goal_deg.copy(), last.gripper_goal_pct, last.gripper_goal_pct)

    def apply(self, command: Command) -> Period:
        """Run one command through the steps; the period's joint target changes now."""
        for step in self._steps:
            step(command, self.period)
        return self.period


def build_environment_pipeline(settings: ProcessorSettings, kinematics: Kinematics) -> EnvironmentPipeline:
    """The environment steps that `settings` ask for, in LeRobot's order."""
    steps: list[EnvironmentStep] = [VanillaObservationProcessor()]
    if settings.add_joint_velocity_to_observation:
        steps.append(JointVelocityProcessor())
    if settings.add_ee_pose_to_observation:
        low, high = np.array(settings.end_effector_min_m), np.array(settings.end_effector_max_m)
        steps.append(ForwardKinematicsJointsToEE(kinematics, low, high, settings.max_gripper_pos))
    steps.append(ImageCropResizeProcessor(settings.crop_params_dict, settings.resize_size))
    steps.append(TimeLimitProcessor(settings.max_episode_steps))
    steps.append(GripperPenaltyProcessor(settings.gripper_penalty))
    return EnvironmentPipeline(steps)


def build_action_pipeline(settings: ProcessorSettings, kinematics: Kinematics) -> ActionPipeline:
    """Intervention, inverse kinematics, gripper."""
    inverse = InverseKinematicsEEToJoints(
        kinematics,
        np.array(settings.end_effector_min_m),
        np.array(settings.end_effector_max_m),
        np.array(settings.end_effector_step_sizes_m),
    )
    gripper = GripperVelocityToJoint(settings.max_gripper_pos)
    return ActionPipeline([InterventionActionProcessor(settings.use_gripper), inverse, gripper], inverse)


def state_size(settings: ProcessorSettings) -> int:
    """Length N of `observation.state`."""
    return 6 + 6 * settings.add_joint_velocity_to_observation + 4 * settings.add_ee_pose_to_observation
