"""The states of a dataset as the networks of this run take them, whoever recorded it and whatever it kept.

Elements are found by their names. LeRobot's gym_manipulator gives none and has one order, positions, velocities,
currents, of which it leaves out what was not asked for. What a state of this run has besides, and follows from
positions and actions, is worked out from them: velocities by the dataset's rate, as LeRobot does, the pose of the
end-effector by kinematics, the commanded opening of the jaw by the commands.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.config import Config
from workers.dataset.layout import Column, Frames, Info
from workers.dataset.units import States, StateUnits, looks_scaled, state_units
from workers.processors.features import ACTION, STATE
from workers.processors.gripper_velocity import GripperVelocityToJoint
from workers.processors.transition import Command, Period
from workers.robot.build import kinematics_of
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sts3215 import current_of_register
from workers.robot.figures import JOINT_NAMES, Floats

_POSITIONS = tuple(f"{joint}.pos" for joint in JOINT_NAMES)
_VELOCITIES = tuple(f"{joint}.vel" for joint in JOINT_NAMES)
_CURRENTS = tuple(f"{joint}.current" for joint in JOINT_NAMES)
_MEASURED = {"joint positions": _POSITIONS, "motor currents": _CURRENTS}  # and nothing else tells them
SURROUNDINGS = "observation.environment_state"
Values = dict[str, Floats]
"""[n] by the name of an element, in a dataset's units."""


class ArmStates:
    """Reads the states of an arm. `problem` says why they cannot be had, "" when they can."""

    def __init__(self, config: Config, column: Column) -> None:
        """`column` describes the dataset's `observation.state`. Raises UrdfError, FrameError."""
        self.units: StateUnits = state_units(config)
        self._config = config
        named = element_names(column)
        self._unnamed = not named
        self._names = named or _lerobots(column.shape[0], self.units.names)
        self.problem = self._missing(column.shape[0])

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of an episode, its actions aside."""
        return (STATE,)

    @property
    def derived(self) -> tuple[str, ...]:
        """Elements that the dataset does not hold."""
        return tuple(name for name in self.units.names if name not in self._names)

    def __call__(self, frames: Frames) -> States:
        """float32 [n, S] scaled, of one whole episode."""
        values = self._values(frames[STATE])
        for name in self.derived:
            if name not in values:
                values |= self._derive(name, values, frames[ACTION])
        return self.units.from_dataset(np.stack([values[name] for name in self.units.names], axis=1))

    def scaled(self, states: NDArray[np.floating]) -> bool:
        """Whether the states [n, D] of a whole dataset are a run's, scaled, and not in LeRobot's units."""
        return looks_scaled(states[:, [self._names.index(name) for name in _POSITIONS]])

    def _missing(self, size: int) -> str:
        if not self._names:
            return f"{size} numbers without names"
        absent = [what for what, names in _MEASURED.items() if set(names) & set(self.derived)]
        return f"no {' and no '.join(absent)}" if absent else ""

    def _values(self, states: NDArray[np.floating]) -> Values:
        rows = states.astype(np.float64)
        values = {name: rows[:, index] for index, name in enumerate(self._names)}
        if self._unnamed:  # LeRobot keeps the servo's register as it is
            counts = {name: values[name].astype(np.int64) for name in _CURRENTS if name in values}
            values |= {
                name: current_of_register((raw & 0xFFFF).astype(np.uint16)) for name, raw in counts.items()
            }
        return values

    def _derive(self, name: str, values: Values, actions: NDArray[np.floating]) -> Values:
        if name in _VELOCITIES:
            position = values[_POSITIONS[_VELOCITIES.index(name)]]
            return {name: np.diff(position, prepend=position[:1]) * self._config.env.fps}
        joints = np.stack([values[position] for position in _POSITIONS], axis=1)
        if name == "ee.gripper_goal":
            return {name: np.array(list(self._gripper_goals(joints, actions)))}
        return self._poses(joints)

    def _poses(self, joints: Floats) -> Values:
        """Every element of the tool's pose, of joint vectors [n, 6]."""
        kinematics = kinematics_of(self._config)
        poses = [kinematics.forward(row) for row in joints]
        positions = np.stack([pose.position_m for pose in poses])
        rotations = np.stack([pose.rotation for pose in poses])
        turned = {
            f"ee.r{row + 1}{column + 1}": rotations[:, row, column] for column in range(2) for row in range(3)
        }
        return {f"ee.{axis}": positions[:, index] for index, axis in enumerate("xyz")} | turned

    def _gripper_goals(self, joints: Floats, actions: NDArray[np.floating]) -> Iterator[float]:
        """The commanded opening in percent at each observation: what the commands before it came to."""
        processor = self._config.env.processor
        gripper = processor.gripper
        jaw = GripperVelocityToJoint(processor.max_gripper_pos, gripper.closed_at, gripper.use_gripper)
        jaw.reset(ArmReading(joints[0], np.zeros(len(JOINT_NAMES)), 0.0))
        for action in actions.astype(np.float32):
            yield jaw.goal_pct
            jaw(Command(np.rint(action)), Period(action, np.empty(0), 0.0, 0.0))


class GymnasiumStates:
    """The numbers of a Gymnasium environment as it gave them; they have no names to find them by.

    LeRobot keeps those of `environment_state` in a column of their own, which follows `agent_pos` here.
    """

    def __init__(self, scale: Callable[[Floats], Floats], size: int, info: Info) -> None:
        """`scale` brings the `size` numbers of an observation to the networks' range."""
        self._scale = scale
        features = info.features
        self._columns = [key for key in (STATE, SURROUNDINGS) if key in features]
        if STATE in features and features[STATE].shape == (size,):
            self._columns = [STATE]
        found = sum(features[key].shape[0] for key in self._columns)
        self.problem = "" if found == size else f"{found} numbers"

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of an episode."""
        return tuple(self._columns)

    def __call__(self, frames: Frames) -> States:
        """float32 [n, S] scaled, of one whole episode."""
        numbers = [frames[key].astype(np.float64).reshape(len(frames[key]), -1) for key in self._columns]
        return np.stack([self._scale(row) for row in np.concatenate(numbers, axis=1)]).astype(np.float32)

    def scaled(self, states: NDArray[np.floating]) -> bool:
        """Nothing of a Gymnasium environment is recorded by this program."""
        return False


StateSource = ArmStates | GymnasiumStates


def element_names(column: Column) -> tuple[str, ...]:
    """The names of a vector's elements, in every form that LeRobot has them; () where there are none."""
    names: Any = column.names
    if isinstance(names, dict):  # {"motors": [...]}, or {"delta_x": 0, ...}
        lists = [inner for inner in names.values() if isinstance(inner, list | tuple)]
        names = lists[0] if lists else list(names)
    names = tuple(map(str, names or ()))
    return names if len(names) == column.shape[0] else ()


def _lerobots(size: int, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The names of `size` numbers without any; () where it cannot be known what they are."""
    own = tuple(name for name in wanted if not name.startswith("ee."))
    unknown = tuple(f"unknown.{index}" for index in range(6))  # velocities or currents
    layouts = {6: _POSITIONS, 12: _POSITIONS + unknown, 18: _POSITIONS + _VELOCITIES + _CURRENTS}
    return {**layouts, len(wanted): wanted, len(own): own}.get(size, ())
