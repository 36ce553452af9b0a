"""The two pipelines: lists of steps that can be run, reset and described."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from workers.config import EnvConfig
from workers.processors.features import Features
from workers.processors.gripper_velocity import GripperVelocityToJoint
from workers.processors.inverse_kinematics import InverseKinematicsEEToJoints
from workers.processors.joint_deltas import JointDeltasToJoints
from workers.processors.transition import (
    Action,
    Command,
    GripperCommand,
    Judgement,
    Period,
    Teleop,
    Transition,
)
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER, Floats

Line = tuple[str, Features]
"""Name of a step, and the features after it."""


class EnvironmentStep(Protocol):
    """One step of the environment pipeline; changes the transition in place."""

    def reset(self) -> None: ...
    def features(self, features: Features) -> Features:
        """What there is after this step, given what there is before it."""
        ...

    def __call__(self, transition: Transition) -> None: ...


@runtime_checkable
class Changeable(Protocol):
    """A step with settings that may change while a run goes on."""

    def change(self, env: EnvConfig) -> None:
        """Take the new ones; called between two steps of the environment."""
        ...


class ActionStep(Protocol):
    """One step of the action pipeline; changes the command and the period in place."""

    def reset(self, reading: ArmReading | None) -> None: ...
    def features(self, features: Features) -> Features:
        """What there is after this step, given what there is before it."""
        ...

    def __call__(self, command: Command, period: Period) -> None: ...


class EnvironmentPipeline:
    """Raw observation -> stored observation, reward, end of episode, policy input."""

    def __init__(self, steps: Sequence[EnvironmentStep]) -> None:
        self.steps = tuple(steps)

    def reset(self) -> None:
        """Start a new episode."""
        for step in self.steps:
            step.reset()

    def change(self, env: EnvConfig) -> None:
        """Go on with other settings."""
        for step in self.steps:
            if isinstance(step, Changeable):
                step.change(env)

    def __call__(self, transition: Transition) -> None:
        """Raises ProcessorError, which names the step, for an observation that cannot be used."""
        for step in self.steps:
            step(transition)

    def trace(self, features: Features) -> list[Line]:
        """What there is after every step."""
        return _trace(self.steps, features)


class ActionPipeline:
    """Commands -> what is executed. Several commands may come in one period, each taking effect at once."""

    def __init__(self, steps: Sequence[ActionStep], action_dim: int, use_gripper: bool) -> None:
        self.steps = tuple(steps)
        self._stay = np.zeros(action_dim, np.float32)
        if use_gripper:
            self._stay[-1] = GripperCommand.STAY
        self._arm = next(
            (s for s in steps if isinstance(s, InverseKinematicsEEToJoints | JointDeltasToJoints)), None
        )
        self.period = self._empty(np.empty(0), 0.0)

    @property
    def stay(self) -> Action:
        """The action that moves nothing [motion (+ 1)]."""
        return self._stay.copy()

    @property
    def target_m(self) -> Floats:
        """The end-effector target [3] in metres; [0] without an arm."""
        return np.empty(0) if self._arm is None else self._arm.target_m

    def reset(self, reading: ArmReading | None = None) -> None:
        """Take the measured arm as the point to start from. Raises ProcessorError for a reading that is no number."""
        for step in self.steps:
            step.reset(reading)
        self.period = self._empty(np.empty(0) if reading is None else reading.joints_deg.copy(), 0.0)
        self.apply(Command(self._stay.copy()))
        self.begin_period()

    def begin_period(self) -> None:
        """Start a new period: nothing executed yet, goals as they were."""
        self.period = self._empty(self.period.goal_deg.copy(), self.period.gripper_goal_pct)

    def apply(self, command: Command) -> Period:
        """Run one command through the steps; what the period comes to changes now."""
        for step in self.steps:
            step(command, self.period)
        self.period.commands += 1
        return self.period

    def halt(self, reading: ArmReading) -> None:
        """Stop an arm in the middle of a period where its goal is by now; what was executed is the way to there."""
        if self._arm is not None:
            self._arm.halt(reading, self.period)

    def lead(self, posture_deg: Floats) -> Period:
        """Joint goals [6] instead of an action: what the steps after it go on from. Only with an arm."""
        assert self._arm is not None, "no arm to lead"
        self._arm.lead(posture_deg, self.period)
        for step in self.steps:
            if isinstance(step, GripperVelocityToJoint):
                step.goal_pct = float(posture_deg[GRIPPER])
        return self.period

    def own(self, action: Action) -> Action:
        """An action that may be in directions of space, as one of this pipeline; its own are passed on."""
        if len(action) == len(self._stay) or not isinstance(self._arm, JointDeltasToJoints):
            return action
        motion = self._arm.of_tool(action[:3].astype(np.float64))
        return np.array([*motion, *action[3:]], np.float32)

    def judge(self, judgement: Judgement) -> None:
        """A person's verdict, without a movement."""
        self.apply(Command(self._stay.copy(), Teleop(judgement=judgement)))

    def executed(self, before: ArmReading | None, after: ArmReading | None) -> Action:
        """What was carried out in this period [motion (+ 1)].

        Where the gate narrowed a goal since `before`, that is the way between the goals it let through.
        """
        period = self.period
        if (
            self._arm is None
            or before is None
            or after is None
            or after.clipped_ticks == before.clipped_ticks
        ):
            return period.executed.copy()
        executed = period.executed.copy()
        if np.isfinite(before.goal_deg).all() and np.isfinite(after.goal_deg).all():
            executed[: self._arm.axes] = self._arm.moved(before.goal_deg, after.goal_deg)
        return executed

    def trace(self, features: Features) -> list[Line]:
        """What there is after every step."""
        return _trace(self.steps, features)

    def _empty(self, goal_deg: Floats, gripper_goal_pct: float) -> Period:
        if goal_deg.size:
            gripper_goal_pct = float(goal_deg[GRIPPER])
        return Period(self._stay.copy(), goal_deg, gripper_goal_pct, gripper_goal_pct)


def _trace(steps: Sequence[EnvironmentStep] | Sequence[ActionStep], features: Features) -> list[Line]:
    lines = []
    for step in steps:
        features = step.features(features)
        lines.append((type(step).__name__, features))
    return lines
