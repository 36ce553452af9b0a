"""Arms of servos in figures, and hands that move them, for tests without a bus."""

from collections.abc import Callable

import numpy as np

from workers.robot.drivers import ArmGone, ArmReading, ServoHealth
from workers.robot.figures import Floats
from workers.robot.kinematics import Kinematics

TICK_S = 0.02
KINEMATICS = Kinematics()
STRENGTH = 300.0  # degrees per second that a servo with all of its torque moves its joint at most
GAIN = 12.0  # per second: how fast a servo with torque to spare takes its joint to the goal
Hand = Callable[[Floats], Floats]


def no_hand(joints_deg: Floats) -> Floats:
    return np.zeros(6)


class LeaderArm:
    """A ServoArm without inertia: servo, hand and weight each move a joint at a speed, and the speeds add up."""

    def __init__(self, joints_deg: Floats) -> None:
        self.joints_deg = np.array(joints_deg, float)
        self.goal_deg = self.joints_deg.copy()
        self.on = False
        self.cap_pct: Floats = np.full(6, 100.0)
        self.hand: Hand = no_hand
        self.sag_deg_s: Floats = np.zeros(6)
        self.gone, self.slow = False, ""
        self.misses = np.zeros(6, np.int64)
        self.unpowered = np.zeros(6, np.bool_)
        self.now_s = 0.0
        self.opened = 1
        self.torques: list[tuple[bool, float]] = []

    def advance(self, dt_s: float) -> None:
        pull = np.zeros(6)
        if self.on:
            most = STRENGTH * self.cap_pct / 100.0
            pull = np.clip(GAIN * (self.goal_deg - self.joints_deg), -most, most)
        self.joints_deg = self.joints_deg + dt_s * (pull + self.hand(self.joints_deg) + self.sag_deg_s)
        self.now_s += dt_s

    def read(self) -> ArmReading:
        self._reach()
        zero = np.zeros(6)
        misses, unpowered = tuple(self.misses.tolist()), tuple(self.unpowered.tolist())
        health = ServoHealth((0.0,) * 6, (7.4,) * 6, (30.0,) * 6, (0,) * 6, misses, unpowered)
        return ArmReading(self.joints_deg.copy(), zero, self.now_s, health=health)

    def write(self, goal_deg: Floats) -> None:
        self._reach()
        self.goal_deg = np.array(goal_deg)

    def set_torque(self, on: bool) -> None:
        self._reach()
        if on and not self.on:
            self.goal_deg = self.joints_deg.copy()
        self.on = on
        self.torques.append((on, float(self.cap_pct.max())))

    def cap_torque(self, limit_pct: Floats) -> None:
        self._reach()
        self.cap_pct = np.array(limit_pct)

    def reopen(self) -> None:
        self._reach()
        self.opened += 1

    def close(self) -> None:
        pass

    def _reach(self) -> None:
        if self.gone:
            raise ArmGone("leader: the port is gone; plug it in again")


def towards(pose_deg: Floats, speed_deg_s: float) -> Hand:
    """A strong hand that brings the arm to a pose at a steady speed, then holds it there."""

    def hand(joints_deg: Floats) -> Floats:
        return np.clip(40.0 * (pose_deg - joints_deg), -speed_deg_s - STRENGTH, speed_deg_s + STRENGTH)

    return hand
