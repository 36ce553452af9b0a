"""The axis of the first joint: the arm swings about it, and with the arm everything it holds."""

import numpy as np

from workers.robot.figures import Floats


class Pan:
    """A directed line in the base frame, and turns about it. Angles in rad, positive by the right hand."""

    def __init__(self, point_m: Floats, direction: Floats) -> None:
        """`point_m` [3]: any point on the axis; `direction` [3]: of unit length."""
        self._point_m = point_m
        x, y, z = direction
        self._cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])  # cross product with the direction
        self._twice = self._cross @ self._cross

    def turn_rad(self, start: Floats, end: Floats) -> Floats:
        """Angles, within -pi .. pi, that turn directions `start` [..., 3] level with `end` [3]; 0 along the axis."""
        angle: Floats = np.arctan2((start @ self._cross.T) @ end, -(start @ self._twice) @ end)
        return angle

    def turned(self, directions: Floats, angle_rad: Floats) -> Floats:
        """`directions` v [..., 3], each turned by its angle a [...]: v + sin a (u x v) + (1 - cos a) u x (u x v)."""
        sine, versine = np.sin(angle_rad)[..., None], 1.0 - np.cos(angle_rad)[..., None]
        turned: Floats = (
            directions + sine * (directions @ self._cross.T) + versine * (directions @ self._twice)
        )
        return turned

    def from_axis(self, position_m: Floats) -> Floats:
        """Positions [..., 3] as seen from a point on the axis."""
        way: Floats = position_m - self._point_m
        return way
