"""A leader, an arm and everything between them in one process: mirror, clutch, pipeline, controller, gate."""

from dataclasses import dataclass, field

import numpy as np

from tests.teleop.leader_arms import TICK_S, LeaderArm, no_hand, towards
from workers.config import load
from workers.config.ready import ready_config
from workers.processors.build import arm_pipelines
from workers.processors.transition import STAY_ACTION, Action, Command, Teleop
from workers.robot.build import kinematics_of, limits_of
from workers.robot.controller import ArmController, JointTarget
from workers.robot.drivers import ArmReading
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import EndEffectorBox
from workers.teleop.leader_action import LeaderAction, LeaderJoints
from workers.teleop.leader_mirror import Mirror

CONFIG = load(ready_config())
KINEMATICS = kinematics_of(CONFIG)
LIMITS = limits_of(CONFIG)
STEPS_M = np.array([getattr(CONFIG.env.workspace.end_effector_step_sizes, axis) for axis in "xyz"])
BOUNDS = EndEffectorBox(
    *(np.array(getattr(CONFIG.env.workspace.end_effector_bounds, end)) for end in ("min", "max"))
)
PERIOD_S = 1.0 / CONFIG.env.fps
TICKS = round(PERIOD_S / TICK_S)


class Follower:
    """An arm that goes half of the way to its goal in every tick."""

    def __init__(self, joints_deg: Floats) -> None:
        self.joints_deg, self.now_s = joints_deg.copy(), 0.0
        self.goals: list[Floats] = [joints_deg.copy()]

    def read(self) -> ArmReading:
        return ArmReading(self.joints_deg.copy(), np.zeros(6), self.now_s, goal_deg=self.goals[-1].copy())

    def write(self, goal_deg: Floats) -> None:
        self.goals.append(goal_deg.copy())
        self.joints_deg = self.joints_deg + 0.5 * (goal_deg - self.joints_deg)
        self.now_s += TICK_S


@dataclass
class HandOver:
    """Periods of an arm that a policy or a leader drives; `bus_error` makes the leader unreadable."""

    leader: LeaderArm
    arm: Follower
    by_joints: bool = False
    first_deg: list[float] = field(default_factory=list)
    """How far the target of each first human step is from the newest goal of the arm, at the joint that is furthest;
    without those outside the bounds of the workspace, where every step brings the tool back."""
    errors_while_driving: int = 0
    _drove: bool = False
    _human: bool = False

    def __post_init__(self) -> None:
        self.leader_was_at = self.leader.joints_deg.copy()
        self.mirror = Mirror(LIMITS, KINEMATICS, TICK_S, 20.0)
        self.controller = ArmController(self.arm, LIMITS, KINEMATICS, TICK_S, PERIOD_S)
        self.pipeline = arm_pipelines(CONFIG, KINEMATICS).action
        self.pipeline.reset(self.arm.read())
        self.leading, self.joints = LeaderAction(KINEMATICS, STEPS_M, True), LeaderJoints()
        self.controller.engage()
        self.bus_error = False
        self.number = 0

    def period(self, human: bool, policy: Action) -> None:
        """One step of the actor, and the ticks of both robot workers in it."""
        driven = human and not self.bus_error
        self.errors_while_driving += human and self.bus_error
        if human and ((self._drove and not driven) or not self._human):
            self.pipeline.halt(self.arm.read())  # as the actor does
        self._human = human
        target = self._by_joints(driven) if self.by_joints else self._by_action(human, driven, policy)
        goal_deg = self.arm.goals[-1]
        if driven and not self._drove and BOUNDS.outside_m(KINEMATICS.position(goal_deg)) < 1e-6:
            self.first_deg.append(float(np.abs(target - goal_deg)[:GRIPPER].max()))
        self._drove = driven
        self.number += 1
        for _ in range(TICKS):
            self.controller.tick(JointTarget(target, self.arm.now_s, self.number), self.arm.now_s)
            self._lead(human)

    def _by_joints(self, driven: bool) -> Floats:
        goal_deg = self.arm.goals[-1]
        if driven:
            return self.joints.target(self.leader.joints_deg, goal_deg)
        self.joints.release()
        return goal_deg

    def _by_action(self, human: bool, driven: bool, policy: Action) -> Floats:
        if driven:
            action = self.leading.action(self.leader.joints_deg, self.pipeline.target_m)
        else:
            self.leading.release()
            action = np.array(STAY_ACTION, np.float32) if human else policy
        self.pipeline.begin_period()
        command = Command(action, Teleop(action) if human else None, self.arm.read())
        return self.pipeline.apply(command).goal_deg.copy()

    def _lead(self, human: bool) -> None:
        leader = self.leader
        if not self.bus_error:
            pull = self.mirror.tick(leader.joints_deg.copy(), self.arm.joints_deg.copy(), not human)
            leader.cap_torque(np.full(6, pull.torque_pct))
            if pull.torque is not leader.on:
                leader.set_torque(pull.torque)
            if pull.torque:
                leader.write(pull.goal_deg)
        leader.advance(TICK_S)


def random_pose(rng: np.random.Generator, anywhere: bool) -> Floats:
    """Joints [6] within the limits; unless `anywhere`, with the tool in the workspace box."""
    while True:
        pose: Floats = rng.uniform(LIMITS.lower_deg, LIMITS.upper_deg)
        if anywhere or LIMITS.box is None or LIMITS.box.outside_m(KINEMATICS.position(pose)) == 0.0:
            return pose


def random_hand_over(rng: np.random.Generator, by_joints: bool = False) -> HandOver:
    """A leader and an arm, each anywhere; policy, person, bus errors and hands at random moments."""
    arm = Follower(random_pose(rng, anywhere=False))
    scene = HandOver(LeaderArm(random_pose(rng, anywhere=True)), arm, by_joints)
    scene.leader.sag_deg_s = rng.normal(0.0, 20.0, 6)
    changes = np.sort(rng.integers(0, 14, 3))
    for step in range(14):
        human = bool(np.searchsorted(changes, step, side="right") % 2)
        if step in changes:
            scene.bus_error = bool(rng.random() < 0.3)
            goes = towards(random_pose(rng, anywhere=True), float(rng.uniform(10.0, 400.0)))
            scene.leader.hand = goes if rng.random() < 0.7 else no_hand
        elif scene.bus_error:
            scene.bus_error = bool(rng.random() < 0.7)
        policy = np.array([*rng.uniform(-1.0, 1.0, 3), rng.integers(0, 3)], np.float32)
        scene.period(human, policy)
    return scene


def excess(scene: HandOver) -> tuple[float, float]:
    """(degrees, percent) by which any goal went further in a tick than the limiter allows; 0 is none."""
    steps = np.abs(np.diff(scene.arm.goals, axis=0)) - LIMITS.speed_deg_s * TICK_S
    return float(steps[:, :GRIPPER].max()), float(steps[:, GRIPPER].max())
