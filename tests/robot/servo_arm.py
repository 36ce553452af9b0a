"""An arm of servos without a bus: what the gate's tests break, block and heat."""

import numpy as np

from workers.robot.drivers import ArmGone, ArmReading, ArmRefused, ServoHealth
from workers.robot.figures import Floats

TICK_S = 0.02
FASTEST_DEG_S = 270.0  # 46 rpm


class FakeServoArm:
    """A ServoArm in pure Python. Every `read` is 20 ms later than the one before, unless the test says otherwise."""

    def __init__(self, joints_deg: Floats, torque: bool = False) -> None:
        self.joints, self.goal = joints_deg.astype(float), joints_deg.astype(float)
        self.velocity = np.zeros(6)
        self.torque, self.gone, self.closed = torque, False, False
        self.caps = np.full(6, 100.0)
        self.blocked = np.zeros(6, bool)
        self.load, self.sag = np.zeros(6), np.zeros(6)
        self.voltage, self.temperature = np.full(6, 12.0), np.full(6, 30.0)
        self.bits, self.misses = np.zeros(6, np.uint8), np.zeros(6, np.int64)
        self.goals: list[Floats] = []
        self.log: list[str] = []
        self.slow = self.refused = ""

    def pass_time(self, seconds: float = TICK_S) -> None:
        """The servos turn towards their goals; a blocked one pushes."""
        step = np.clip(self.goal - self.sag - self.joints, -FASTEST_DEG_S * seconds, FASTEST_DEG_S * seconds)
        step = np.where(self.blocked | (not self.torque), 0.0, step)
        self.joints, self.velocity = self.joints + step, step / seconds

    def read(self) -> ArmReading:
        self._answer()
        pushes = self.blocked & (np.abs(self.goal - self.joints) > 1.0) & self.torque
        load = np.where(pushes, 85.0, self.load)
        figures = load, self.voltage, self.temperature, self.bits, self.misses
        health = ServoHealth(*(tuple(each.tolist()) for each in figures))
        return ArmReading(self.joints.copy(), self.velocity, 0.0, np.zeros(6), health=health)

    def write(self, goal_deg: Floats) -> None:
        self._answer()
        self.goal = goal_deg.copy()
        self.goals.append(self.goal)

    def set_torque(self, on: bool) -> None:
        self._answer()
        if on:
            self.goal = self.joints.copy()
        self.torque = on
        self.log.append(f"torque {'on' if on else 'off'}")

    def cap_torque(self, limit_pct: Floats) -> None:
        self._answer()
        self.caps = limit_pct.copy()

    def reopen(self) -> None:
        self._answer()
        if self.refused:
            raise ArmRefused(self.refused)
        self.log.append("reopened")

    def close(self) -> None:
        self.closed = True

    def _answer(self) -> None:
        if self.gone:
            raise ArmGone("the port /dev/ttyACM0 is gone")
