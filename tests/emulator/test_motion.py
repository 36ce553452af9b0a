"""Motion, guards and positions of the emulated servos, on a clock of the test's own."""

import pytest

from workers.emulator.arm import COUNTS_PER_DEGREE, JOINTS, Arm, ArmOptions
from workers.emulator.motion import TOP_SPEED, Clears, Joint
from workers.emulator.registers import TURN, Err, Reg, factory_table
from workers.emulator.servo import Servo

STRETCHED = (0.0, 90.0, -90.0, 0.0, 0.0, 50.0)  # the whole arm level: all its weight on the shoulder
UPRIGHT = (0.0, 0.0, 0.0, 0.0, 0.0, 50.0)


class Bench:
    """An arm and the time."""

    def __init__(self, pose: tuple[float, ...] | None = UPRIGHT, **options: object) -> None:
        self.now_s = 100.0
        self.arm = Arm(ArmOptions(pose_deg=pose, **options), self.now_s)  # type: ignore[arg-type]

    def wait(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            self.now_s += 0.01
            self.arm.advance(self.now_s)

    def drive(self, name: str, goal: int | None = None, **registers: int) -> Joint:
        """Torque on, towards a goal; default: where it is."""
        joint = self.arm.joint(name)
        for register, value in registers.items():
            joint.servo.set(Reg[register], value)
        joint.servo.set(Reg.GOAL_POSITION, joint.servo.get(Reg.PRESENT_POSITION) if goal is None else goal)
        joint.servo.set(Reg.TORQUE_ENABLE, 1)
        return joint


def deg(bench: Bench, name: str) -> float:
    return bench.arm.public_of(JOINTS.index(name))


def test_a_folded_arm_lies_still_without_torque() -> None:
    bench = Bench(None)
    before = [bench.arm.public_of(index) for index in range(6)]
    bench.wait(5.0)
    assert [bench.arm.public_of(index) for index in range(6)] == before


def test_a_limp_arm_falls_and_a_leader_stays() -> None:
    follower, leader = Bench(STRETCHED), Bench(STRETCHED, leader=True)
    for bench in (follower, leader):
        bench.wait(1.0)
    assert deg(follower, "elbow_flex") > -60.0
    assert deg(leader, "elbow_flex") == pytest.approx(-90.0, abs=0.5)


def test_a_held_arm_sags_by_what_the_bench_showed() -> None:
    bench = Bench(STRETCHED)
    held = bench.drive("shoulder_lift")
    bench.drive("elbow_flex")
    bench.drive("wrist_flex")
    bench.wait(2.0)
    assert 1.0 < deg(bench, "shoulder_lift") - 90.0 < 2.7
    assert held.servo.get(Reg.PRESENT_LOAD) < -150  # the motor pushes up
    assert held.servo.get(Reg.MOVING) == 0


def test_without_caps_it_is_as_fast_as_the_motor() -> None:
    bench = Bench()
    joint = bench.drive("shoulder_pan", 3200)
    bench.wait(0.2)
    assert 0.8 * TOP_SPEED < joint.velocity <= TOP_SPEED
    assert joint.servo.get(Reg.PRESENT_SPEED) == round(joint.velocity)


def test_the_acceleration_register_shapes_the_start() -> None:
    bench = Bench()
    joint = bench.drive("shoulder_pan", 3200, ACCELERATION=10)  # 1000 counts/s^2
    bench.wait(0.5)
    assert joint.velocity == pytest.approx(500.0, rel=0.15)


def test_low_voltage_shows_and_slows() -> None:
    bench = Bench(volts=7.4)
    bench.arm.supply_v = 5.8
    joint = bench.drive("shoulder_pan", 3200)
    bench.wait(0.2)
    assert joint.servo.get(Reg.PRESENT_VOLTAGE) in (57, 58)
    assert joint.velocity < 0.8 * TOP_SPEED
    assert joint.servo.error == 0  # the servo's own limit is 4.0 V


def test_a_blocked_motor_warms_up_and_pulls_the_supply_down() -> None:
    bench = Bench()
    joint = bench.drive("shoulder_pan", 3000, OVERLOAD_TORQUE=200)  # its guard would let go
    joint.stuck = True
    bench.wait(20.0)
    assert joint.temperature_c > 40.0
    assert joint.current_a == pytest.approx(2.7)
    assert joint.servo.get(Reg.PRESENT_VOLTAGE) < 74


def test_a_hot_servo_lets_go() -> None:
    bench = Bench(STRETCHED)
    joint = bench.drive("shoulder_lift")
    joint.temperature_c = 75.0
    bench.wait(0.1)
    assert joint.servo.error == Err.TEMPERATURE
    assert joint.drive == 0.0


@pytest.mark.parametrize("clears", list(Clears))
def test_what_ends_the_overload_guard(clears: Clears) -> None:
    bench = Bench(overload_clears=clears)
    joint = bench.drive("shoulder_pan", 3000)
    joint.stuck = True
    bench.wait(2.5)
    assert joint.tripped and joint.servo.error == Err.OVERLOAD
    assert abs(joint.drive) <= 200.0  # protective torque, 20 %
    joint.stuck = False
    joint.servo.set(Reg.GOAL_POSITION, joint.servo.get(Reg.PRESENT_POSITION) + 40)
    bench.wait(0.1)
    assert joint.tripped is (clears is not Clears.GOAL)
    joint.servo.set(Reg.TORQUE_ENABLE, 0)
    bench.wait(0.1)
    joint.servo.set(Reg.TORQUE_ENABLE, 1)
    bench.wait(0.1)
    assert joint.tripped is (clears is Clears.POWER)
    joint.reboot()
    bench.wait(0.1)
    assert not joint.tripped and joint.servo.error == 0


def test_a_joint_stops_at_its_mechanical_end_and_pushes_there() -> None:
    bench = Bench()
    joint = bench.drive("shoulder_pan", 4095, MAX_ANGLE=4095)
    bench.wait(1.5)
    assert joint.angle == joint.high
    assert joint.servo.get(Reg.PRESENT_LOAD) > 500


def test_a_hand_wins_over_little_torque_and_is_felt() -> None:
    bench = Bench(leader=True)
    joint = bench.drive("shoulder_pan", TORQUE_LIMIT=150)
    bench.arm.hold_by_hand("shoulder_pan", 20.0, 0.5)
    bench.wait(1.0)
    assert deg(bench, "shoulder_pan") == pytest.approx(20.0)
    assert joint.servo.get(Reg.PRESENT_LOAD) == -150  # it pulls back as hard as it may


@pytest.mark.parametrize("mount", [0, 1, 1000, 2048, 4095])
@pytest.mark.parametrize("offset", [-2047, -5, 0, 5, 2047])
def test_a_position_is_the_angle_less_the_offset_within_a_turn(mount: int, offset: int) -> None:
    servo = Servo(factory_table(), float(mount))
    servo.set(Reg.HOMING_OFFSET, offset)
    servo.refresh_position()
    assert servo.get(Reg.PRESENT_POSITION) == (mount - offset) % TURN


def test_the_phase_register_lets_it_count_turns_until_the_power_goes() -> None:
    servo = Servo(factory_table(), 4000.0)
    servo.counts += 300
    servo.refresh_position()
    assert servo.get(Reg.PRESENT_POSITION) == 204
    servo.store(Reg.PHASE, 12 | 0x10)
    servo.refresh_position()
    assert servo.get(Reg.PRESENT_POSITION) == 4300
    servo.power_on()
    assert servo.get(Reg.PRESENT_POSITION) == 204


def test_public_values_agree_with_the_calibration_that_it_writes() -> None:
    bench = Bench((12.0, -30.0, 40.0, -20.0, 75.0, 25.0), seed=5)
    for index, held in enumerate(bench.arm.calibration().values()):
        raw = bench.arm.joints[index].servo.get(Reg.PRESENT_POSITION)
        middle = (held["range_min"] + held["range_max"]) / 2
        if index == 5:
            value = (raw - held["range_min"]) / (held["range_max"] - held["range_min"]) * 100
        else:
            value = (raw - middle) / COUNTS_PER_DEGREE
        assert value == pytest.approx(bench.arm.public_of(index), abs=0.2)
