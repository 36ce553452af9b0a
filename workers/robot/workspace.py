"""From where an arm has been to the workspace it needs: bounds, what is wrong with them, joint limits. Pure figures.

Metres in the base frame, degrees (gripper: percent).
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import numpy as np

from workers.config.processor import SMALLEST_BOX_M
from workers.config.robot import MOTORS
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import EndEffectorBox
from workers.robot.kinematics import Kinematics

DIGITS: Final = 4  # decimals of a metre, as LeRobot prints them
# Room around the joints that the box needs: servos sag, and an episode may start a little beside the reset pose.
JOINT_ROOM_DEG: Final = 5.0
_SAG_M: Final = 0.003
_HOP_M: Final = 0.005  # as finely as an episode goes there: a way near the end of the reach depends on it
_ROUNDING_M: Final = 1e-4


class Extent:
    """The least and the greatest that was seen of the tool's position [3] and of the joints [6]."""

    def __init__(self) -> None:
        self.samples = 0
        self.ee_min_m, self.ee_max_m = np.full(3, np.inf), np.full(3, -np.inf)
        self.joints_min_deg, self.joints_max_deg = np.full(6, np.inf), np.full(6, -np.inf)

    def note(self, ee_m: Floats, joints_deg: Floats) -> None:
        """Take in where the arm is; what is not a finite number is passed over."""
        if not (np.isfinite(ee_m).all() and np.isfinite(joints_deg).all()):
            return
        self.samples += 1
        self.ee_min_m, self.ee_max_m = np.minimum(self.ee_min_m, ee_m), np.maximum(self.ee_max_m, ee_m)
        self.joints_min_deg = np.minimum(self.joints_min_deg, joints_deg)
        self.joints_max_deg = np.maximum(self.joints_max_deg, joints_deg)

    def box(self, margin_m: float, floor_m: float, reset_m: Floats) -> EndEffectorBox:
        """The box around all tool positions, `margin_m` wider on every side, but never below `floor_m`.

        A reset pose a hair's breadth outside is taken in: an arm that stands in it sags, and is never seen there.
        """
        low, high = self.ee_min_m - margin_m, self.ee_max_m + margin_m
        low[2] = max(low[2], floor_m)
        low = np.where((reset_m < low) & (reset_m > low - _SAG_M), reset_m, low)
        high = np.where((reset_m > high) & (reset_m < high + _SAG_M), reset_m, high)
        return EndEffectorBox(np.round(low, DIGITS), np.round(high, DIGITS))


def problems(extent: Extent, box: EndEffectorBox, reset_m: Floats) -> Iterator[str]:
    """Why `box` cannot be the workspace: an axis along which nobody moved, or a reset pose outside."""
    if not extent.samples:
        yield "nothing was counted: move the arm through the space that the task needs"
        return
    for axis, low, high in zip("xyz", extent.ee_min_m, extent.ee_max_m, strict=True):
        if high - low < SMALLEST_BOX_M:
            yield (
                f"{axis}: the arm moved only {100 * (high - low):.1f} cm, the least is {100 * SMALLEST_BOX_M:.0f} cm; "
                f"move it along {axis} as well"
            )
    outside = list(outside_in_words(reset_m, box.min_m, box.max_m))
    if outside:
        place = ", ".join(f"{round(value, 3) + 0.0:.3f}" for value in reset_m)
        yield (
            f"the reset pose has the tool at [{place}] m, outside: {'; '.join(outside)}. Move the arm there too, "
            "or choose another env.processor.reset.fixed_reset_joint_positions"
        )


def outside_in_words(
    at_m: Floats, min_m: Sequence[float] | Floats, max_m: Sequence[float] | Floats
) -> Iterator[str]:
    """On which axes a position [3] is outside a box, and how far; a tenth of a millimetre is not."""
    for axis, at, low, high in zip("xyz", at_m, min_m, max_m, strict=True):
        if at < low - _ROUNDING_M:
            yield f"{axis} is {100 * (low - at):.1f} cm below {low:g}"
        elif at > high + _ROUNDING_M:
            yield f"{axis} is {100 * (at - high):.1f} cm above {high:g}"


def tutorial_lines(extent: Extent, box: EndEffectorBox) -> tuple[str, ...]:
    """The four lines of `lerobot-find-joint-limits`, under headings that give their true units."""
    return (
        "# End Effector Bounds (x, y, z), metres:",
        f"max_ee = {np.round(box.max_m, DIGITS).tolist()}",
        f"min_ee = {np.round(box.min_m, DIGITS).tolist()}",
        "# Joint Position Limits, degrees (gripper: percent open):",
        f"max_pos = {np.round(extent.joints_max_deg, DIGITS).tolist()}",
        f"min_pos = {np.round(extent.joints_min_deg, DIGITS).tolist()}",
    )


def joint_limits(
    extent: Extent, box: EndEffectorBox, reset_deg: Floats, kinematics: Kinematics, margin_deg: float
) -> dict[str, list[float]]:
    """[least, greatest] of the five arm joints: what was seen and what the box needs, with some room.

    A box has corners where nobody was, and a limit must not keep the arm from them. `margin_deg` is
    `joint_margin_deg`: beyond that the gate lets no joint go anyway.
    """
    poses = np.array([reset_deg, *corner_poses(box, reset_deg, kinematics)])
    least = np.minimum(extent.joints_min_deg, poses.min(axis=0)) - JOINT_ROOM_DEG
    greatest = np.maximum(extent.joints_max_deg, poses.max(axis=0)) + JOINT_ROOM_DEG
    least = np.maximum(least, kinematics.joints.lower_deg + margin_deg)
    greatest = np.minimum(greatest, kinematics.joints.upper_deg - margin_deg)
    return {
        motor: [float(np.floor(10 * low) / 10), float(np.ceil(10 * high) / 10)]
        for motor, low, high in zip(MOTORS[:GRIPPER], least, greatest, strict=False)
    }


def corner_poses(box: EndEffectorBox, reset_deg: Floats, kinematics: Kinematics) -> Iterator[Floats]:
    """Joints [6] on the way from the reset pose to each corner, the tool's direction kept as in an episode.

    Of a corner out of reach it is the nearest that the arm gets, where an episode would drive it too.
    """
    reference = kinematics.reference(reset_deg)
    start_m = kinematics.position(reset_deg)
    for corner in product(*zip(box.min_m, box.max_m, strict=True)):
        joints, way = reset_deg, np.array(corner) - start_m
        hops = int(np.ceil(np.linalg.norm(way) / _HOP_M)) or 1
        for hop in range(1, hops + 1):
            joints = kinematics.step(start_m + way * (hop / hops), joints, reference).joints_deg
            yield joints
