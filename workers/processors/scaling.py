"""The one place where arm state is scaled for the networks: fixed physical ranges, mapped to about [-1, 1].

Fixed ranges instead of statistics: demonstrations, the online run and a resumed run see the same numbers,
and the learner needs no normaliser.
"""

from typing import Final

import numpy as np

from workers.robot.figures import Floats, JointRange

VELOCITY_RANGE_DEG_S: Final = np.array([100.0, 100.0, 100.0, 100.0, 100.0, 200.0])  # gripper in percent/s
CURRENT_RANGE_A: Final = np.ones(6)
STATE_LIMIT: Final = 3.0  # scaled state is clipped to +- this; only a fault gets there


def _unit(value: Floats, lower: Floats, upper: Floats) -> Floats:
    scaled: Floats = np.clip((2.0 * value - lower - upper) / (upper - lower), -STATE_LIMIT, STATE_LIMIT)
    return scaled


def scaled_joints(joints_deg: Floats, joints: JointRange) -> Floats:
    """[6] over each joint's mechanical range."""
    return _unit(joints_deg, joints.lower_deg, joints.upper_deg)


def unscaled_joints(scaled: Floats, joints: JointRange) -> Floats:
    """Joint positions [6] from what `scaled_joints` made of them."""
    joints_deg: Floats = joints.lower_deg + 0.5 * (scaled + 1.0) * (joints.upper_deg - joints.lower_deg)
    return joints_deg


def scaled_velocity(velocity_deg_s: Floats) -> Floats:
    """[6] over +-100 deg/s, the jaw over +-200 %/s."""
    return _unit(velocity_deg_s, -VELOCITY_RANGE_DEG_S, VELOCITY_RANGE_DEG_S)


def scaled_current(current_a: Floats) -> Floats:
    """[6] over +-1 A: a joint that carries the arm draws a few tenths, one that is blocked an ampere and more."""
    return _unit(current_a, -CURRENT_RANGE_A, CURRENT_RANGE_A)


def scaled_position(position_m: Floats, min_m: Floats, max_m: Floats) -> Floats:
    """[3] over the workspace bounds: full resolution where the task happens."""
    return _unit(position_m, min_m, max_m)


def scaled_gripper(opening_pct: float, max_gripper_pos: float) -> Floats:
    """[1] over 0 .. `max_gripper_pos` percent away from closed."""
    return _unit(np.array([opening_pct]), np.array([0.0]), np.array([max_gripper_pos]))
