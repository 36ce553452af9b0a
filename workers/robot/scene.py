"""What stands in the simulated workcell besides the arm, in figures: the things on the table, and the views of it."""

from dataclasses import dataclass

from workers.robot.arms import Vector

SCENE_LENGTH = 16
"""Of what a renderer needs: cube position and quaternion [7], joints in rad [6], drawn goal [3]; NaN for none."""
CUBE_HALF_M = 0.0125
CUBE_KG = 0.020
MARKER_RADIUS_M = 0.015  # of the sphere to reach: inside it is success
SPOT_RADIUS_M = 0.026  # of the disc to push the cube onto: it shows all around the cube
SPOT_HALF_M = 0.0005
CUBE_COLOUR, GOAL_COLOUR = "0.85 0.10 0.10 1", "0.10 0.30 0.95 1"


@dataclass(frozen=True, slots=True)
class View:
    """A camera: what it is mounted on, where it stands, what it looks at (metres in that frame), field of view.

    The frame's z is up in the picture.
    """

    name: str
    link: str | None  # None: the world, in the base frame
    position_m: Vector
    target_m: Vector
    fovy_deg: float


VIEWS = (
    View("front", None, (0.60, 0.0, 0.36), (0.225, 0.0, 0.078), 38.0),
    View("side", None, (0.25, -0.40, 0.30), (0.245, 0.0, 0.080), 36.0),
    View("wrist", "gripper", (0.005, 0.095, -0.020), (0.005, 0.010, -0.120), 80.0),  # both jaws, from aside
)
