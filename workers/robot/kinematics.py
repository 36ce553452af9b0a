"""Forward and inverse kinematics of the tool point, on the project's own URDF, with pinocchio.

The arm has five joints before the jaw: enough for a tool position (3), the tool pointing straight down (1,
the arm moves in a vertical plane) and the heading of the jaws (1). Position comes first; what is left of the
joints' freedom goes to the tool's direction.
"""

from dataclasses import dataclass

import numpy as np
import pinocchio

from workers.robot.figures import JOINTS, LOWER_DEG, TOOL_NAME, UPPER_DEG, Floats, model_joints, public_joints
from workers.robot.urdf import so101_urdf

ARM = len(JOINTS) - 1  # joints that move the tool point; the last one moves the jaw
# Position first: a metre weighs a thousand radians, so giving up half a radian of direction moves the tool
# by microns.
_WEIGHTS = np.array([1e3, 1e3, 1e3, 1.0, 1.0, 1.0])[:, None]
_DAMPING = 1e-4 * np.eye(ARM)  # keeps a step finite where the arm is stretched
_MAX_STEP_RAD = 0.3
_STALLED_RAD2 = 1e-7  # squared step length below which further iterations change nothing
_TURNED_RAD2 = 1e-8  # squared rotation error that counts as none


@dataclass(frozen=True, slots=True)
class Pose:
    """Tool frame in the base frame: position in metres [3], rotation matrix [3, 3]."""

    position_m: Floats
    rotation: Floats


@dataclass(frozen=True, slots=True)
class Solution:
    """Result of an inverse solve: the best joints found, and how far the tool is from what was asked."""

    joints_deg: Floats  # [6]; the gripper is the seed's
    position_error_m: float
    tilt_rad: float  # angle between the tool axis and straight down
    converged: bool  # position error within tolerance
    iterations: int


class Kinematics:
    """Kinematics of one SO-101. Not thread-safe: one instance per process."""

    def __init__(self, margin_deg: float = 0.0, frame: str = TOOL_NAME) -> None:
        """`margin_deg` keeps solutions off the mechanical stops; give it the safety gate's margin.

        `frame` of the URDF is the end-effector.
        """
        self._model = pinocchio.buildModelFromXML(so101_urdf())
        self._data = self._model.createData()
        self._frame = self._model.getFrameId(frame)
        self._lower_rad = model_joints(LOWER_DEG + margin_deg)[:ARM]
        self._upper_rad = model_joints(UPPER_DEG - margin_deg)[:ARM]

    def forward(self, joints_deg: Floats) -> Pose:
        """Tool pose for a joint vector [6] (degrees; the gripper does not matter)."""
        tool = self._place(model_joints(joints_deg))
        return Pose(tool.translation.copy(), tool.rotation.copy())

    def position(self, joints_deg: Floats) -> Floats:
        """Tool position [3] in metres; the cheap half of `forward`."""
        position: Floats = self._place(model_joints(joints_deg)).translation.copy()
        return position

    def heading_rad(self, joints_deg: Floats) -> float:
        """Direction in which the jaw opens, seen from above; 0 is straight away from the base."""
        across = self._place(model_joints(joints_deg)).rotation[:, 0]
        return float(np.arctan2(-across[1], -across[0]))

    def inverse(
        self,
        target_position_m: Floats,
        seed_joints_deg: Floats,
        heading_rad: float = 0.0,
        tolerance_m: float = 1e-5,
        max_iterations: int = 20,
    ) -> Solution:
        """Joints that put the tool at `target_position_m` pointing down, jaws heading `heading_rad`.

        Damped least squares on position and direction (Wampler 1986), position weighted so that it comes
        first. Never raises for an unreachable target: see `Solution.converged`.
        """
        joints = model_joints(seed_joints_deg)
        joints[:ARM] = np.clip(joints[:ARM], self._lower_rad, self._upper_rad)
        wanted = _tool_down(heading_rad)
        for iteration in range(max_iterations + 1):
            error = self._error(joints, target_position_m, wanted)
            if iteration == max_iterations or (
                error[:3] @ error[:3] < tolerance_m**2 and error[3:] @ error[3:] < _TURNED_RAD2
            ):
                break
            step = self._step(joints, error)
            joints[:ARM] += step
            if step @ step < _STALLED_RAD2:
                error = self._error(joints, target_position_m, wanted)
                break
        tilt = float(np.arccos(min(1.0, -self._data.oMf[self._frame].rotation[2, 2])))
        distance = float(np.sqrt(error[:3] @ error[:3]))
        return Solution(public_joints(joints), distance, tilt, distance < 10.0 * tolerance_m, iteration)

    def _place(self, joints_rad: Floats) -> "pinocchio.SE3":
        pinocchio.forwardKinematics(self._model, self._data, joints_rad)
        return pinocchio.updateFramePlacement(self._model, self._data, self._frame)

    def _error(self, joints_rad: Floats, target_m: Floats, wanted: Floats) -> Floats:
        """Position error in metres and rotation error in rad, base frame, [6].

        Rotation: 0.5 * vee(S - S^T), S = R* R^T: exact axis, length the sine of the angle.
        """
        tool = self._place(joints_rad)
        turn = wanted @ tool.rotation.T
        error = np.empty(6)
        error[:3] = target_m - tool.translation
        error[3] = 0.5 * (turn[2, 1] - turn[1, 2])
        error[4] = 0.5 * (turn[0, 2] - turn[2, 0])
        error[5] = 0.5 * (turn[1, 0] - turn[0, 1])
        return error

    def _step(self, joints_rad: Floats, error: Floats) -> Floats:
        """One step [5] in rad that stays within the joint limits.

        A joint that would leave its range moves to the end of it, and the others make up for it (active set).
        """
        jacobian = pinocchio.computeFrameJacobian(
            self._model, self._data, joints_rad, self._frame, pinocchio.LOCAL_WORLD_ALIGNED
        )[:, :ARM]
        lowest, highest = self._lower_rad - joints_rad[:ARM], self._upper_rad - joints_rad[:ARM]
        fixed = np.zeros(ARM)
        free = np.ones(ARM, dtype=bool)
        for _ in range(ARM):
            step = fixed + _least_squares(jacobian * free, error - jacobian @ fixed)
            held = np.minimum(np.maximum(step, lowest), highest)
            blocked = free & (held != step)
            if not blocked.any():
                return held
            fixed = np.where(blocked, held, fixed)
            free &= ~blocked
        return np.clip(fixed, lowest, highest)


def _least_squares(jacobian: Floats, error: Floats) -> Floats:
    """dq = (J^T W^2 J + D)^-1 J^T W^2 e; zero wherever the Jacobian's column is zero."""
    weighted = jacobian * _WEIGHTS
    step: Floats = np.linalg.solve(weighted.T @ weighted + _DAMPING, weighted.T @ (error * _WEIGHTS[:, 0]))
    largest = float(np.abs(step).max())
    return step if largest <= _MAX_STEP_RAD else step * (_MAX_STEP_RAD / largest)


def _tool_down(heading_rad: float) -> Floats:
    """Tool rotation [3, 3]: z straight down, x away from the opening jaw."""
    c, s = np.cos(heading_rad), np.sin(heading_rad)
    return np.array([[-c, -s, 0.0], [-s, c, 0.0], [0.0, 0.0, -1.0]])
