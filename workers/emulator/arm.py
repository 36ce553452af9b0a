"""The arm on the bus: which servo sits in which joint, how it is calibrated, its weight, its supply."""

import math
import random
from typing import Final

import msgspec

from workers.emulator.motion import Clears, Hand, Joint
from workers.emulator.registers import BAUD_OF_CODE, MODEL_STS3215, TURN, Reg, factory_table
from workers.emulator.servo import Servo

JOINTS: Final = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
COUNTS_PER_DEGREE: Final = (TURN - 1) / 360  # LeRobot's, in its DEGREES
_MIDDLE: Final = 2047
_TRAVEL_DEG: Final = (220.0, 200.0, 194.0, 190.0, 320.0, 110.0)
_WEIGHT: Final = {"upper": 90.0, "fore": 130.0, "hand": 60.0}  # permille of stall torque, stretched out
_LEADER_WEIGHT: Final = (
    0.2  # of a follower's, against the friction of its gears: a leader stays where it is left
)
_SUPPLY_OHM: Final = 0.08
_STEP_S: Final = 0.004
_LONGEST_S: Final = 1.0  # that is caught up with after the process had been stopped


class ArmOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What arm to pretend to be."""

    arm: str = "so101"
    state: str = "calibrated"
    """calibrated | assembled (ids set, EEPROM as from the factory) | factory (id 1 each) | random (any id, any baud)"""
    leader: bool = False
    volts: float = 7.4
    seed: int = 0
    pose_deg: tuple[float, ...] | None = None  # five degrees and the gripper's percent; default a rest pose
    mounting: tuple[int, ...] | None = None  # encoder counts in the middle of each joint's travel, 0 to 4095
    travel_deg: tuple[float, ...] = _TRAVEL_DEG
    plugged: tuple[str, ...] | None = None  # joints whose servo is on the chain; default all, factory: none
    models: tuple[int, ...] = (MODEL_STS3215,) * 6
    firmware: tuple[tuple[int, int], ...] = ((3, 10),) * 6
    overload_clears: Clears = Clears.GOAL


REST_DEG: Final = (0.0, -95.0, 92.0, 70.0, 0.0, 5.0)  # folded, weight on the base
_FOLDED_DEG: Final = (-90.0, 85.0)  # lift below and elbow above: the arm lies on its base, nothing hangs


class Arm:
    """Six joints in motor order. Time is the caller's monotonic clock."""

    def __init__(self, options: ArmOptions, now_s: float) -> None:
        self.options = options
        self.nominal_v = options.volts
        self.supply_v = options.volts
        self._now_s = now_s
        chance = random.Random(options.seed)
        mounting = options.mounting or tuple(
            chance.randrange(TURN) if options.state != "calibrated" else chance.randrange(200, TURN - 200)
            for _ in JOINTS
        )
        self._mounting = mounting
        self.joints = [self._joint(index, mounting[index], chance) for index in range(6)]
        everything = options.state in ("calibrated", "assembled")
        self.plugged = set(options.plugged if options.plugged is not None else JOINTS if everything else ())
        self.advance(now_s + _STEP_S)

    def _joint(self, index: int, mounting: int, chance: random.Random) -> Joint:
        options = self.options
        table = factory_table(options.models[index], options.firmware[index], options.volts)
        servo = Servo(table)
        half = options.travel_deg[index] / 2 * TURN / 360
        joint = Joint(servo, -half, half, clears=options.overload_clears)
        pose = options.pose_deg or REST_DEG
        joint.angle = max(-half, min(half, self._counts(index, pose[index], half)))
        if options.state == "random":
            servo.store(Reg.ID, chance.randrange(1, 254))
            servo.store(Reg.BAUD, chance.randrange(len(BAUD_OF_CODE)))
        elif options.state != "factory":
            servo.store(Reg.ID, index + 1)
        if options.state == "calibrated":
            self._calibrate(servo, index, mounting, half)
        servo.counts = mounting + joint.angle
        servo.power_on()
        return joint

    def _counts(self, index: int, value: float, half: float) -> float:
        """Shaft counts of a public joint value: degrees, percent of the gripper."""
        return (value / 50 - 1) * half if index == 5 else value * COUNTS_PER_DEGREE

    def _calibrate(self, servo: Servo, index: int, mounting: int, half: float) -> None:
        """EEPROM as LeRobot leaves it: its calibration and what its connect writes."""
        offset = mounting - _MIDDLE
        servo.store(Reg.HOMING_OFFSET, offset)
        low, high = (0, TURN - 1) if index == 4 else (_MIDDLE - int(half), _MIDDLE + int(half))
        servo.store(Reg.MIN_ANGLE, low)
        servo.store(Reg.MAX_ANGLE, high)
        servo.store(Reg.RETURN_DELAY, 0)
        servo.store(Reg.MAX_ACCELERATION, 254)
        if self.options.leader:
            return
        servo.store(Reg.P, 16)
        if index == 5:
            servo.store(Reg.MAX_TORQUE, 500)
            servo.store(Reg.PROTECTION_CURRENT, 250)
            servo.store(Reg.OVERLOAD_TORQUE, 25)

    # what one may ask

    def calibration(self) -> dict[str, dict[str, int]]:
        """LeRobot's calibration file: what the servos hold now."""
        return {
            name: {
                "id": joint.servo.id,
                "drive_mode": 0,
                "homing_offset": joint.servo.get(Reg.HOMING_OFFSET),
                "range_min": joint.servo.get(Reg.MIN_ANGLE),
                "range_max": joint.servo.get(Reg.MAX_ANGLE),
            }
            for name, joint in zip(JOINTS, self.joints, strict=True)
        }

    def public_of(self, index: int) -> float:
        """Degrees from the middle of the travel; percent of the gripper's. The truth, whatever the calibration."""
        joint = self.joints[index]
        return (joint.angle / joint.high + 1) * 50 if index == 5 else joint.angle / COUNTS_PER_DEGREE

    def on_chain(self) -> list[Servo]:
        """Servos that the bus reaches, in the order of the chain."""
        return [joint.servo for name, joint in zip(JOINTS, self.joints, strict=True) if name in self.plugged]

    def joint(self, name: str) -> Joint:
        return self.joints[JOINTS.index(name)]

    # what one may do

    def hold_by_hand(self, name: str, value: float, over_s: float) -> None:
        """Take a joint by hand to degrees (gripper: percent) within so many seconds, and hold it there."""
        joint = self.joint(name)
        end = self._counts(JOINTS.index(name), value, joint.high)
        joint.hand = Hand(joint.angle, end, self._now_s, over_s)

    def power_cycle(self) -> None:
        for joint in self.joints:
            joint.reboot()

    def volts(self) -> float:
        """At the servos: less under load."""
        return max(0.0, self.supply_v - _SUPPLY_OHM * sum(abs(joint.current_a) for joint in self.joints))

    def advance(self, now_s: float) -> None:
        """Let time pass to `now_s`."""
        self._now_s = max(self._now_s, now_s - _LONGEST_S)
        while self._now_s < now_s:
            dt_s = min(_STEP_S, now_s - self._now_s)
            self._now_s += dt_s
            volts = self.volts()
            for joint, gravity in zip(self.joints, self._gravity(), strict=True):
                joint.step(dt_s, self._now_s, gravity, volts, self.nominal_v)

    def _gravity(self) -> tuple[float, ...]:
        """Torques in permille of stall, positive joint direction, of a plane arm: lift 0 is upright, elbow 0 level."""
        scale = _LEADER_WEIGHT if self.options.leader else 1.0
        lift, elbow, wrist = (self.joints[i].angle * 2 * math.pi / TURN for i in (1, 2, 3))
        fore = _WEIGHT["fore"] * math.cos(lift + elbow)
        hand = _WEIGHT["hand"] * math.cos(lift + elbow + wrist)
        upper = _WEIGHT["upper"] * math.sin(lift)
        if math.degrees(lift) < _FOLDED_DEG[0] and math.degrees(elbow) > _FOLDED_DEG[1]:
            return 0.0, 0.0, 0.0, scale * hand, 0.0, 0.0
        return 0.0, scale * (upper + fore + hand), scale * (fore + hand), scale * hand, 0.0, 0.0
