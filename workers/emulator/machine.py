"""The emulated arm at work: requests in, replies out at the pace of the wire, and a hand on everything for tests."""

import heapq
import os
import select
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from workers.emulator.arm import JOINTS, Arm, ArmOptions
from workers.emulator.bus import Bus
from workers.emulator.faults import Fault, Faults, Rates
from workers.emulator.motion import Hand
from workers.emulator.port import Port
from workers.emulator.registers import Reg
from workers.emulator.servo import Servo
from workers.emulator.wire import Listener, Request

_BITS_A_BYTE: Final = 10  # start, eight, stop
_IDLE_S: Final = 0.1  # motion is caught up with at least so often
_READ_S: Final = 0.02  # a host has to read an answer, before an unplugged port takes it along
_KEPT_READS: Final = 20_000


class Read(msgspec.Struct, frozen=True):
    """One whole reply as it left a servo, before any fault; time is the machine's monotonic clock."""

    time_s: float
    servo: int
    register: int  # where its data begin; -1 of a reply that has none
    data: tuple[int, ...]  # the frame


class Machine:
    """One arm on one port. `turn` does what is due; `fileno` of the port tells when there is more."""

    def __init__(self, options: ArmOptions, path: Path, usb_s: float = 0.0) -> None:
        """`usb_s`: latency of the adapter, added to every reply. Raises OSError where the port cannot be made."""
        self.arm = Arm(options, time.monotonic())
        self.port = Port(path)
        self.port.plug()
        self.bus = Bus()
        self.faults = Faults()
        self.reads: deque[Read] = deque(maxlen=_KEPT_READS)
        self._usb_s = usb_s
        self._listener = Listener()
        self._outgoing: list[tuple[float, int, bytes, bool]] = []
        self._number = 0
        self._wire_free_s = 0.0
        self._quiet_from_s = 0.0

    def wait_s(self) -> float:
        """How long there is nothing to do unless something arrives."""
        if not self._outgoing:
            return _IDLE_S
        return max(0.0, min(_IDLE_S, self._outgoing[0][0] - time.monotonic()))

    def turn(self) -> None:
        """Hear what came, send what is due, let time pass."""
        data = self.port.read() if self.port.plugged else b""
        now_s = time.monotonic()  # after the request was there: a reply never tells of a moment before it
        self.arm.advance(now_s)
        if self.port.plugged:
            requests = self._listener.hear(data, now_s)
            for request in requests:
                self._serve(request, now_s)
            if requests:
                self._quiet_from_s = now_s + _IDLE_S
            elif now_s > self._quiet_from_s:
                self._quiet_from_s = now_s + _IDLE_S
                self.port.forgive_the_dead()
        while self._outgoing and self._outgoing[0][0] <= time.monotonic():
            _, _, data, unplugs = heapq.heappop(self._outgoing)
            if self.port.plugged:
                self.port.write(data)
                if unplugs:
                    self.unplug()

    def unplug(self) -> None:
        self._outgoing.clear()
        self.port.unplug()

    def _serve(self, request: Request, now_s: float) -> None:
        baud = self.port.baud()
        byte_s = _BITS_A_BYTE / max(baud, 1)
        at_s = max(now_s, self._wire_free_s) + len(request.raw) * byte_s
        if self.faults.echoes(request):
            self._send(at_s + self._usb_s, request.raw)
        if self.faults.unplugs(request, "request"):
            self.unplug()
            return
        if not self.faults.hears(request):
            return
        hearing = [servo for servo in self.arm.on_chain() if self._hears(servo, baud)]
        for position, reply in enumerate(self.bus.answer(request, hearing, now_s)):
            at_s += reply.delay_s + len(reply.data) * byte_s
            self.reads.append(Read(now_s, reply.servo, request.register, tuple(reply.data)))
            for piece in self.faults.bend(request, reply.servo, position, reply.data):
                self._send(at_s + piece.late_s + self._usb_s, piece.data, piece.unplug)
        self._wire_free_s = at_s
        if self.faults.unplugs(request, "answered"):
            self._send(at_s + self._usb_s + _READ_S, b"", unplugs=True)

    def _hears(self, servo: Servo, baud: int) -> bool:
        return servo.baud == baud and not self.faults.silent(servo.id)

    def _send(self, at_s: float, data: bytes, unplugs: bool = False) -> None:
        self._number += 1
        heapq.heappush(self._outgoing, (at_s, self._number, data, unplugs))


class Control:
    """What a test may do to the machine, by name: one JSON object a line, answered by one."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._does: dict[str, Callable[..., Any]] = {
            name: getattr(self, name)
            for name in dir(type(self))
            if not name.startswith("_") and name != "answer"
        }

    def answer(self, line: bytes) -> bytes:
        """{"do": NAME, ...} -> {"ok": RESULT} or {"error": WHY}."""
        try:
            asked = msgspec.json.decode(line)
            result = self._does[asked.pop("do")](**asked)
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as error:
            return msgspec.json.encode({"error": f"{type(error).__name__}: {error}"}) + b"\n"
        return msgspec.json.encode({"ok": result}) + b"\n"

    # faults of the wire

    def script(self, **fault: Any) -> None:
        self._machine.faults.script(msgspec.convert(fault, Fault))

    def rates(self, **rates: Any) -> None:
        self._machine.faults.rates(msgspec.convert(rates, Rates))

    def clear(self) -> None:
        self._machine.faults.clear()

    def babble(self, data: str, count: int = 1) -> None:
        """Bytes (hex) out of nowhere, now."""
        for _ in range(count):
            self._machine._send(0.0, bytes.fromhex(data))

    def unplug(self) -> None:
        self._machine.unplug()

    def replug(self) -> None:
        self._machine.port.plug()

    # servos

    def registers(self, joint: str) -> list[int]:
        self._machine.arm.advance(time.monotonic())
        return list(self._joint(joint).servo.memory)

    def store(self, joint: str, register: str, value: int) -> None:
        """Write a register at the bench: EEPROM and live alike."""
        self._joint(joint).servo.store(Reg[register], value)

    def errors(self, joint: str, bits: int) -> None:
        """Hold error bits on."""
        servo = self._joint(joint).servo
        servo.forced_errors = bits
        servo.set_error(0)

    def reboot(self, joint: str) -> None:
        """A brown-out of one servo."""
        self._joint(joint).reboot()

    def power_cycle(self) -> None:
        self._machine.arm.power_cycle()

    def supply(self, volts: float) -> None:
        self._machine.arm.supply_v = volts

    def plug(self, joint: str) -> None:
        """Put a servo on the chain."""
        self._joint(joint).reboot()
        self._machine.arm.plugged.add(joint)

    def unplug_joint(self, joint: str) -> None:
        self._joint(joint)
        self._machine.arm.plugged.discard(joint)

    # joints

    def stick(self, joint: str, on: bool = True) -> None:
        self._joint(joint).stuck = on

    def hand(self, joint: str, value: float, over_s: float = 0.0) -> None:
        self._joint(joint)
        self._machine.arm.advance(time.monotonic())
        self._machine.arm.hold_by_hand(joint, value, over_s)

    def let_go(self, joint: str) -> None:
        self._joint(joint).hand = None

    def heat(self, joint: str, celsius: float, over_s: float = 0.0) -> None:
        """Take its temperature to so many degrees within that time."""
        held = self._joint(joint)
        held.heat = Hand(held.temperature_c, celsius, time.monotonic(), over_s)

    def cool(self, joint: str) -> None:
        self._joint(joint).heat = None

    # what there is to see

    def state(self) -> dict[str, Any]:
        """The truth: public positions, goals (counts), torque, time of the monotonic clock."""
        arm = self._machine.arm
        arm.advance(time.monotonic())
        return {
            "time_s": time.monotonic(),
            "deg": [arm.public_of(index) for index in range(6)],
            "counts": [joint.servo.get(Reg.PRESENT_POSITION) for joint in arm.joints],
            "goal": [joint.servo.get(Reg.GOAL_POSITION) for joint in arm.joints],
            "torque": [joint.servo.get(Reg.TORQUE_ENABLE) for joint in arm.joints],
            "torque_limit": [joint.servo.get(Reg.TORQUE_LIMIT) for joint in arm.joints],
            "load": [joint.servo.get(Reg.PRESENT_LOAD) for joint in arm.joints],
            "temperature": [joint.temperature_c for joint in arm.joints],
            "tripped": [joint.tripped for joint in arm.joints],
        }

    def writes(self, since_s: float = 0.0) -> list[Any]:
        return [write for write in self._machine.bus.writes if write.time_s >= since_s]

    def reads(self, since_s: float = 0.0) -> list[Any]:
        return [read for read in self._machine.reads if read.time_s >= since_s]

    def counters(self) -> dict[str, Any]:
        machine = self._machine
        return {
            "requests": machine.bus.requests,
            "ignored": machine._listener.ignored,
            "lost_bytes": machine.port.lost_bytes,
            "met": machine.faults.met,
        }

    def calibration(self) -> dict[str, Any]:
        return self._machine.arm.calibration()

    def _joint(self, name: str) -> Any:
        if name not in JOINTS:
            raise ValueError(f"no joint {name!r}; there are {', '.join(JOINTS)}")
        return self._machine.arm.joint(name)


class Answers(Protocol):
    """What a line of the control's input is answered with."""

    def answer(self, line: bytes) -> bytes: ...


def serve(
    machine: Machine,
    control: Answers | None,
    lines: int,
    answers: int,
    going: Callable[[], bool],
    ends_with_input: bool = True,
) -> None:
    """Run until `going` says no or, with `ends_with_input`, whoever writes to the descriptor `lines` closes it."""
    heard = b""
    while going():
        listening = control is not None and _may_read(lines)
        waited = [fd for fd in (lines if listening else -1, machine.port.fileno()) if fd >= 0]
        ready = select.select(waited, [], [], machine.wait_s())[0]
        machine.turn()
        if control is not None and lines in ready:
            data = os.read(lines, 65536)
            if not data and ends_with_input:
                return
            if not data:
                control = None
            *whole, heard = (heard + data).split(b"\n")
            for line in whole:
                answer = control.answer(line) if control else b""
                while answer:
                    answer = answer[os.write(answers, answer) :]


def _may_read(lines: int) -> bool:
    """Whether a read is harmless: the kernel stops a background job that reads its terminal, and the arm with it."""
    try:
        return os.tcgetpgrp(lines) == os.getpgrp()
    except OSError:
        return True  # no terminal, or none of this session
