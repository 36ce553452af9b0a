"""The arms that need no URDF file: figures typed once; URDF and MJCF are derived from them."""

from typing import Final

from workers.robot.arms.parts import Arm, Joint, Link, Shape, Vector
from workers.robot.arms.so100 import SO100
from workers.robot.arms.so101 import SO101

ARMS: Final = (SO101, SO100)


def arm_of(robot_type: str) -> Arm:
    """The arm of an `env.robot.type`: the "so101" of "so101_sim". Raises KeyError for any other."""
    for arm in ARMS:
        if robot_type.startswith(arm.name):
            return arm
    raise KeyError(robot_type)


__all__ = ["ARMS", "SO100", "SO101", "Arm", "Joint", "Link", "Shape", "Vector", "arm_of"]
