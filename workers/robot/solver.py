"""Levenberg-Marquardt on the pose of the tool, within a box of joint angles. Radians and metres."""

from dataclasses import dataclass

import eigenpy
import numpy as np
import pinocchio

from workers.robot.figures import GRIPPER, Floats

ARM = GRIPPER  # joints that move the tool point: all before the gripper
_MAX_STEP_RAD = 0.6  # beyond that the linear picture of the arm is worthless
_FIRST_DAMPING, _LEAST_DAMPING = 1e-3, 1e-9
_SETTLED = 1e-4  # a step that lowers the cost, or would, by a smaller part ends the descent
_REACHED_RAD2 = 1e-8  # squared error that counts as none
_TINY_RAD = 1e-12
_IDENTITY = np.eye(ARM)


@dataclass(frozen=True, slots=True)
class Pose:
    """Tool frame in the base frame: position in metres [3], rotation matrix [3, 3]."""

    position_m: Floats
    rotation: Floats


@dataclass(frozen=True, slots=True)
class Descent:
    """Where a descent ended."""

    joints_rad: Floats  # [6]
    cost: float  # what is left of it, in rad2
    iterations: int


class ToolSolver:
    """Moves the joints of one arm so that its tool comes to a pose. No state is kept from call to call."""

    def __init__(self, model: "pinocchio.Model", frame: int) -> None:
        self._model, self._frame = model, frame
        self._data = model.createData()

    def place(self, joints_rad: Floats) -> "pinocchio.SE3":
        """Tool frame for a joint vector [6]; overwritten by the next call."""
        pinocchio.forwardKinematics(self._model, self._data, joints_rad)
        return pinocchio.updateFramePlacement(self._model, self._data, self._frame)

    def descend(
        self,
        wanted: Pose,
        start_rad: Floats,
        lowest_rad: Floats,
        highest_rad: Floats,
        metre: float,
        max_iterations: int,
        rest: float = 0.0,
    ) -> Descent:
        """Lower |W e|^2 + rest |q - q0|^2 from q0 = `start_rad` [6] on, within `lowest_rad` .. `highest_rad` [5].

        e is the position error and the rotation vector to the wanted rotation, W weighs a metre as `metre`
        radians; `rest` keeps joints where they are that have little to give. Every accepted step lowers the
        cost; damping grows where the arm is stretched and a step would not (Marquardt 1963).
        """
        joints, damping = start_rad, _FIRST_DAMPING
        error = self._error(joints, wanted, metre)
        cost = float(error @ error)
        for iteration in range(max_iterations):
            if cost < _REACHED_RAD2:
                return Descent(joints, cost, iteration)
            normal, gradient = self._normal_equations(joints, error, metre)
            if iteration and rest:
                gradient -= rest * (joints - start_rad)[:ARM]
            low, high = lowest_rad - joints[:ARM], highest_rad - joints[:ARM]
            while True:
                step = _boxed_step(normal + (rest + damping) * _IDENTITY, gradient, low, high)
                tried = joints.copy()
                tried[:ARM] += step
                error = self._error(tried, wanted, metre)
                moved = (tried - start_rad)[:ARM]
                lower_cost = float(error @ error + rest * (moved @ moved))
                if lower_cost < cost:
                    break
                if not step @ gradient > _SETTLED * cost:
                    return Descent(joints, cost, iteration + 1)
                damping *= 10.0
            gained = cost - lower_cost
            joints, cost, damping = tried, lower_cost, max(0.1 * damping, _LEAST_DAMPING)
            if gained < _SETTLED * cost:
                return Descent(joints, cost, iteration + 1)
        return Descent(joints, cost, max_iterations)

    def _error(self, joints_rad: Floats, wanted: Pose, metre: float) -> Floats:
        """Weighted error [6], base frame."""
        tool = self.place(joints_rad)
        error = np.empty(6)
        error[:3] = metre * (wanted.position_m - tool.translation)
        error[3:] = pinocchio.log3(wanted.rotation @ tool.rotation.T)
        return error

    def _normal_equations(self, joints_rad: Floats, error: Floats, metre: float) -> tuple[Floats, Floats]:
        """J^T W^2 J [5, 5] and J^T W^2 e [5]; the rotation's Jacobian is that at a small error."""
        jacobian = pinocchio.computeFrameJacobian(
            self._model, self._data, joints_rad, self._frame, pinocchio.LOCAL_WORLD_ALIGNED
        )
        weighted = jacobian[:, :ARM].copy()
        weighted[:3] *= metre
        return weighted.T @ weighted, weighted.T @ error


def _boxed_step(normal: Floats, gradient: Floats, low: Floats, high: Floats) -> Floats:
    """Step [5] that solves `normal` step = `gradient` within `low` .. `high`.

    The joint that comes to the end of its range first stays there, and the others make up for it, until no more
    leave theirs (active set).
    """
    step = _shortened(_solved(normal, gradient))
    held: Floats = np.minimum(np.maximum(step, low), high)
    beyond = np.abs(step - held)
    if not beyond.any():
        return step
    free, fixed = np.ones(ARM, dtype=bool), np.zeros(ARM)
    for _ in range(ARM):
        first = int(np.argmax(beyond / (np.abs(step) + _TINY_RAD)))
        free[first], fixed[first] = False, held[first]
        # Rows and columns of joints at an end become those of the identity, their right side zero.
        reduced = np.where(free & free[:, None], normal, _IDENTITY)
        step = fixed + _shortened(_solved(reduced, (gradient - normal @ fixed) * free))
        held = np.minimum(np.maximum(step, low), high)
        beyond = np.abs(step - held)
        if not beyond.any():
            break
    return held


def _shortened(step: Floats) -> Floats:
    largest = max(map(abs, step.tolist()))
    return step if largest <= _MAX_STEP_RAD else step * (_MAX_STEP_RAD / largest)


def _solved(matrix: Floats, right: Floats) -> Floats:
    solution: Floats = eigenpy.LLT(matrix).solve(right)  # symmetric and, with its damping, positive definite
    return solution
