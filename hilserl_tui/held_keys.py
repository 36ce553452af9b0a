"""Held keys: which keys are down by the terminal's word, and which of them move the arm. Pure.

A key moves the arm from its press, once its action was found, until it is let go. What makes that doubtful (the window
lost the focus, the terminal stalls, the arm was stopped) spends all keys that are down: only a new press moves again,
never a repeat.
"""

from dataclasses import dataclass
from enum import Enum, auto

from hilserl_tui.key_phases import Phase
from workers.model.commands import Axis

MOST_KEYS = 16  # more than there are fingers: releases were lost
Motion = tuple[int, int, int, int]
"""-1, 0 or 1 along x, y, z, and of the gripper (-1 closes)."""
STILL: Motion = (0, 0, 0, 0)


class Means(Enum):
    """What a driving key that was pressed, or repeats, means."""

    MOTION = auto()  # for as long as it is held
    STEP = auto()
    NOTHING = auto()


@dataclass(slots=True)
class _Down:
    live: bool = True  # whether it may move anything
    moves: tuple[Axis, int] | None = None


class HeldKeys:
    """Keys by their code, which is the same at press and release; a name is not: shift changes it."""

    def __init__(self) -> None:
        self._down: dict[str, _Down] = {}

    def __len__(self) -> int:
        """How many keys are down, whatever they do."""
        return len(self._down)

    def press(self, code: str) -> None:
        if len(self._down) >= MOST_KEYS:
            self._down.clear()
        self._down[code] = _Down()

    def release(self, code: str) -> None:
        self._down.pop(code, None)

    def spend(self) -> None:
        """Nothing that is down moves anything from now on."""
        for key in self._down.values():
            key.live, key.moves = False, None

    def ask(self, code: str, phase: Phase, axis: Axis, direction: int, hold: bool) -> Means:
        """What a key means whose action is to move along `axis`; its action may come late, after its release.

        `hold`: motion while it is held can be had now. Then a repeat begins nothing, also of a key that was pressed
        before it could move the arm.
        """
        key = self._down.get(code)
        if key is None:  # up again: a short press is one step
            return Means.STEP if phase is Phase.PRESS else Means.NOTHING
        if not key.live:
            return Means.NOTHING
        if not hold:
            return Means.STEP
        if phase is Phase.PRESS:
            key.moves = axis, direction
        return Means.MOTION if key.moves else Means.NOTHING

    @property
    def drive(self) -> bool:
        """Whether any key moves the arm, even if another one moves it back."""
        return any(key.moves for key in self._down.values())

    def motion(self) -> Motion:
        """What all keys together ask for; opposite ones cancel out, and two for the same are no faster."""
        total = dict.fromkeys(Axis, 0)
        for axis, direction in {key.moves for key in self._down.values() if key.moves}:
            total[axis] += direction
        return total[Axis.X], total[Axis.Y], total[Axis.Z], total[Axis.GRIPPER]
