"""What only kinematics can tell about a configuration, said before anything moves."""

from collections.abc import Iterator

import numpy as np

from workers.config import Config
from workers.robot.arm_model import ArmModel, FrameError, UrdfError
from workers.robot.build import arm_model_of
from workers.robot.figures import GRIPPER, JOINT_NAMES
from workers.robot.kinematics import Kinematics

_KINEMATICS = ("env", "processor", "inverse_kinematics")
_POSE = ("env", "processor", "reset", "fixed_reset_joint_positions")
_ROUNDING_M, _ROUNDING_DEG = 1e-4, 1e-6

Problems = Iterator[tuple[tuple[str, ...], str]]


def problems(config: Config) -> Problems:
    """Path of each key that is wrong, and why. Only for a configuration with an arm."""
    try:
        model = arm_model_of(config)
    except UrdfError as error:
        yield (*_KINEMATICS, "urdf_path"), str(error)
        return
    try:
        kinematics = Kinematics(
            config.env.arm.joint_margin_deg, config.env.workspace.target_frame_name, model
        )
    except FrameError as error:
        yield (*_KINEMATICS, "target_frame_name"), str(error)
        return
    yield from _joint_problems(config, model)
    yield from _tool_problems(config, kinematics)


def _joint_problems(config: Config, model: ArmModel) -> Problems:
    """Joints of the reset pose that the safety gate would never let the arm reach."""
    margin = config.env.arm.joint_margin_deg
    lower, upper = model.joints.lower_deg[:GRIPPER] + margin, model.joints.upper_deg[:GRIPPER] - margin
    for name, angle, low, high in zip(JOINT_NAMES, config.env.reset_pose, lower, upper, strict=False):
        if low > high:
            yield ("env", "robot", "joint_margin_deg"), f"{margin:g} leaves {name} nowhere to go"
        elif not low - _ROUNDING_DEG <= angle <= high + _ROUNDING_DEG:
            limits = f"{low:.1f} to {high:.1f}, its limits less joint_margin_deg ({margin:g})"
            yield _POSE, f"{name} at {angle:g} degrees is outside {limits}"


def _tool_problems(config: Config, kinematics: Kinematics) -> Problems:
    """A reset pose outside the workspace bounds: the first action would pull the arm to their edge."""
    tool = kinematics.position(np.array(config.env.reset_pose))
    bounds = config.env.workspace.end_effector_bounds
    outside = []
    for axis, at, low, high in zip("xyz", tool, bounds.min, bounds.max, strict=True):
        if at < low - _ROUNDING_M:
            outside.append(f"{axis} is {100 * (low - at):.1f} cm below {low:g}")
        elif at > high + _ROUNDING_M:
            outside.append(f"{axis} is {100 * (at - high):.1f} cm above {high:g}")
    if outside:
        place = ", ".join(f"{value:.3f}" for value in tool)
        yield (
            _POSE,
            (
                f"the tool would be at [{place}] m, outside end_effector_bounds: {'; '.join(outside)}. "
                "Widen the bounds or choose a pose inside them"
            ),
        )
