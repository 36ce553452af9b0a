"""A storm of commands at an arm's controller, and the law that every goal it writes must keep."""

from dataclasses import dataclass

import numpy as np

from workers.config import Config
from workers.robot.build import kinematics_of, limits_of
from workers.robot.controller import ArmController, JointTarget, Mode
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import RESET_POSE_DEG
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import Limits

TICK_S = 0.02
ROUNDING = 1e-6
REST = np.array([0.0, -99.0, 92.0, 66.0, 0.0, 10.0])


class WildArm:
    """Servos with lag, noise, pushes from outside and joints that get stuck."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.joints = np.array(RESET_POSE_DEG)
        self.goal = self.joints.copy()
        self._rng, self._stuck = rng, np.zeros(6, bool)

    def read(self) -> ArmReading:
        return ArmReading(self.joints.copy(), np.zeros(6), 0.0)

    def write(self, goal_deg: Floats) -> None:
        self.goal = goal_deg.copy()

    def pass_time(self) -> None:
        rng = self._rng
        if rng.random() < 0.01:
            self._stuck = rng.random(6) < 0.3
        way = np.clip(self.goal - self.joints, -5.0, 5.0) * rng.uniform(0.3, 1.0)
        self.joints = self.joints + np.where(self._stuck, 0.0, way)
        if rng.random() < 0.005:
            self.joints = self.joints + rng.uniform(-4.0, 4.0, 6)


@dataclass
class Worst:
    """The most that was seen of each figure, as a share of what is allowed."""

    speed: float = 0.0
    acceleration: float = 0.0
    lead: float = 0.0
    moving_ticks: int = 0


def storm(config: Config, commands: int, seed: int = 0) -> Worst:
    """Throw `commands` at a controller, one a tick or more; raises AssertionError where a goal breaks the law."""
    rng = np.random.default_rng(seed)
    limits, arm = limits_of(config), WildArm(rng)
    controller = ArmController(arm, limits, kinematics_of(config), TICK_S, 0.1, 10.0, together=True)
    worst, now_s, sequence = Worst(), 0.0, 0
    target: JointTarget | None = None
    before, velocities = arm.goal, [np.zeros(6)]
    for _ in range(commands):
        dice = rng.random()
        if dice < 0.3:
            sequence += 1
            target = JointTarget(_request(rng, arm.joints), now_s, sequence)
        elif dice < 0.4:
            _order(controller, rng)
        measured = arm.read().joints_deg
        status = controller.tick(target, now_s)
        goal = status.goal_deg
        velocities = _judge(worst, limits, before, goal, velocities, measured)
        worst.moving_ticks += status.mode in (Mode.ENGAGED, Mode.PARKING, Mode.APPROACH)
        before = goal.copy()
        arm.pass_time()
        now_s += TICK_S
    return worst


def _request(rng: np.random.Generator, joints: Floats) -> Floats:
    """Anything: near, far, absurd, no number at all."""
    kind = rng.random()
    if kind < 0.5:
        return joints + rng.normal(0.0, 4.0, 6)
    if kind < 0.7:
        return rng.uniform(-180.0, 180.0, 6)
    if kind < 0.8:
        return rng.uniform(-1.0, 1.0, 6) * 10.0 ** rng.uniform(2, 300)
    wanted = joints + rng.normal(0.0, 10.0, 6)
    wanted[rng.integers(6)] = rng.choice([np.nan, np.inf, -np.inf])
    return wanted


def _order(controller: ArmController, rng: np.random.Generator) -> None:
    kind = rng.random()
    if kind < 0.5:
        controller.clear_stop()
        controller.engage()
    elif kind < 0.6:
        controller.stop("storm")
    elif kind < 0.7:
        controller.hold("storm")
    elif kind < 0.8:
        controller.park(REST + rng.normal(0.0, 30.0, 6), rng.uniform(0.5, 15.0))
    elif kind < 0.9:
        controller.approach(rng.uniform(-120.0, 120.0, 6), rng.uniform(1.0, 400.0), "storm")
    elif kind < 0.95:
        controller.start_slowly(rng.uniform(0.05, 1.0))
    else:
        controller.restart()


def _judge(
    worst: Worst, limits: Limits, before: Floats, goal: Floats, velocities: list[Floats], measured: Floats
) -> list[Floats]:
    """The velocities [6] that the goal may be said to have from now on, if the law is kept.

    Speed and its growth are bounded, from the goal before; or anew, at rest, from where the arm is (the goals alone do
    not tell which). A goal that comes closer to the arm is stopping, which is always allowed.
    """
    assert np.isfinite(goal).all()
    led = np.where(goal != before, np.abs(goal - measured) / limits.lead_deg, 0.0)
    assert led.max() <= 1.0 + ROUNDING, (goal, measured)
    jaw_stays = measured.copy()
    jaw_stays[GRIPPER] = before[GRIPPER]
    rest = np.zeros(6)
    kept = dict[bytes, Floats]()
    shares = list[tuple[float, float]]()
    for base, velocity in ((jaw_stays, rest), (measured, rest), *((before, one) for one in velocities)):
        closer = np.abs(goal - measured) <= np.abs(base - measured)
        closer &= (goal - base) * (measured - base) >= 0.0
        gone = np.abs(goal - base) / TICK_S
        speed = np.where(closer, 0.0, gone / limits.speed_deg_s).max()
        growth = (gone - np.abs(velocity)) / TICK_S
        acceleration = np.where(closer, 0.0, growth / limits.acceleration_deg_s2).max()
        if max(speed, acceleration) <= 1.0 + ROUNDING:
            kept[goal.tobytes() + base.tobytes()] = (goal - base) / TICK_S
            shares.append((float(speed), float(acceleration)))
    assert kept, f"from {before} at {velocities} to {goal}, with the arm at {measured}"
    worst.speed, worst.lead = max(worst.speed, shares[-1][0]), max(worst.lead, float(led.max()))
    worst.acceleration = max(worst.acceleration, shares[-1][1])
    return list(kept.values())
