"""What only kinematics can tell about a configuration, said before anything moves."""

import os
from collections.abc import Iterator

import numpy as np

from workers.config import Config
from workers.config.robot import MOTORS
from workers.robot.arm_model import ArmModel, FrameError, UrdfError
from workers.robot.build import arm_model_of, configured_limits
from workers.robot.figures import GRIPPER
from workers.robot.kinematics import Kinematics
from workers.robot.workspace import outside_in_words

_ARM = ("env", "robot")
_KINEMATICS = ("env", "processor", "inverse_kinematics")
_POSE = ("env", "processor", "reset", "fixed_reset_joint_positions")
_ROUNDING_DEG = 1e-6

Problems = Iterator[tuple[tuple[str, ...], str]]


def problems(config: Config) -> Problems:
    """Path of each key that is wrong, and why. Only for a configuration with an arm."""
    try:
        model = arm_model_of(config)
    except UrdfError as error:
        yield (*_KINEMATICS, "urdf_path"), str(error)
        return
    yield from _port_problems(config)
    wrong_joints = list(_joint_problems(config, model))
    yield from wrong_joints
    if any(path[:2] == _ARM for path, _ in wrong_joints):
        return  # limits that contradict each other leave kinematics nothing to solve in
    try:
        kinematics = Kinematics(
            config.env.arm.joint_margin_deg,
            config.env.workspace.target_frame_name,
            model,
            configured_limits(config),
        )
    except FrameError as error:
        yield (*_KINEMATICS, "target_frame_name"), str(error)
        return
    yield from _tool_problems(config, kinematics)


def _port_problems(config: Config) -> Problems:
    """Two names of one serial port: a link in /dev/serial/by-id, and what it leads to."""
    leader, follower = config.env.teleop.port, config.env.arm.port
    if leader is not None and follower is not None and os.path.realpath(leader) == os.path.realpath(follower):
        text = f"{leader} is the follower's port too (env.robot.port); `hilserl-worker find-port` tells which is which"
        yield ("env", "teleop", "port"), text


def _joint_problems(config: Config, model: ArmModel) -> Problems:
    """Joints of the reset pose that the safety gate would never let the arm reach."""
    margin = config.env.arm.joint_margin_deg
    lower, upper = model.joints.lower_deg[:GRIPPER] + margin, model.joints.upper_deg[:GRIPPER] - margin
    given = config.env.arm.joint_limits_deg
    for name, angle, low, high in zip(MOTORS, config.env.reset_pose, lower, upper, strict=False):
        if low > high:
            yield (*_ARM, "joint_margin_deg"), f"{margin:g} leaves {name} nowhere to go"
            continue
        limits = f"{low:.1f} to {high:.1f}, its limits less joint_margin_deg ({margin:g})"
        if name in given:
            least, greatest = given[name]
            if max(low, least) >= min(high, greatest):
                text = f"[{least:g}, {greatest:g}] has nothing in common with {limits}"
                yield (*_ARM, "joint_limits_deg", name), text
                continue
            low, high = max(low, least), min(high, greatest)
            limits = f"{low:.1f} to {high:.1f}, from joint_limits_deg"
        if not low - _ROUNDING_DEG <= angle <= high + _ROUNDING_DEG:
            yield _POSE, f"{name} at {angle:g} degrees is outside {limits}"


def _tool_problems(config: Config, kinematics: Kinematics) -> Problems:
    """A reset pose outside the workspace bounds: the first action would pull the arm to their edge."""
    tool = kinematics.position(np.array(config.env.reset_pose))
    bounds = config.env.workspace.end_effector_bounds
    outside = list(outside_in_words(tool, bounds.min, bounds.max))
    if outside:
        place = ", ".join(f"{value:.3f}" for value in tool)
        yield (
            _POSE,
            (
                f"the tool would be at [{place}] m, outside end_effector_bounds: {'; '.join(outside)}. "
                "Widen the bounds or choose a pose inside them"
            ),
        )
