"""SO-100 and SO-101: six STS3215 servos on one bus behind the driver interface.

A tick costs one request for all that the servos measure, and one with all goals, which nobody answers: 2 ms at
1 Mbaud. A servo that misses a reply keeps its last good figures, and counts.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import numpy as np

from workers.robot.bus import BAUDS, Bus, BusCorrupt, BusError, BusTimeout, Reply, SerialPort
from workers.robot.calibration import Calibration
from workers.robot.drivers import ArmGone, ArmReading, ArmRefused, ServoHealth
from workers.robot.drivers import sts3215 as sts
from workers.robot.drivers.pace import judge_pace
from workers.robot.drivers.servos import (
    MOTOR_IDS,
    Profile,
    Servos,
    identify,
    match,
    settle,
    supply_of,
    why_missing,
)
from workers.robot.drivers.sts3215 import STATE_ADDRESS, STATE_LENGTH, Register, state_of, value_in
from workers.robot.figures import Floats

REPLY_S: Final = 0.008  # beyond the bytes' own time; a cycle's p99 on a good adapter is 2 ms
QUIET_S: Final = 0.006  # lengths tell late replies apart; a longer silence would cost the next tick its time
_SAME_V: Final = 0.25  # between two readings of a supply without load
_SLACK_STEPS: Final = 24.0  # of a position, for noise and backlash
_WATCH_EVERY: Final = 5  # readings; one of them is of the servos' settings in RAM too, 1 ms more on the wire
_RAM: Final = sts.TORQUE_ENABLE.address
_RAM_LENGTH: Final = 10
Opened = Callable[[str], Bus]
Whose = Callable[[Calibration], str]


_NOBODY: Final = [0] * len(MOTOR_IDS)


def _limp(replies: Mapping[int, Reply]) -> dict[int, bool]:
    """Of each servo whether it says that its torque is off, in replies that begin at `_RAM`."""
    return {
        servo_id: not value_in(reply.data, sts.TORQUE_ENABLE, _RAM) for servo_id, reply in replies.items()
    }


def _agree(one: bytes, other: bytes) -> bool:
    """Whether two states of a servo at rest tell the same place and supply."""
    moved = abs(value_in(one, sts.PRESENT_POSITION) - value_in(other, sts.PRESENT_POSITION))
    volts = abs(value_in(one, sts.PRESENT_VOLTAGE) - value_in(other, sts.PRESENT_VOLTAGE))
    return moved <= _SLACK_STEPS and volts * sts.VOLT_PER_COUNT <= _SAME_V


def open_bus(port: str) -> Bus:
    """The bus on a serial port. Raises BusGone."""
    return Bus(SerialPort(port, BAUDS[0]), REPLY_S, QUIET_S)


class _Reach:
    """The bus while it is open; what it raises becomes ArmGone. A class, and only one: every tick passes here twice."""

    def __init__(self, port: str) -> None:
        self.bus: Bus | None = None
        self._port = port

    def __enter__(self) -> Bus:
        if self.bus is None:
            raise ArmGone(f"serial port {self._port} is not open")
        return self.bus

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BusError):
            raise ArmGone(str(error)) from error


class FeetechArm:
    """A ServoArm. Opening it verifies the servos and moves nothing: torque stays as it is.

    Raises ArmGone where there is no such port, and ArmRefused where what is on it must not be driven.

    Args:
        calibration: what counts mean; the servos must hold the same.
        named: where that calibration is from, for messages.
        whose: the name of the file that holds a calibration, for the message about another arm.
        again: in mid-session, after another worker of this arm: a bus that has become slow is then told, not refused.
        supply_v: of the supply; None takes whichever of those sold with such arms it is.
    """

    def __init__(
        self,
        port: str,
        calibration: Calibration,
        named: str,
        profile: Profile,
        supply_v: float | None = None,
        whose: Whose = lambda _: "",
        opened: Opened = open_bus,
        again: bool = False,
    ) -> None:
        self._port, self._calibration, self._named, self._profile = port, calibration, named, profile
        self._wanted_v, self._whose, self._opened = supply_v, whose, opened
        self._what = f"{'leader' if profile.leader else 'follower'} arm on {port}"
        self._caps_pct: Floats | None = None
        self._reach = _Reach(port)
        self.supply_v = 0.0
        self._open(again)

    # the contract

    def read(self) -> ArmReading:
        """All that the servos measure, now; see `ServoArm`."""
        with self._reach as bus:
            self._turn += 1
            looks = self._torque and self._turn % _WATCH_EVERY == 0
            first = _RAM if looks else STATE_ADDRESS
            asked_s = time.monotonic()  # a process that is held up meanwhile reads figures as old as that
            try:
                replies = bus.sync_read(MOTOR_IDS, first, STATE_ADDRESS + STATE_LENGTH - first)
            except (BusCorrupt, BusTimeout):
                replies = {}
            now_s = time.monotonic()
            for joint, servo_id in enumerate(MOTOR_IDS):
                reply = replies.get(servo_id)
                if reply is None or not self._note(
                    joint, reply.data[STATE_ADDRESS - first :], reply.error_bits, asked_s, now_s
                ):
                    self._misses[joint] += 1
                    self._garbled[joint] += reply is not None or servo_id in bus.garbled
            if looks and not bus.restless:
                self._watch(bus, replies)
        joints, velocity, current, load, volts, warmth = zip(*self._figures, strict=True)
        health = ServoHealth(
            load,
            volts,
            warmth,
            tuple(self._error_bits),
            tuple(self._misses),
            tuple(self._unpowered),
            tuple(self._garbled),
            tuple(servo_id in bus.belated for servo_id in MOTOR_IDS),
        )
        return ArmReading(np.array(joints), np.array(velocity), asked_s, np.array(current), health=health)

    def write(self, goal_deg: Floats) -> None:
        """Servo goals [6]; what is no finite number sends nothing to that joint."""
        goals = {
            servo_id: sts.GOAL_POSITION.encode(self._calibration.count_of(joint, goal))
            for joint, (servo_id, goal) in enumerate(zip(MOTOR_IDS, goal_deg.tolist(), strict=True))
            if math.isfinite(goal)
        }
        with self._reach as bus:
            bus.sync_write(sts.GOAL_POSITION.address, goals)

    def set_torque(self, on: bool) -> None:
        """See `ServoArm`. A servo that does not answer keeps its torque as it is: its goal could be anywhere."""
        with self._reach as bus:
            servos = Servos(bus, self._what)
            ids = self._goals_to_present(servos) if on else MOTOR_IDS
            if on:
                self._write_caps(bus)
            self._all(servos, sts.TORQUE_ENABLE, dict.fromkeys(ids, int(on)))
            self._torque = on
            self._unpowered = [False] * len(MOTOR_IDS)

    def cap_torque(self, limit_pct: Floats) -> None:
        """See `ServoArm`."""
        self._caps_pct = limit_pct.copy()
        with self._reach as bus:
            self._write_caps(bus)

    def reopen(self) -> None:
        """See `ServoArm`."""
        self.close()
        self._open(again=True)

    def close(self) -> None:
        """See `ServoArm`."""
        if self._reach.bus is not None:
            self._reach.bus.port.close()
            self._reach.bus = None

    # opening

    def _open(self, again: bool) -> None:
        self._misses, self._garbled, self._error_bits = list(_NOBODY), list(_NOBODY), list(_NOBODY)
        self._unpowered = [False] * len(MOTOR_IDS)
        self._counts = [0] * 6  # where each joint was
        self._figures = [(0.0,) * 6] * 6  # of each joint what `read` gives
        self._seen_s = [0.0] * 6
        self._torque = False
        self._turn = 0
        try:
            self._reach.bus = self._opened(self._port)
        except BusError as error:
            raise ArmGone(str(error)) from error
        try:
            with self._reach as bus:
                self._verify(Servos(bus, self._what), again)
        except BaseException:
            self.close()
            raise

    def _verify(self, servos: Servos, again: bool) -> None:
        self.slow = judge_pace(servos.bus, self._what, again=again)
        """What to tell the operator of a bus that is slow now and then; "" of a quick one."""
        identify(servos)
        match(servos, self._calibration, self._named, self._whose)
        first = servos.sure_read(MOTOR_IDS, STATE_ADDRESS, STATE_LENGTH, _agree)
        if len(first) < len(MOTOR_IDS):
            raise ArmRefused(
                f"{self._what}: servos fall silent while they are asked; "
                f"{why_missing(servos.bus, set(MOTOR_IDS) - first.keys())}"
            )
        volts = {
            each: value_in(r.data, sts.PRESENT_VOLTAGE) * sts.VOLT_PER_COUNT for each, r in first.items()
        }
        self.supply_v = supply_of(volts, self._wanted_v, self._what)
        self.changed = settle(servos, self._profile)
        """Settings of the servos that were others, before and after."""
        if not self._profile.leader:
            speed = dict.fromkeys(MOTOR_IDS, self._profile.speed_steps_s)
            self._all(servos, sts.GOAL_SPEED, speed)
        now_s = time.monotonic()
        for joint, servo_id in enumerate(MOTOR_IDS):
            self._note(joint, first[servo_id].data, first[servo_id].error_bits, now_s, np.inf)
        torque = servos.sure_read(MOTOR_IDS, sts.TORQUE_ENABLE.address, sts.TORQUE_ENABLE.size)
        self.found_stiff = any(reply.data[0] for reply in torque.values())
        """The torque was on already when the port was opened: the arm may hang in the air."""

    # figures

    def _note(self, joint: int, state: bytes, error_bits: int, asked_s: float, now_s: float) -> bool:
        """Take what a servo answered to a request of `asked_s`, unless the servo cannot be there from where it was.

        The sum of a packet lets 1 of 256 faults through.
        """
        count, speed, load, voltage, temperature, current = state_of(state)
        moved = abs(count - self._counts[joint])
        if moved > sts.TOP_SPEED_STEPS_S * (now_s - self._seen_s[joint]) + _SLACK_STEPS:
            return False
        self._counts[joint] = count
        self._figures[joint] = (
            self._calibration.public_of(joint, count),
            self._calibration.velocity_of(joint, speed),
            current * sts.AMPERE_PER_COUNT,
            load / 10.0,
            voltage * sts.VOLT_PER_COUNT,
            float(temperature),
        )
        self._error_bits[joint], self._seen_s[joint] = error_bits, asked_s
        self._misses[joint] = self._garbled[joint] = 0
        return True

    def _watch(self, bus: Bus, replies: dict[int, Reply]) -> None:
        """Take what these say of the servos' torque: after a brown-out it is off, and nothing else tells."""
        limp = _limp(replies)
        if any(limp.values()):
            # One look may be a damaged packet that passed its sum: a limp servo says so twice, in this very tick.
            again: dict[int, bool] = {}
            with suppress(BusCorrupt, BusTimeout):
                again = _limp(bus.sync_read(MOTOR_IDS, _RAM, _RAM_LENGTH))
            limp = {servo_id: says for servo_id, says in limp.items() if again.get(servo_id) == says}
        for servo_id, says in limp.items():
            self._unpowered[servo_id - 1] = says

    # writing to all

    def _goals_to_present(self, servos: Servos) -> tuple[int, ...]:
        """Set every goal to where its joint is; the servos that took part."""
        stiff = servos.sync_read(MOTOR_IDS, _RAM, sts.GOAL_POSITION.address + 2 - _RAM, tries=2)
        here = self._surely_here(servos)
        goals = {
            servo_id: position
            for servo_id, position in here.items()
            # One that holds already would sag by what it is off its goal.
            if not (servo_id in stiff and value_in(stiff[servo_id].data, sts.TORQUE_ENABLE, _RAM))
        }
        if goals:
            self._all(servos, sts.GOAL_POSITION, goals)
        return tuple(here)

    @staticmethod
    def _surely_here(servos: Servos) -> dict[int, int]:
        """Positions that two readings agree on: a fault that passes a packet's sum must not become a goal."""
        sure: dict[int, int] = {}
        before: dict[int, int] = {}
        for _ in range(4):
            left = [servo_id for servo_id in MOTOR_IDS if servo_id not in sure]
            replies = servos.sync_read(left, sts.PRESENT_POSITION.address, sts.PRESENT_POSITION.size, tries=2)
            now = {each: value_in(reply.data, sts.PRESENT_POSITION) for each, reply in replies.items()}
            sure |= {
                each: position
                for each, position in now.items()
                if each in before and abs(position - before[each]) <= _SLACK_STEPS
            }
            before |= now
            if len(sure) == len(MOTOR_IDS):
                break
        return sure

    def _write_caps(self, bus: Bus) -> None:
        servos = Servos(bus, self._what)
        if not self._profile.leader:
            self._all(servos, sts.GOAL_SPEED, dict.fromkeys(MOTOR_IDS, self._profile.speed_steps_s))
        if self._caps_pct is not None:
            caps = np.clip(np.rint(self._caps_pct * 10.0), 0, 1000)
            self._all(
                servos, sts.TORQUE_LIMIT, {each: int(caps[joint]) for joint, each in enumerate(MOTOR_IDS)}
            )

    @staticmethod
    def _all(servos: Servos, register: Register, values: dict[int, int]) -> None:
        """One write for all, then a look at each, again for those that did not take it; never given up for one."""
        left = dict(values)
        for _ in range(4):
            servos.bus.sync_write(
                register.address, {servo_id: register.encode(value) for servo_id, value in left.items()}
            )
            found = servos.sync_read(left, register.address, register.size, tries=2)
            left = {
                servo_id: value
                for servo_id, value in left.items()
                if servo_id not in found or register.decode(found[servo_id].data) != value
            }
            if not left:
                return
