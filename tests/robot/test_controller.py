import numpy as np
import pytest

from workers.robot.controller import ArmController, JointTarget, Mode, Status
from workers.robot.drivers import ArmReading
from workers.robot.drivers.sim import RESET_POSE_DEG
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import EndEffectorBox, Limits
from workers.robot.kinematics import Kinematics

START = np.array(RESET_POSE_DEG)
TOOL = Kinematics()
TICK_S = 0.02


class PerfectArm:
    """Servos that reach every goal by the next tick, unless something blocks them."""

    def __init__(self) -> None:
        self.joints, self.goals, self.blocked = START.copy(), [], False

    def read(self) -> ArmReading:
        return ArmReading(self.joints.copy(), np.zeros(6), 0.0)

    def write(self, goal_deg: Floats) -> None:
        self.goals.append(goal_deg.copy())
        if not self.blocked:
            self.joints = goal_deg.copy()


class Bench:
    def __init__(self) -> None:
        box = EndEffectorBox(np.array([0.1, -0.2, 0.0]), np.array([0.4, 0.2, 0.3]))
        self.arm = PerfectArm()
        limits = Limits.of(1.0, 100.0, 2000.0, (5.0,) * 5 + (20.0,), box)
        self.controller = ArmController(self.arm, limits, TOOL, TICK_S)
        self.now_s, self.sequence = 10.0, -1
        self.target: JointTarget | None = None

    def aim(self, joints_deg: Floats) -> None:
        self.sequence += 1
        self.target = JointTarget(joints_deg, self.now_s, self.sequence)

    def tick(self, times: int = 1) -> Status:
        for _ in range(times):
            status = self.controller.tick(self.target, self.now_s)
            self.now_s += TICK_S
        return status


def moved(offset_deg: float = 3.0) -> Floats:
    return np.add(START, [offset_deg, 0, 0, 0, 0, 0])


def test_nothing_moves_before_it_is_engaged() -> None:
    bench = Bench()
    bench.aim(moved())
    assert bench.tick(10).mode is Mode.HOLD
    assert np.abs(np.array(bench.arm.goals) - START).max() < 1e-9


def test_the_first_goal_after_engage_is_where_the_arm_is() -> None:
    bench = Bench()
    bench.arm.joints = START + 2.0
    bench.controller.engage()
    bench.tick()
    assert bench.arm.goals[-1][:GRIPPER] == pytest.approx((START + 2.0)[:GRIPPER])


def test_a_target_is_reached_smoothly_in_about_a_period() -> None:
    bench = Bench()
    bench.controller.engage()
    bench.aim(moved())
    travelled = [bench.tick().goal_deg[0] - START[0] for _ in range(8)]
    assert travelled == sorted(travelled)
    assert 0.2 < travelled[1] < 2.0
    assert travelled[-1] == pytest.approx(3.0, abs=0.05)


def test_a_stale_target_holds_and_a_fresh_one_resumes() -> None:
    bench = Bench()
    bench.controller.engage()
    bench.aim(moved(20.0))
    bench.tick(11)
    held = bench.tick()
    assert held.mode is Mode.HOLD and "no target for" in held.reason
    assert bench.tick(20).goal_deg == pytest.approx(held.goal_deg)
    bench.aim(moved(10.0))
    assert bench.tick().mode is Mode.ENGAGED


def test_a_blocked_arm_without_targets_pushes_no_more_and_keeps_its_grip() -> None:
    bench = Bench()
    bench.controller.engage()
    bench.aim(np.add(moved(20.0), [0, 0, 0, 0, 0, -40.0]))
    bench.tick(2)
    bench.arm.blocked = True
    pushing = bench.tick(3).goal_deg
    assert abs(pushing[0] - bench.arm.joints[0]) > 2.0
    held = bench.tick(10)
    assert held.mode is Mode.HOLD
    assert held.goal_deg[:GRIPPER] == pytest.approx(bench.arm.joints[:GRIPPER])
    assert held.goal_deg[GRIPPER] < bench.arm.joints[GRIPPER] - 1.0


def test_a_stale_hold_does_not_follow_an_arm_that_sags() -> None:
    bench = Bench()
    bench.controller.engage()
    bench.aim(moved())
    held = bench.tick(20).goal_deg
    bench.arm.blocked = True
    bench.arm.joints = bench.arm.joints - 1.0
    assert bench.tick(10).goal_deg == pytest.approx(held)


def test_stop_takes_effect_on_the_very_next_tick_and_stays() -> None:
    bench = Bench()
    bench.controller.engage()
    bench.aim(moved(20.0))
    bench.tick(4)
    measured = bench.arm.joints.copy()
    bench.controller.stop("stop key")
    stopped = bench.tick()
    assert stopped.mode is Mode.STOPPED and stopped.reason == "stop key"
    assert stopped.goal_deg == pytest.approx(measured)
    bench.controller.engage()
    bench.controller.park(START, 10.0)
    bench.aim(moved(20.0))
    assert bench.tick(5).goal_deg == pytest.approx(measured)


def test_a_target_from_before_the_stop_is_not_followed_after_it() -> None:
    bench = Bench()
    bench.controller.engage()
    bench.aim(moved(20.0))
    bench.tick(2)
    bench.controller.stop("stop key")
    bench.tick()
    bench.controller.clear_stop()
    assert bench.tick().mode is Mode.HOLD
    bench.controller.engage()
    after = bench.tick()
    assert after.mode is Mode.HOLD
    bench.aim(moved(20.0))
    assert bench.tick().mode is Mode.ENGAGED


def test_a_restart_keeps_the_stop_latched() -> None:
    bench = Bench()
    bench.controller.stop("stop key")
    bench.controller.restart()
    bench.controller.engage()
    assert bench.controller.mode is Mode.STOPPED
    assert bench.tick().reason == "stop key"
    bench.controller.clear_stop()
    bench.controller.restart()
    bench.controller.engage()
    assert bench.controller.mode is Mode.ENGAGED


def test_after_a_cleared_stop_the_arm_starts_slowly_even_after_a_reset() -> None:
    bench = Bench()
    bench.controller.stop("stop key")
    bench.controller.clear_stop()
    bench.controller.restart()
    bench.controller.engage()
    bench.tick(100)  # waiting for targets is no slow start
    speeds = []
    for tick in range(200):
        there = bench.arm.joints.copy()
        there[4] += 60.0 if tick % 100 < 50 else -60.0  # to and fro: the roll has no room for four seconds
        bench.aim(there)
        before = bench.arm.joints[4]
        speeds.append(abs(bench.tick().goal_deg[4] - before) / TICK_S)
    assert max(speeds[:5]) == pytest.approx(30.0, rel=0.1)
    assert max(speeds[:76]) == pytest.approx(65.0, rel=0.02)  # half of the three seconds
    assert max(speeds) == pytest.approx(100.0)


def test_without_a_stop_the_arm_starts_at_full_speed() -> None:
    bench = Bench()
    bench.controller.engage()
    bench.aim(moved(40.0))
    assert max(np.diff([bench.tick().goal_deg[0] for _ in range(6)])) == pytest.approx(100.0 * TICK_S)


def test_stop_keeps_the_grip() -> None:
    bench = Bench()
    bench.controller.engage()
    closed = START.copy()
    closed[GRIPPER] = 0.0
    bench.aim(closed)
    bench.tick(3)
    bench.arm.blocked = True
    squeezing = bench.tick().goal_deg[GRIPPER]
    assert squeezing < bench.arm.joints[GRIPPER]
    bench.controller.stop("stop key")
    assert bench.tick().goal_deg[GRIPPER] == pytest.approx(squeezing)


def test_a_blocked_arm_is_not_pushed_further_than_the_lead() -> None:
    bench = Bench()
    bench.controller.engage()
    bench.arm.blocked = True
    for _ in range(10):
        bench.aim(moved(60.0))
        status = bench.tick(5)
    assert status.goal_deg[0] - START[0] == pytest.approx(5.0)


def test_parking_hurries_only_as_much_as_the_time_demands() -> None:
    bench = Bench()
    far = np.add(START, [0, 0, 0, 0, 100.0, 0])
    bench.controller.park(far, 2.0)
    rolls = [bench.tick().goal_deg[4] for _ in range(115)]
    assert np.diff(rolls).max() == pytest.approx(50.0 * TICK_S)
    assert rolls[-1] == pytest.approx(far[4])


def test_parking_is_slow_goes_outside_the_box_and_says_when_it_is_done() -> None:
    bench = Bench()
    rest = np.array([0.0, -90.0, 80.0, 60.0, 0.0, 0.0])
    bench.controller.park(rest, 10.0)
    goals = [START[:GRIPPER]]
    for _ in range(500):
        status = bench.tick()
        goals.append(status.goal_deg[:GRIPPER])
        if status.parked:
            break
    assert status.parked
    assert np.abs(np.diff(goals, axis=0)).max() <= 25.0 * TICK_S + 1e-9
    assert status.goal_deg == pytest.approx(rest)
