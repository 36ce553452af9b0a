"""Where a global solve may start: a fixed grid of postures, turned towards the target."""

from collections.abc import Iterator

import numpy as np

from workers.robot.figures import Floats
from workers.robot.pan import Pan
from workers.robot.solver import ARM, Pose, ToolSolver

_PER_JOINT = 11  # grid points of each joint between pan and roll
_PAN, _ROLL = 0, ARM - 1
_RADIANS_PER_METRE = 10.0  # how distance and direction count where both matter
_STARTS = 16
_NEAR_END_RAD = 0.5  # from a roll this near to the end of its range the other end may be the nearer one


class Postures:
    """Tool positions, seen from the pan axis, and tool axes [N, 3] of a grid over the joints between pan and roll."""

    def __init__(
        self, solver: ToolSolver, pan: Pan, tool_axis: Floats, lower_rad: Floats, upper_rad: Floats
    ) -> None:
        """`tool_axis` [3]: axis of wrist_roll in the tool's own frame; limits [5] of the arm joints."""
        self._solver, self._pan, self._tool_axis = solver, pan, tool_axis
        self._lower, self._upper = lower_rad, upper_rad
        self._middle = 0.5 * (lower_rad + upper_rad)
        between = slice(_PAN + 1, _ROLL)
        cell = (upper_rad - lower_rad)[between] / _PER_JOINT
        self._cells = np.indices((_PER_JOINT,) * len(cell)).reshape(len(cell), -1).T
        self._joints = np.zeros((len(self._cells), ARM + 1))
        self._joints[:, :ARM] = self._middle
        self._joints[:, between] = lower_rad[between] + (self._cells + 0.5) * cell
        tools = [solver.place(joints).copy() for joints in self._joints]
        self._positions_m = pan.from_axis(np.array([tool.translation for tool in tools]))
        self._axes = np.array([tool.rotation @ tool_axis for tool in tools])

    def like(self, wanted: Pose) -> Iterator[Floats]:
        """Joint vectors [6] in rad whose tool is placed and directed about as wanted, the best first.

        Three turns of the pan come into question: the one that brings the tool level with the target; the
        opposite, for a tool that has passed the axis; and the one that brings its direction level.
        """
        position_m, axis = self._pan.from_axis(wanted.position_m), wanted.rotation @ self._tool_axis
        turns = (
            self._turns(self._positions_m, position_m),
            self._turns(self._positions_m, -position_m),
            self._turns(self._axes, axis),
        )
        scores = []
        for turn in turns:
            distance_m = _lengths(self._pan.turned(self._positions_m, turn) - position_m)
            along = self._pan.turned(self._axes, turn) @ axis
            angle = np.arccos(np.clip(along, -1.0, 1.0))
            scores.append(np.hypot(_RADIANS_PER_METRE * distance_m, angle))
        for joints in self._lowest(np.stack(scores), np.stack(turns)):
            for roll in self._rolls(joints, wanted):
                yield np.array([*joints[:_ROLL], roll, *joints[ARM:]])

    def near(self, position_m: Floats) -> Iterator[Floats]:
        """Joint vectors [6] in rad whose tool is near `position_m` [3], the nearest first; roll in the middle."""
        position_m = self._pan.from_axis(position_m)
        turn = self._turns(self._positions_m, position_m)
        distance_m = _lengths(self._pan.turned(self._positions_m, turn) - position_m)
        yield from self._lowest(distance_m[None], turn[None])

    def _turns(self, start: Floats, end: Floats) -> Floats:
        """Turns [N] of the pan from its middle that bring `start` [N, 3] level with `end` [3], or nearly."""
        middle = self._middle[_PAN]
        turns = self._pan.turn_rad(start, end)
        return np.clip(turns, self._lower[_PAN] - middle, self._upper[_PAN] - middle)

    def _lowest(self, score: Floats, turns: Floats) -> Iterator[Floats]:
        """A few postures of the lowest score [K, N], no two of a kind neighbours in the grid."""
        chosen: list[tuple[int, int]] = []
        for index in np.argsort(score, axis=None, kind="stable"):
            kind, posture = divmod(int(index), len(self._joints))
            cells = [self._cells[other] for like, other in chosen if like == kind]
            if all(np.abs(cell - self._cells[posture]).max() > 1 for cell in cells):
                chosen.append((kind, posture))
                joints = self._joints[posture].copy()
                joints[_PAN] += turns[kind, posture]
                yield joints
                if len(chosen) == _STARTS:
                    return

    def _rolls(self, joints_rad: Floats, wanted: Pose) -> Iterator[float]:
        """The wrist_roll that brings the tool nearest to the wanted rotation; near an end, the other end as well.

        Turned by a about its axis n, a rotation R comes nearest to R* where tan a = n . vee(S - S^T) /
        (tr S - n . S n), S = R* R^T.
        """
        rotation = self._solver.place(joints_rad).rotation
        axis, turn = rotation @ self._tool_axis, wanted.rotation @ rotation.T
        odd = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        angle = np.arctan2(axis @ odd, np.trace(turn) - axis @ turn @ axis)
        low, high = self._lower[_ROLL], self._upper[_ROLL]
        roll = float(np.clip(joints_rad[_ROLL] + angle, low, high))
        yield roll
        if roll - low < _NEAR_END_RAD:
            yield float(high)
        elif high - roll < _NEAR_END_RAD:
            yield float(low)


def _lengths(vectors: Floats) -> Floats:
    lengths: Floats = np.sqrt((vectors**2).sum(axis=-1))
    return lengths
