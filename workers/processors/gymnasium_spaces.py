"""A Gymnasium environment's spaces, read once: which numbers are state, what is a picture, what moves.

Raw observations become `agent_pos` and `pixels`, executed actions the environment's own. Pure.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from workers.processors.errors import EnvironmentRefused
from workers.processors.scaling import STATE_LIMIT
from workers.processors.transition import Action, GripperCommand, Picture
from workers.processors.vanilla_observation import AGENT, PIXELS
from workers.robot.figures import Floats

PLACE: Final = ("env", "id")  # the key that a refusal names
GRIPPER_RANGE: Final = (0.0, 2.0)  # bounds of a gripper's command in gym-hil and LeRobot
LARGEST_STATE: Final = 1024  # more numbers than that are a picture of some kind
_NARROW: Final = 1e6  # bounds further apart than this say nothing of the values between them
_PREFIXES = ("observation.images.", "observation.", f"{PIXELS}.")

Box = spaces.Box
Values = np.ndarray[Any, Any]


class ObservationReader:
    """Sorts an observation into numbers and pictures, by the environment's observation space.

    A Box of uint8 [H, W, 3] is a picture and bears the name of its key, the last part of it in nested Dicts;
    every other Box is numbers, which follow one another in sorted order of their keys.
    Raises EnvironmentRefused for a space that holds anything else.
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        self.pictures: dict[str, tuple[int, int]] = {}
        """(height, width) of each picture."""
        self.names: tuple[str, ...] = ()
        """Of the state's elements."""
        self._keys: dict[str, tuple[str, ...]] = {}
        self._numbers: list[tuple[str, ...]] = []
        lows, highs = [np.empty(0)], [np.empty(0)]
        for key, box in sorted(_boxes(space, ()), key=lambda found: found[0]):
            if _is_picture(box):
                self._add_picture(key, box)
                continue
            _check_numbers(key, box)
            self._numbers.append(key)
            self.names += _element_names(key, int(np.prod(box.shape)))
            lows.append(box.low.astype(np.float64).ravel())
            highs.append(box.high.astype(np.float64).ravel())
        self._low, self._high = np.concatenate(lows), np.concatenate(highs)
        with np.errstate(over="ignore"):
            span = self._high - self._low
        self._bounded = (span > 0.0) & (span < _NARROW)

    def __call__(self, observation: Any) -> dict[str, Any]:
        """`agent_pos` float64 [N] in the environment's units, `pixels` uint8 [H, W, 3] by name."""
        numbers = [np.asarray(_at(observation, key), np.float64).ravel() for key in self._numbers]
        pixels: dict[str, Picture] = {name: _at(observation, key) for name, key in self._keys.items()}
        return {AGENT: np.concatenate([np.empty(0), *numbers]), PIXELS: pixels}

    def scale(self, values: Floats) -> Floats:
        """To the networks' range: bounded elements to [-1, 1], at most +-3; others as sign(x) ln(1 + |x|).

        The logarithm leaves small numbers as they are and brings 255 to 5.5 (symlog of DreamerV3, Hafner et al.
        2023, eq. 9). What is not finite stays so, for the step to refuse it.
        """
        scaled: Floats = np.sign(values) * np.log1p(np.abs(values))
        low, high, inside = self._low[self._bounded], self._high[self._bounded], values[self._bounded]
        with np.errstate(over="ignore"):
            unit = np.clip((2.0 * inside - low - high) / (high - low), -STATE_LIMIT, STATE_LIMIT)
        scaled[self._bounded] = np.where(np.isfinite(inside), unit, inside)
        return scaled

    def _add_picture(self, key: tuple[str, ...], box: Box) -> None:
        name = _picture_name(key)
        if name in self.pictures:
            raise EnvironmentRefused(
                PLACE, f"two pictures of the observation are called {name!r}; rename one"
            )
        self._keys[name] = key
        height, width, _ = box.shape
        self.pictures[name] = (height, width)


class ActionWriter:
    """Brings an executed action to the environment's own bounds, by its action space.

    Motion in [-1, 1] is spread over [low, high]. The last element is a gripper's command if the configuration
    uses the gripper and the element's bounds are [0, 2]; all others are motion.
    Raises EnvironmentRefused for anything but a Box with finite bounds.
    """

    def __init__(self, space: spaces.Space[Any], use_gripper: bool, closed_at: int) -> None:
        if not isinstance(space, Box) or not np.issubdtype(space.dtype, np.floating):
            raise EnvironmentRefused(
                PLACE,
                f"its action space is {space}; only a Box of real numbers can be driven and learned here",
            )
        if not space.shape or not np.prod(space.shape):
            raise EnvironmentRefused(PLACE, f"its action space {space} has no elements")
        self._shape, self._dtype = space.shape, space.dtype
        self._low, self._high = space.low.astype(np.float64).ravel(), space.high.astype(np.float64).ravel()
        unbounded = np.flatnonzero(~np.isfinite(self._low) | ~np.isfinite(self._high))
        if unbounded.size:
            found = f"[{self._low[unbounded[0]]:g}, {self._high[unbounded[0]]:g}]"
            raise EnvironmentRefused(
                PLACE,
                f"element {unbounded[0]} of its action space has the bounds {found}; an action needs finite ones: "
                "register it with gymnasium.wrappers.ClipAction or RescaleAction around it",
            )
        last = (self._low[-1], self._high[-1])
        self.gripper = use_gripper and self._low.size > 1 and last == GRIPPER_RANGE
        self._mirrored = closed_at == 100
        motion = tuple(f"motion.{i}" for i in range(self._low.size - self.gripper))
        self.names = (*motion, "gripper") if self.gripper else motion
        """Of the action's elements."""

    def __call__(self, executed: Action) -> Values:
        """The environment's action for an executed one [motion (+ 1)]."""
        unit = executed.astype(np.float64)
        if self.gripper:
            command = unit[-1] if not self._mirrored else GripperCommand.OPEN - unit[-1]
            unit[-1] = command - GripperCommand.STAY
        middle, half = (self._high + self._low) / 2.0, (self._high - self._low) / 2.0
        values = np.clip(middle + half * unit, self._low, self._high)
        return values.astype(self._dtype).reshape(self._shape)


def _boxes(space: spaces.Space[Any], at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Box]]:
    """Every Box of a space with the keys that lead to it."""
    if isinstance(space, Box):
        yield at, space
    elif isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            yield from _boxes(inner, (*at, str(key)))
    else:
        where = f"{'.'.join(at)!r} of its observation" if at else "its observation"
        raise EnvironmentRefused(
            PLACE, f"{where} is {space}; only a Box, or a Dict of them, can be observed here"
        )


def _is_picture(box: Box) -> bool:
    return box.dtype == np.uint8 and len(box.shape) == 3 and box.shape[2] == 3


def _check_numbers(key: tuple[str, ...], box: Box) -> None:
    size = int(np.prod(box.shape))
    if size > LARGEST_STATE or (box.dtype == np.uint8 and len(box.shape) > 1):
        where = f"{'.'.join(key)!r} of its observation" if key else "its observation"
        found = f"{box.dtype} [{', '.join(map(str, box.shape))}]"
        raise EnvironmentRefused(
            PLACE,
            f"{where} is {found}; a picture must be uint8 [height, width, 3], a state at most {LARGEST_STATE} numbers",
        )


def _element_names(key: tuple[str, ...], size: int) -> tuple[str, ...]:
    name = ".".join(key) or "state"
    return (name,) if size == 1 else tuple(f"{name}.{i}" for i in range(size))


def _picture_name(key: tuple[str, ...]) -> str:
    name = ".".join(key)
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return "".join(char if char.isalnum() else "_" for char in name) or "camera"


def _at(observation: Any, key: tuple[str, ...]) -> Any:
    for part in key:
        observation = observation[part]
    return observation
