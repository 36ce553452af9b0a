"""Forward and inverse kinematics of the tool point, with pinocchio.

An arm has five joints before the jaw: enough for a tool position (3), the pitch of the tool in the vertical plane
the arm moves in (1), and the turn of the jaws about the tool's axis (1). Position comes first; what is left of
the joints' freedom goes to the tool's rotation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pinocchio

from workers.robot.arm_model import ArmModel, builtin_model
from workers.robot.arms import SO101
from workers.robot.chain import Chain
from workers.robot.figures import TOOL_NAME, Floats, Point
from workers.robot.pan import Pan
from workers.robot.postures import Postures
from workers.robot.solver import ARM, Descent, Pose, ToolSolver

# Radians that a metre weighs. While a solve looks for the pose, a centimetre counts as much as six degrees; in the
# end half a radian of direction is given up before the tool moves by a micron.
_SEARCHING, _POSITION_FIRST = 10.0, 1e3
_SEARCH_ITERATIONS, _NEAREST_ITERATIONS, _CONTROL_ITERATIONS = 20, 60, 6
_FINALLY = 1e5, 30
_TOLERANCE_M = 1e-4
_FOUND_RAD2 = 1e-6  # cost of a search that needs no other: 0.1 mm, a thousandth of a radian
# A control step goes at most this far towards the target, so that the arm is seen as straight as it is nearby.
_FURTHEST_M, _FURTHEST_RAD = 0.05, 0.3
# How far a joint may go in it: with the tool, and a little besides to bring its direction back.
_RAD_PER_M, _SPARE_RAD = np.deg2rad(2400.0), np.deg2rad(0.4)
# Weight of joint motion beside direction: 9 parts in 10 of a turn are made up for in each step. Where the tool cannot
# get to, all directions in which a radian moves it less than a centimetre are left alone, lest the arm shake there.
_REST, _REST_AT_THE_EDGE = 0.1, 100.0


@dataclass(frozen=True, slots=True)
class Reference:
    """A tool pose to keep the direction of, wherever in the workspace the tool goes."""

    pose: Pose
    tool_axis: Floats  # [3] direction of the axis of wrist_roll, base frame


@dataclass(frozen=True, slots=True)
class Solution:
    """Result of an inverse solve: the best joints found, and how far the tool is from what was asked."""

    joints_deg: Floats  # [6]; the gripper is the seed's
    position_error_m: float
    direction_error_rad: float  # angle between the tool's axis and the wanted one
    converged: bool  # position error within 0.1 mm
    iterations: int


class Kinematics:
    """Kinematics of one arm. Not thread-safe: one instance per process. No call depends on those before it."""

    def __init__(
        self,
        margin_deg: float = 0.0,
        frame: str = TOOL_NAME,
        model: ArmModel | None = None,
        limits_deg: tuple[Floats, Floats] | None = None,
    ) -> None:
        """`margin_deg` keeps solutions off the mechanical stops; give it the safety gate's margin.

        `frame` of the URDF is the end-effector; without a `model` the arm is the SO-101. `limits_deg` are
        narrower limits than the mechanical ones, least and greatest [6]. Raises FrameError.
        """
        model = builtin_model(SO101) if model is None else model
        self.joints = model.joints
        arm, frame_index, margin_rad = model.pinocchio, model.frame_index(frame), np.deg2rad(margin_deg)
        self._lower_rad: Floats = arm.lowerPositionLimit[:ARM] + margin_rad
        self._upper_rad: Floats = arm.upperPositionLimit[:ARM] - margin_rad
        if limits_deg is not None:
            least, greatest = np.deg2rad(limits_deg)
            self._lower_rad = np.maximum(self._lower_rad, least[:ARM])
            self._upper_rad = np.minimum(self._upper_rad, greatest[:ARM])
        self.limits_deg = np.rad2deg(self._lower_rad), np.rad2deg(self._upper_rad)
        """Least and greatest [5] of the arm's joints that a solution has."""
        self._solver, self._chain = ToolSolver(arm, frame_index), Chain(arm, frame_index)
        self._pan, self._tool_axis = _axes(arm, frame_index)
        self._postures = Postures(self._solver, self._pan, self._tool_axis, self._lower_rad, self._upper_rad)

    def forward(self, joints_deg: Floats) -> Pose:
        """Tool pose for a joint vector [6] (degrees; the gripper does not matter)."""
        tool = self._solver.place(self.joints.model(joints_deg))
        return Pose(tool.translation.copy(), tool.rotation.copy())

    def position(self, joints_deg: Floats) -> Floats:
        """Tool position [3] in metres; the cheap half of `forward`."""
        return np.array(self._chain.end(joints_deg.tolist()))

    def point(self, joints_deg: Sequence[float]) -> Point:
        """As `position`, in plain numbers."""
        return self._chain.end(joints_deg)

    def reference(self, joints_deg: Floats) -> Reference:
        """The tool's direction at a joint vector [6], for `pose_at` and `step` to keep."""
        pose = self.forward(joints_deg)
        return Reference(pose, pose.rotation @ self._tool_axis)

    def pose_at(self, target_m: Floats, reference: Reference) -> Pose:
        """The pose at `target_m` [3] that keeps the direction of `reference`.

        The tool's axis a0 turns with the arm: d = Rz(azimuth of the target - azimuth of the reference) a0, and
        R* = (least rotation that brings a0 to d) R_ref. So a tool that points down keeps its heading in the
        world, and one that lies level keeps its roll and looks away from the base: with five joints it can
        look nowhere else.
        """
        turn = self._pan.turn_rad(
            self._pan.from_axis(reference.pose.position_m), self._pan.from_axis(target_m)
        )
        ahead = self._pan.turned(reference.tool_axis, turn)
        least = pinocchio.Quaternion.FromTwoVectors(reference.tool_axis, ahead).matrix()
        return Pose(target_m, least @ reference.pose.rotation)

    def step(self, target_m: Floats, seed_joints_deg: Floats, reference: Reference) -> Solution:
        """Joints near `seed_joints_deg` that bring the tool to, or towards, `target_m` [3]; for control.

        The tool goes at most 5 cm, and no joint further than 2.4 degrees for each millimetre of it and 0.4
        besides: the arm never jumps to another posture, and where it is stretched the tool stays behind
        instead. Never raises for an unreachable target: see `Solution.converged`.
        """
        wanted, seed = self.pose_at(target_m, reference), self._seed(seed_joints_deg)
        near, way_m = self._part_of_the_way(seed, wanted)
        most_rad = _SPARE_RAD + _RAD_PER_M * way_m
        lowest = np.maximum(self._lower_rad, seed[:ARM] - most_rad)
        highest = np.minimum(self._upper_rad, seed[:ARM] + most_rad)
        for rest in (_REST, _REST_AT_THE_EDGE):
            found = self._solver.descend(
                near, seed, lowest, highest, _POSITION_FIRST, _CONTROL_ITERATIONS, rest
            )
            if self._missed_m(found, near) < _TOLERANCE_M:
                break
        return self._solution(found, wanted)

    def _part_of_the_way(self, seed_rad: Floats, wanted: Pose) -> tuple[Pose, float]:
        """The pose on the way from the seed's to `wanted` that one control step aims at, and how far off it is."""
        tool = self._solver.place(seed_rad)
        way_m, turn_rad = (
            wanted.position_m - tool.translation,
            pinocchio.log3(wanted.rotation @ tool.rotation.T),
        )
        distance_m, angle_rad = float(np.sqrt(way_m @ way_m)), float(np.sqrt(turn_rad @ turn_rad))
        position_m, rotation = wanted.position_m, wanted.rotation
        if distance_m > _FURTHEST_M:
            position_m = tool.translation + way_m * (_FURTHEST_M / distance_m)
        if angle_rad > _FURTHEST_RAD:
            rotation = pinocchio.exp3(turn_rad * (_FURTHEST_RAD / angle_rad)) @ tool.rotation
        return Pose(position_m, rotation), min(distance_m, _FURTHEST_M)

    def inverse(self, wanted: Pose, seed_joints_deg: Floats) -> Solution:
        """Joints [6] that put the tool at `wanted`, anywhere within the limits.

        Begins at the seed and, where that does not lead to the pose, at postures chosen by the target; the best
        end of all counts. An unreachable target ends at the nearest position there is. Never raises for it.
        """
        seed = self._seed(seed_joints_deg)
        ends: list[Descent] = []
        for start in chain((seed,), self._postures.like(wanted)):
            start[ARM:] = seed[ARM:]
            end = self._descend(wanted, start, _SEARCHING, _SEARCH_ITERATIONS)
            if end.cost < _FOUND_RAD2:
                return self._solution(self._descend(wanted, end.joints_rad, *_FINALLY), wanted)
            ends.append(end)
        best = self._nearest(wanted, _distinct(ends), seed)
        return self._solution(self._descend(wanted, best.joints_rad, *_FINALLY), wanted)

    def _nearest(self, wanted: Pose, ends: list[Descent], seed: Floats) -> Descent:
        """The nearest position to a pose that cannot be had, and with it the nearest direction."""
        best = self._best(wanted, [end.joints_rad for end in ends])
        if self._missed_m(best, wanted) < _TOLERANCE_M:
            return best
        starts = list(self._postures.near(wanted.position_m))
        for start in starts:
            start[ARM:] = seed[ARM:]
        return self._best(wanted, [best.joints_rad, *starts])

    def _best(self, wanted: Pose, starts: list[Floats]) -> Descent:
        ends = [self._descend(wanted, start, _POSITION_FIRST, _NEAREST_ITERATIONS) for start in starts]
        return min(ends, key=lambda end: end.cost)

    def _descend(self, wanted: Pose, start_rad: Floats, metre: float, max_iterations: int) -> Descent:
        return self._solver.descend(
            wanted, start_rad, self._lower_rad, self._upper_rad, metre, max_iterations
        )

    def _seed(self, joints_deg: Floats) -> Floats:
        """Public joints [6] in rad, the arm joints within their limits."""
        joints = self.joints.model(joints_deg)
        joints[:ARM] = np.minimum(np.maximum(joints[:ARM], self._lower_rad), self._upper_rad)
        return joints

    def _missed_m(self, found: Descent, wanted: Pose) -> float:
        missed = wanted.position_m - self._solver.place(found.joints_rad).translation
        return float(np.sqrt(missed @ missed))

    def _solution(self, found: Descent, wanted: Pose) -> Solution:
        distance = self._missed_m(found, wanted)
        tool = self._solver.place(found.joints_rad)
        cosine = float((tool.rotation @ self._tool_axis) @ (wanted.rotation @ self._tool_axis))
        angle = float(np.arccos(min(1.0, max(-1.0, cosine))))
        joints = self.joints.public(found.joints_rad)
        return Solution(joints, distance, angle, distance < _TOLERANCE_M, found.iterations)


def _axes(arm: "pinocchio.Model", frame: int) -> tuple[Pan, Floats]:
    """The axis of shoulder_pan in the base frame, and that of wrist_roll in the tool's own frame."""
    data, zero = arm.createData(), np.zeros(arm.nq)
    turning = pinocchio.computeJointJacobians(arm, data, zero)[3:]
    rotation = pinocchio.updateFramePlacement(arm, data, frame).rotation
    return Pan(data.oMi[1].translation.copy(), turning[:, 0].copy()), rotation.T @ turning[:, ARM - 1]


def _distinct(ends: list[Descent]) -> list[Descent]:
    """One of each kind: searches from several sides end in few places."""
    kept: list[Descent] = []
    for end in ends:
        if all(np.abs(end.joints_rad - other.joints_rad).max() > 0.05 for other in kept):
            kept.append(end)
    return kept
