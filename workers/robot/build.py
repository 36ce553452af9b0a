"""From the configuration to the arm's kinematics and the limits of its gate."""

from dataclasses import replace

import numpy as np

from workers.config import Config
from workers.config.robot import MOTORS
from workers.robot.arm_model import ArmModel, builtin_model, model_from_file
from workers.robot.arms import arm_of
from workers.robot.figures import Floats
from workers.robot.gate import EndEffectorBox, Limits
from workers.robot.kinematics import Kinematics

BOX_SLACK_M = 0.01  # servo sag and joint-wise interpolation between two points inside do not count as leaving


def arm_model_of(config: Config) -> ArmModel:
    """The arm in the user's URDF, or without one the product's own of this type. Raises UrdfError."""
    path = config.env.workspace.urdf_path
    return builtin_model(arm_of(config.env.arm.type)) if path is None else model_from_file(path)


def kinematics_of(config: Config) -> Kinematics:
    """Kinematics of the arm with the configured joint limits and end-effector frame.

    Raises UrdfError and FrameError; `workers.robot.checks` says the same of a configuration beforehand.
    """
    frame, model = config.env.workspace.target_frame_name, arm_model_of(config)
    return Kinematics(config.env.arm.joint_margin_deg, frame, model, configured_limits(config))


def configured_limits(config: Config) -> tuple[Floats, Floats]:
    """`joint_limits_deg` as (least, greatest) [6]; infinite for motors that are not named."""
    given = [config.env.arm.joint_limits_deg.get(motor, (-np.inf, np.inf)) for motor in MOTORS]
    least, greatest = np.array(given).T
    return least, greatest


def limits_of(config: Config) -> Limits:
    """What the gate keeps on every path; its box is a little larger than the one the actions are clipped to."""
    robot = config.env.arm
    bounds = config.env.workspace.end_effector_bounds
    limits = Limits.of(
        margin_deg=robot.joint_margin_deg,
        speed_limit_deg_s=robot.speed_limit_deg_s,
        acceleration_limit_deg_s2=robot.acceleration_limit_deg_s2,
        lead_limits_deg=robot.lead_limits,
        box=EndEffectorBox(np.array(bounds.min) - BOX_SLACK_M, np.array(bounds.max) + BOX_SLACK_M),
        gripper_speed_pct_s=robot.gripper_speed_pct_s,
        joints=arm_model_of(config).joints,
    )
    least, greatest = configured_limits(config)
    return replace(
        limits,
        lower_deg=np.maximum(limits.lower_deg, least),
        upper_deg=np.minimum(limits.upper_deg, greatest),
    )
