"""The state of an arm in a run, scaled for its networks, and in a dataset, in LeRobot's units.

A dataset holds what anybody can read without this program's configuration, under the same names:

    <joint>.pos       degrees; the gripper in percent, 0 to 100
    <joint>.vel       degrees/s; the gripper in percent/s
    <joint>.current   amperes
    ee.x, ee.y, ee.z  metres, base frame
    ee.r11 ... ee.r32 the first two columns of the tool's rotation matrix, as in a run
    ee.gripper_goal   percent, the commanded opening of the jaw

Datasets of this program from before hold the run's scaled state under the same names. They tell by their numbers:
scaled ones never leave +-3, and no arm stays within 3 degrees of all its zeros with its gripper closed.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workers.config import Config
from workers.processors.build import pipelines_of
from workers.processors.features import STATE
from workers.processors.scaling import CURRENT_RANGE_A, STATE_LIMIT, VELOCITY_RANGE_DEG_S
from workers.robot.build import arm_model_of
from workers.robot.figures import JOINT_NAMES, Floats, JointRange

States = NDArray[np.float32]
Range = tuple[float, float]
"""What -1 and 1 of a scaled element stand for."""


class StateUnits:
    """Scaled states <-> states of a dataset, element by element. Inverses of one another within float32.

    What the run clipped (beyond 3 times its range, only a fault gets there) stays clipped.
    """

    def __init__(self, names: tuple[str, ...], range_of: Callable[[str], Range]) -> None:
        """`names` of the state's elements, the same in run and dataset."""
        self.names = names
        ranges = np.array([range_of(name) for name in names], np.float64).reshape(-1, 2)
        self._middle: Floats = ranges.mean(axis=1)
        self._half: Floats = (ranges[:, 1] - ranges[:, 0]) / 2.0

    def to_dataset(self, states: NDArray[np.floating]) -> States:
        """float32 [n, S] in LeRobot's units, of scaled states [n, S] (or [S])."""
        return (self._middle + self._half * states.astype(np.float64)).astype(np.float32)

    def from_dataset(self, states: NDArray[np.floating]) -> States:
        """float32 [n, S] as the processors scale them, of states [n, S] (or [S]) in LeRobot's units."""
        scaled = (states.astype(np.float64) - self._middle) / self._half
        return np.clip(scaled, -STATE_LIMIT, STATE_LIMIT).astype(np.float32)


def state_units(config: Config) -> StateUnits:
    """The conversion for the arm, its limits and its workspace bounds in `config`.

    A Gymnasium environment's numbers have no units that this program knows: they stay as they are.
    Raises UrdfError.
    """
    names = pipelines_of(config).stored[STATE].names
    if config.env.robot is None:
        return StateUnits(names, lambda _: (-1.0, 1.0))
    joints = arm_model_of(config).joints
    return StateUnits(names, lambda name: _range(name, config, joints))


def looks_scaled(positions: NDArray[np.floating]) -> bool:
    """Whether joint positions [n, 6] of a whole dataset are a run's scaled ones, and not degrees and percent."""
    return bool(positions.size) and bool((np.abs(positions) <= STATE_LIMIT).all())


def _range(name: str, config: Config, joints: JointRange) -> Range:
    """What the scaled element `name` of an arm's state runs between, in its dataset's unit."""
    part, _, kind = name.rpartition(".")
    if part == "ee":
        return _ee_range(kind, config)
    joint = JOINT_NAMES.index(part)
    match kind:
        case "pos":
            return float(joints.lower_deg[joint]), float(joints.upper_deg[joint])
        case "vel":
            return -float(VELOCITY_RANGE_DEG_S[joint]), float(VELOCITY_RANGE_DEG_S[joint])
        case "current":
            return -float(CURRENT_RANGE_A[joint]), float(CURRENT_RANGE_A[joint])
    raise AssertionError(f"{name} has no unit in a dataset")


def _ee_range(kind: str, config: Config) -> Range:
    """As `_range`, of the end-effector's elements."""
    if kind in ("x", "y", "z"):
        bounds, axis = config.env.workspace.end_effector_bounds, "xyz".index(kind)
        return bounds.min[axis], bounds.max[axis]
    if kind == "gripper_goal":
        closed, opening = config.env.processor.gripper.closed_at, config.env.processor.max_gripper_pos
        return float(closed), closed + (opening if closed == 0.0 else -opening)
    return -1.0, 1.0  # an element of the rotation matrix
