"""Forward and inverse kinematics of the tool point, on the project's own URDF, with pinocchio.

The arm has five joints before the jaw: enough for a tool position (3), the tool pointing straight down (1, the
arm moves in a vertical plane) and the heading of the jaws (1). Position comes first; what is left of the joints'
freedom goes to the tool's direction.
"""

from dataclasses import dataclass

import numpy as np
import pinocchio

from workers.robot.figures import JOINTS, LOWER_DEG, TOOL_NAME, UPPER_DEG, Floats, model_joints, public_joints
from workers.robot.urdf import so101_urdf

ARM = len(JOINTS) - 1  # joints that move the tool point; the last one moves the jaw
# Damping keeps a step finite where the arm is stretched; small enough not to slow convergence elsewhere.
_POSITION_DAMPING = 1e-10 * np.eye(3)  # m2
_ROTATION_DAMPING = 1e-3 * np.eye(3)
_MAX_STEP_RAD = 0.3
_STALLED_RAD2 = 1e-7  # squared step length below which further iterations change nothing
_DOWN = np.array([0.0, 0.0, -1.0])


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

    def __init__(self, margin_deg: float = 0.0) -> None:
        """`margin_deg` keeps solutions off the mechanical stops; give it the safety gate's margin."""
        self._model = pinocchio.buildModelFromXML(so101_urdf())
        self._data = self._model.createData()
        self._frame = self._model.getFrameId(TOOL_NAME)
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

        Damped least squares in two priorities (Siciliano & Slotine 1991): position, then in its null space the
        tool's direction. Never raises for an unreachable target: see `Solution.converged`.
        """
        joints = model_joints(seed_joints_deg)
        joints[:ARM] = np.clip(joints[:ARM], self._lower_rad, self._upper_rad)
        heading = np.array([np.cos(heading_rad), np.sin(heading_rad), 0.0])
        for iteration in range(max_iterations + 1):
            error_m, turn = self._errors(joints, target_position_m, heading)
            distance = float(np.sqrt(error_m @ error_m))
            if iteration == max_iterations or (distance < tolerance_m and turn @ turn < 1e-8):
                break
            step = self._step(joints, error_m, turn)
            joints[:ARM] += step
            if step @ step < _STALLED_RAD2:
                break
        rotation = self._data.oMf[self._frame].rotation
        tilt = float(np.arccos(np.clip(rotation[:, 2] @ _DOWN, -1.0, 1.0)))
        return Solution(public_joints(joints), distance, tilt, distance < tolerance_m * 10, iteration)

    def _place(self, joints_rad: Floats) -> "pinocchio.SE3":
        pinocchio.forwardKinematics(self._model, self._data, joints_rad)
        return pinocchio.updateFramePlacement(self._model, self._data, self._frame)

    def _errors(self, joints_rad: Floats, target_m: Floats, heading: Floats) -> tuple[Floats, Floats]:
        """Position error [3] in metres and rotation error [3] in rad, both in the base frame.

        The tool's x axis points away from the opening jaw, hence the sign of `heading`.
        """
        tool = self._place(joints_rad)
        rotation = tool.rotation
        wanted = np.column_stack((-heading, np.array([-heading[1], heading[0], 0.0]), _DOWN))
        # 0.5 * sum of r_i x r*_i: the vee of the skew part of R* R^T (exact axis, sine of the angle).
        skew = wanted @ rotation.T
        turn = 0.5 * np.array([skew[2, 1] - skew[1, 2], skew[0, 2] - skew[2, 0], skew[1, 0] - skew[0, 1]])
        return target_m - tool.translation, turn

    def _step(self, joints_rad: Floats, error_m: Floats, turn: Floats) -> Floats:
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
            done = jacobian @ fixed
            step = fixed + _prioritised_step(jacobian * free, error_m - done[:3], turn - done[3:])
            held = np.clip(step, lowest, highest)
            blocked = free & (held != step)
            if not blocked.any():
                return held
            fixed = np.where(blocked, held, fixed)
            free &= ~blocked
        return np.clip(fixed, lowest, highest)


def _prioritised_step(jacobian: Floats, error_m: Floats, turn: Floats) -> Floats:
    """dq = Jp+ e + N (Jo N)+ (w - Jo Jp+ e), N = 1 - Jp+ Jp; zero wherever the Jacobian's column is zero."""
    position, rotation = jacobian[:3], jacobian[3:]
    inverse = position.T @ np.linalg.inv(position @ position.T + _POSITION_DAMPING)
    step = inverse @ error_m
    free = rotation - (rotation @ inverse) @ position
    step += free.T @ np.linalg.solve(free @ free.T + _ROTATION_DAMPING, turn - rotation @ step)
    largest = float(np.abs(step).max())
    return step if largest <= _MAX_STEP_RAD else step * (_MAX_STEP_RAD / largest)
