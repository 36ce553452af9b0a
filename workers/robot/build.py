"""From the configuration to the arm's kinematics and the limits of its gate."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from workers.config import Config
from workers.config.robot import MOTORS
from workers.robot.arm_model import ArmModel, builtin_model, model_from_file
from workers.robot.arms import arm_of
from workers.robot.calibration import CalibrationError, calibration_path, load_calibration, owner_of
from workers.robot.drivers import ArmRefused
from workers.robot.drivers.feetech import FeetechArm
from workers.robot.drivers.servos import Profile
from workers.robot.drivers.sts3215 import AMPERE_PER_COUNT, STEPS
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


def servo_arm_of(config: Config, again: bool = False) -> FeetechArm:
    """The configured follower, verified; its torque as it is. Raises ArmGone and, as one of those, ArmRefused.

    `again`: in mid-session, see `FeetechArm`.
    """
    robot = config.env.arm
    assert robot.port is not None and robot.id is not None, "workers.config asks a real arm for both"
    path = calibration_path(robot.id, folder=robot.calibration_dir)
    servo = robot.servo
    profile = Profile(
        p=servo.p,
        i=servo.i,
        d=servo.d,
        gripper_max_torque=round(servo.gripper_torque_pct * 10.0),
        gripper_protection_current=round(servo.gripper_protection_current_a / AMPERE_PER_COUNT),
        gripper_overload_torque=servo.gripper_overload_torque_pct,
        speed_steps_s=round(servo.speed_limit_deg_s * STEPS / 360.0),
    )
    return _opened(robot.port, path, profile, servo.supply_voltage, _folders(config), again)


def leader_arm_of(config: Config, again: bool = False) -> FeetechArm:
    """The configured leader arm, as `servo_arm_of`."""
    teleop = config.env.teleop
    assert teleop.port is not None and teleop.id is not None, "workers.config asks a leader for both"
    path = calibration_path(teleop.id, leader=True, folder=teleop.calibration_dir)
    return _opened(teleop.port, path, Profile(leader=True), None, _folders(config), again)


def _opened(
    port: str, path: Path, profile: Profile, supply_v: float | None, folders: list[Path], again: bool
) -> FeetechArm:
    try:
        calibration = load_calibration(path)
    except CalibrationError as error:
        raise ArmRefused(str(error)) from error
    return FeetechArm(
        port, calibration, str(path), profile, supply_v, lambda held: owner_of(held, folders), again=again
    )


def _folders(config: Config) -> list[Path]:
    """Folders of calibrations that the configuration names, the follower's and the leader's."""
    given = (config.env.arm.calibration_dir, config.env.teleop.calibration_dir)
    return [Path(folder).expanduser() for folder in given if folder is not None]
