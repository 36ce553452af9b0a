"""Where a chain of turning joints has its end, in plain numbers: product of exponentials.

    p = e^[S1 q1] ... e^[S5 q5] p0        (Brockett 1984; Lynch and Park, Modern Robotics, section 4.1)

The robot worker asks for it twice in each tick, and wakes to cold caches: there a call into the library costs four
times as much as this, and hot they are alike. Everything else about the arm's geometry is pinocchio's.
"""

import math
from collections.abc import Sequence

import pinocchio

from workers.robot.figures import Point
from workers.robot.solver import ARM

_NOWHERE: Point = (math.nan, math.nan, math.nan)


class Chain:
    """The joints before the jaw, and a frame that some of them move."""

    def __init__(self, model: "pinocchio.Model", frame: int) -> None:
        data, zero = model.createData(), pinocchio.neutral(model)
        axes = pinocchio.computeJointJacobians(model, data, zero)[3:]
        self._end: Point = tuple(pinocchio.updateFramePlacement(model, data, frame).translation.tolist())
        moving = model.supports[model.frames[frame].parentJoint].tolist()
        self._screws = [
            (joint, *axes[:, joint].tolist(), *data.oMi[joint + 1].translation.tolist())
            for joint in reversed(range(ARM))
            if joint + 1 in moving  # the first of pinocchio's joints is the world
        ]
        """From the last joint to the first, at zero: its number, axis [3] and a point [3] on that."""

    def end(self, joints_deg: Sequence[float]) -> Point:
        """Position in metres, base frame, for a joint vector [6] (degrees; the gripper does not matter).

        NaN where a joint is no finite number.
        """
        if not all(map(math.isfinite, joints_deg[:ARM])):
            return _NOWHERE
        x, y, z = self._end
        for joint, wx, wy, wz, ax, ay, az in self._screws:
            # Rodrigues' formula about an axis that does not pass through the origin.
            angle = math.radians(joints_deg[joint])
            cosine, sine = math.cos(angle), math.sin(angle)
            x, y, z = x - ax, y - ay, z - az
            along = (wx * x + wy * y + wz * z) * (1.0 - cosine)
            x, y, z = (
                ax + x * cosine + (wy * z - wz * y) * sine + wx * along,
                ay + y * cosine + (wz * x - wx * z) * sine + wy * along,
                az + z * cosine + (wx * y - wy * x) * sine + wz * along,
            )
        return x, y, z
