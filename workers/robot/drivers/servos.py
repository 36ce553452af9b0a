"""The six servos of an arm before it moves: who is there, whether they are the right ones, and what they are set to.

Nothing is written that is there already, since the EEPROM wears; and what was written is read back.
"""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from workers.robot.bus import NOISE, Bus, BusCorrupt, BusGone, BusTimeout, Reply
from workers.robot.bus.latency import latency_fix
from workers.robot.calibration import Calibration, MotorCalibration
from workers.robot.drivers import ArmRefused
from workers.robot.drivers import sts3215 as sts
from workers.robot.drivers.sts3215 import Register, value_in
from workers.robot.figures import GRIPPER, JOINT_NAMES

TRIES: Final = 6
PATIENCE_S: Final = 0.3
"""At least so long is asked before an arm is refused: a computer under load, or its USB, may be busy for a while."""
SUPPLIES_V: Final = (5.0, 7.4, 12.0)
"""Supplies that SO-100 and SO-101 arms are sold with: 5 or 7.4 V for servos of 7.4 V, 12 V for those of 12 V."""
_SUPPLY_SHARE: Final = 0.12  # how far from one of them a supply may be and still be that one
TABLE_LENGTH: Final = 40  # the EEPROM
MOTOR_IDS: Final = tuple(range(1, len(JOINT_NAMES) + 1))


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings of the servos: LeRobot's, and caps of speed and torque besides."""

    p: int = 16
    i: int = 0
    d: int = 32
    gripper_max_torque: int = 500  # per mille of the gripper's servo, which would burn on what it grips
    gripper_protection_current: int = 250  # 6.5 mA
    gripper_overload_torque: int = 25  # percent
    speed_steps_s: int = 2400  # cap inside the servo, of every motion; 0: none
    leader: bool = False  # moved by hand: its gains and the gripper stay as they are

    def registers(self, joint: int) -> dict[Register, int]:
        """What the EEPROM of a joint's servo has to hold."""
        wanted = {sts.RETURN_DELAY: 0, sts.OPERATING_MODE: 0}
        if self.leader:
            return wanted
        wanted |= {sts.P_GAIN: self.p, sts.I_GAIN: self.i, sts.D_GAIN: self.d}
        if joint == GRIPPER:
            wanted |= {
                sts.MAX_TORQUE: self.gripper_max_torque,
                sts.PROTECTION_CURRENT: self.gripper_protection_current,
                sts.OVERLOAD_TORQUE: self.gripper_overload_torque,
            }
        return wanted


GUARDS: Final = {
    sts.MAX_TEMPERATURE: range(1, 81),
    sts.MAX_VOLTAGE: range(50, 161),
    sts.MIN_VOLTAGE: range(61),
    sts.MAX_TORQUE: range(1, 1001),
    sts.PROTECTIVE_TORQUE: range(1, 51),
    sts.PROTECTION_TIME: range(1, 251),
    sts.OVERLOAD_TORQUE: range(1, 91),
    sts.PROTECTION_CURRENT: range(1, 512),
    sts.OVER_CURRENT_TIME: range(1, 255),
}
"""What the servo protects itself by, and within what it must be; a servo without these guards is not armed."""
_UNLOADS: Final = 1 << 2 | 1 << 3 | 1 << 5  # temperature, current, overload


class Servos:
    """Registers of servos, with the patience that single packets need. Raises ArmGone and ArmRefused only."""

    def __init__(self, bus: Bus, what: str) -> None:
        """`what`: the arm in words, for messages."""
        self.bus, self.what = bus, what

    def get(self, servo_id: int, register: Register) -> int:
        """The value of a register."""
        last: BusTimeout | BusCorrupt | None = None
        for _ in self._tries():
            try:
                return register.decode(self.bus.read(servo_id, register.address, register.size).data)
            except (BusTimeout, BusCorrupt) as error:
                last = error
        why = f"{last}" if isinstance(last, BusCorrupt) else f"{last}; {where_to_look((servo_id,))}"
        raise ArmRefused(f"{self.what}: {why}")

    def put(self, servo_id: int, register: Register, value: int) -> None:
        """Write a register unless it has that value, and see that it took it."""
        for _ in range(TRIES):
            if self.get(servo_id, register) == value:
                return
            self._write(servo_id, register, value)
        found = self.get(servo_id, register)
        if found != value:
            raise ArmRefused(
                f"{self.what}: servo {servo_id} ({_name(servo_id)}) does not take {register.name} = {value}, it stays "
                f"{found}. Switch the supply off and on; a servo that still does not is defective"
            )

    def _write(self, servo_id: int, register: Register, value: int) -> None:
        """One try. An answer to a write may be an older one's: what must be so is read back."""
        if not register.eeprom:
            self._send(servo_id, register, value)
            return
        self._send(servo_id, sts.LOCK, 0)
        if self.get(servo_id, sts.LOCK) == 0:  # locked, it would take the value and forget it with its supply
            self._send(servo_id, register, value)
        for _ in range(TRIES):
            self._send(servo_id, sts.LOCK, 1)
            if self.get(servo_id, sts.LOCK) == 1:
                return

    def _send(self, servo_id: int, register: Register, value: int) -> None:
        with contextlib.suppress(BusTimeout, BusCorrupt):
            self.bus.write(servo_id, register.address, register.encode(value))

    def sync_read(
        self, ids: Iterable[int], address: int, length: int, tries: int | None = None
    ) -> dict[int, Reply]:
        """As the bus's, asking again for who is missing: with patience, or `tries` times."""
        missing, found = list(ids), dict[int, Reply]()
        for _ in self._tries() if tries is None else range(tries):
            try:
                found |= self.bus.sync_read(missing, address, length)
            except (BusTimeout, BusCorrupt):
                continue
            missing = [servo_id for servo_id in missing if servo_id not in found]
            if not missing:
                break
        return found

    def sure_read(
        self,
        ids: Iterable[int],
        address: int,
        length: int,
        agree: Callable[[bytes, bytes], bool] = bytes.__eq__,
    ) -> dict[int, Reply]:
        """As `sync_read` with patience, of registers that stand still: a reply counts when another one says the same.

        The sum over a packet has eight bits: of 256 damaged ones one passes, and must not refuse a good arm.
        """
        missing, sure = list(ids), dict[int, Reply]()
        said: dict[int, list[bytes]] = {servo_id: [] for servo_id in missing}
        for _ in self._tries():
            for servo_id, reply in self.sync_read(missing, address, length, tries=1).items():
                if any(agree(reply.data, before) for before in said[servo_id]):
                    sure[servo_id] = reply
                said[servo_id].append(reply.data)
            missing = [servo_id for servo_id in missing if servo_id not in sure]
            if not missing:
                break
        return sure

    def _tries(self) -> Iterator[int]:
        """Several, and for some time."""
        until_s, turn = self.bus.port.now_s() + PATIENCE_S, 0
        while turn < TRIES or (turn < 4 * TRIES and self.bus.port.now_s() < until_s):
            yield turn
            turn += 1


def identify(servos: Servos) -> None:
    """Six servos of the right model and one firmware. Raises ArmRefused and BusGone."""
    found = servos.sure_read(MOTOR_IDS, sts.FIRMWARE.address, 5)
    missing = [servo_id for servo_id in MOTOR_IDS if servo_id not in found]
    if missing == list(MOTOR_IDS) and servos.bus.counters.late:
        raise ArmRefused(
            f"{servos.what}: every reply comes too late: the USB adapter holds bytes back. "
            f"{latency_fix(servos.bus.port.name)}"
        )
    if missing:
        raise ArmRefused(
            f"{servos.what}: no reply from {', '.join(f'id {each} ({_name(each)})' for each in missing)}; "
            f"{why_missing(servos.bus, missing)}. `hilserl-worker scan-arm` lists what answers"
        )
    models = {each: sts.MODEL_NUMBER.decode(reply.data[3:]) for each, reply in found.items()}
    wrong = {each: model for each, model in models.items() if model != sts.MODEL}
    if wrong:
        told = ", ".join(f"id {each}: {model}" for each, model in wrong.items())
        raise ArmRefused(
            f"{servos.what}: servos of another model ({told}; an STS3215 says {sts.MODEL}): is that the arm's port?"
        )
    firmware = {each: f"{reply.data[0]}.{reply.data[1]}" for each, reply in found.items()}
    if len(set(firmware.values())) > 1:
        told = ", ".join(f"id {each}: {version}" for each, version in firmware.items())
        raise ArmRefused(
            f"{servos.what}: servos with different firmware ({told}), which understand the same bytes differently. "
            "Update them with Feetech's own tool"
        )


def why_missing(bus: Bus, missing: Collection[int]) -> str:
    """The likely causes where these ids were asked with patience, and did not answer."""
    return NOISE if any(servo_id in bus.garbled for servo_id in missing) else where_to_look(missing)


def where_to_look(missing: Iterable[int]) -> str:
    """The likely causes of silence on a chain of servos."""
    gone = sorted(missing)
    if gone == list(MOTOR_IDS):
        return "check that the supply is plugged in and switched on, and that this is the arm's port"
    if gone == list(range(gone[0], len(MOTOR_IDS) + 1)) and gone[0] > 1:
        return (
            f"the chain breaks after id {gone[0] - 1} ({_name(gone[0] - 1)}): check the cable from there to "
            f"id {gone[0]}, the supply, and whether that servo has its id"
        )
    return (
        "servos behind it answer, so the cable is whole: check its plugs and the supply, and whether it has "
        "another id or baud rate, or an id that another servo has too"
    )


def tables_of(servos: Servos) -> dict[int, bytes]:
    """The EEPROM of each servo, from register 0 on. Raises ArmRefused and BusGone."""
    found = servos.sure_read(MOTOR_IDS, 0, TABLE_LENGTH)
    missing = [servo_id for servo_id in MOTOR_IDS if servo_id not in found]
    if missing:
        raise ArmRefused(
            f"{servos.what}: no reply from id {missing[0]} any more; {why_missing(servos.bus, missing)}"
        )
    return {servo_id: reply.data for servo_id, reply in found.items()}


def stored_calibration(servos: Servos) -> Calibration:
    """What the servos hold themselves."""
    tables = tables_of(servos)
    motors = tuple(
        MotorCalibration(
            servo_id,
            0,
            value_in(tables[servo_id], sts.HOMING_OFFSET, 0),
            value_in(tables[servo_id], sts.MIN_POSITION, 0),
            value_in(tables[servo_id], sts.MAX_POSITION, 0),
        )
        for servo_id in MOTOR_IDS
    )
    return Calibration(motors)


def match(servos: Servos, calibration: Calibration, named: str, whose: Callable[[Calibration], str]) -> None:
    """The servos hold this very calibration, so they are this arm. Raises ArmRefused.

    `whose`: the name of the file that holds a calibration, "" of none.
    """
    stored = stored_calibration(servos)
    lines = stored.differences(calibration)
    if lines and (other := whose(stored)):
        raise ArmRefused(
            f"{servos.what} is not the arm of {named}: it is that of {other}. Are leader and follower swapped? "
            "Exchange the ports in the configuration, or correct the id"
        )
    if lines:
        shown = "; ".join(lines[:4]) + (f" and {len(lines) - 4} more" if len(lines) > 4 else "")
        raise ArmRefused(
            f"{servos.what} is not the arm that {named} was made for (servo / file: {shown}). Leader and follower "
            "may be swapped, or it is another arm: check the ports. If it is the right one, its calibration was "
            "changed elsewhere: `hilserl-worker calibrate` makes it anew, or writes the file to the servos"
        )


def settle(servos: Servos, profile: Profile) -> list[str]:
    """Bring settings to the profile, and see that the guards are on; what was changed. Raises ArmRefused."""
    tables, changed = tables_of(servos), []
    for joint, servo_id in enumerate(MOTOR_IDS):
        table = tables[servo_id]
        phase = value_in(table, sts.PHASE, 0) & ~sts.ANGLE_FEEDBACK_BIT
        for register, value in {**profile.registers(joint), sts.PHASE: phase}.items():
            if (before := value_in(table, register, 0)) != value:
                servos.put(servo_id, register, value)
                changed.append(f"{_name(servo_id)}.{register.name} {before} -> {value}")
    locks = servos.sure_read(MOTOR_IDS, sts.LOCK.address, sts.LOCK.size)
    for servo_id in MOTOR_IDS:
        if servo_id not in locks or locks[servo_id].data[0] != 1:
            servos.put(servo_id, sts.LOCK, 1)  # LeRobot leaves it open; nothing else must get into the EEPROM
    if not profile.leader:
        _check_guards(servos)
    return changed


def _check_guards(servos: Servos) -> None:
    wrong = []
    for servo_id, table in tables_of(servos).items():
        for register, allowed in GUARDS.items():
            value = value_in(table, register, 0)
            if value not in allowed:
                wrong.append(
                    f"{_name(servo_id)}.{register.name} = {value}, not {allowed.start} to {allowed.stop - 1}"
                )
        unloads = value_in(table, sts.UNLOADING, 0)
        if unloads & _UNLOADS != _UNLOADS:
            wrong.append(f"{_name(servo_id)}.{sts.UNLOADING.name} = {unloads}, lacks {_UNLOADS & ~unloads}")
    if wrong:
        raise ArmRefused(
            f"{servos.what}: the servos would not protect themselves ({'; '.join(wrong)}). Nothing was switched on. "
            "Set these registers back with Feetech's own tool"
        )


def supply_of(measured_v: Mapping[int, float], wanted_v: float | None, what: str) -> float:
    """The supply that these voltages come from, by servo id. Raises ArmRefused for one that is none."""
    low_id, low_v = min(measured_v.items(), key=lambda each: each[1])
    nominal_v = wanted_v or min(SUPPLIES_V, key=lambda supply: abs(supply - low_v))
    if abs(low_v - nominal_v) <= (0.2 if wanted_v else _SUPPLY_SHARE) * nominal_v:
        return nominal_v
    needs = f"{nominal_v:g} V" if wanted_v else "5, 7.4 or 12 V"
    raise ArmRefused(
        f"{what}: servo {low_id} ({_name(low_id)}) has {low_v:.1f} V, the arm needs {needs}: no torque was switched "
        "on. Is the supply plugged in and switched on, the right one, and strong enough? If it is meant to be like "
        "that, set env.robot.servo.supply_voltage"
    )


def _name(servo_id: int) -> str:
    return JOINT_NAMES[servo_id - 1] if servo_id in MOTOR_IDS else "no joint's"


__all__ = [
    "GUARDS",
    "MOTOR_IDS",
    "BusGone",
    "Profile",
    "Servos",
    "identify",
    "match",
    "settle",
    "supply_of",
    "why_missing",
]
