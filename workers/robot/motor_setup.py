"""Giving six servos their ids: one is plugged in at a time, so that no id is ever there twice.

A servo comes out of its bag with any id and any baud rate. It ends with its joint's id at 1 Mbaud. What is done is
seen from the servos themselves, so that a set-up that was broken off goes on where it was.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from workers.robot.bus import BAUDS, Bus, BusCorrupt, BusTimeout
from workers.robot.bus.bus import PING_ALL_S
from workers.robot.drivers import sts3215 as sts
from workers.robot.drivers.sts3215 import Register
from workers.robot.figures import JOINT_NAMES
from workers.robot.scan import ARM_IDS, Found, is_there, look_at, scan, set_baud

ORDER: Final = tuple(reversed(ARM_IDS))
"""Gripper first, as in LeRobot."""
TRIES: Final = 4
_BAUD_CODE: Final = 0  # 1 Mbaud
_ABSENT: Final = (
    "nobody answers: its plug is loose, or it has another id, since another servo was plugged in at its turn. "
    "`hilserl-worker scan-arm` lists all there are; `setup-motors`, begun again, goes on with this one"
)


class SetupFailed(Exception):
    """A servo did not take its id; the text is for the operator."""


class Verdict(StrEnum):
    """What is to be done with what is plugged in."""

    NONE = "none"  # nobody answers
    SEVERAL = "several"
    UNREADABLE = "unreadable"
    STRANGER = "stranger"  # another model
    DONE_BEFORE = "done before"  # it has the id of a joint that is done: is it that one, still plugged in?
    READY = "ready"  # it has its id and baud rate already
    NEW = "new"  # to be set


@dataclass(frozen=True, slots=True)
class Judgement:
    """One look at the bus, and what it means for the joint whose turn it is."""

    verdict: Verdict
    text: str
    servo: Found | None = None


@dataclass(slots=True)
class MotorSetup:
    """Whose turn it is. What was found goes in, what to say and to do comes out; no bus here."""

    done: set[int] = field(default_factory=set)

    @property
    def next_id(self) -> int | None:
        """The id that the next servo gets; None when all have theirs."""
        return next((each for each in ORDER if each not in self.done), None)

    @property
    def prompt(self) -> str:
        servo_id = self.next_id
        if servo_id is None:
            return "All six have their ids. Plug the whole chain together, then press Enter to check it."
        return (
            f"Plug in the servo of {joint_of(servo_id)}, and no other: take the cable out of all others. "
            "Then press Enter."
        )

    def resume(self, found: Iterable[Found]) -> None:
        """Take for done what is on the bus with an id of its own: a chain that was half set up."""
        found = list(found)
        if len(found) < 2:
            return  # a single servo may have any id from its bag
        ids = [each.servo_id for each in found]
        self.done |= {
            each.servo_id
            for each in found
            if each.sound
            and each.baud == BAUDS[0]
            and each.servo_id in ARM_IDS
            and ids.count(each.servo_id) == 1
        }

    def judge(self, found: Iterable[Found]) -> Judgement:
        """What to do with the servos that were found."""
        found, wanted = list(found), self.next_id
        assert wanted is not None, "all are done"
        if not found:
            return Judgement(
                Verdict.NONE,
                "no servo answers at any baud rate: is the supply on, and the cable in this servo and in the board?",
            )
        if len(found) > 1:
            ids = ", ".join(str(each.servo_id) for each in found)
            return Judgement(
                Verdict.SEVERAL,
                f"several servos answer (id {ids}): only that of {joint_of(wanted)} may be plugged in",
            )
        (servo,) = found
        if servo.unreadable:
            return Judgement(Verdict.UNREADABLE, f"id {servo.servo_id}: {servo.unreadable}", servo)
        if not servo.sound:
            text = f"it is a model {servo.model}, not an STS3215 ({sts.MODEL}): that is no servo of this arm"
            return Judgement(Verdict.STRANGER, text, servo)
        if servo.servo_id == wanted and servo.baud == BAUDS[0]:
            return Judgement(Verdict.READY, f"{joint_of(wanted)} has id {wanted} already", servo)
        if servo.servo_id in self.done and servo.baud == BAUDS[0]:
            text = (
                f"this servo has id {servo.servo_id}, which {joint_of(servo.servo_id)} has: is it still that one? "
                f"Plug in that of {joint_of(wanted)}. If it is another one that has this id from its bag, type f and "
                "Enter"
            )
            return Judgement(Verdict.DONE_BEFORE, text, servo)
        return Judgement(
            Verdict.NEW, f"found id {servo.servo_id} at {servo.baud} baud: it becomes id {wanted}", servo
        )

    def finish(self, servo_id: int) -> None:
        self.done.add(servo_id)


def give_id(bus: Bus, servo: Found, servo_id: int) -> None:
    """Make the one servo on the bus `servo_id` at 1 Mbaud, and see that it is. Raises SetupFailed and BusGone.

    Whoever breaks this off half-way finds the servo again with either id at either rate: it is the only one.
    """
    set_baud(bus, servo.baud)
    now = servo.servo_id
    _write(bus, now, sts.LOCK, 0)
    if now != servo_id:
        _write(bus, now, sts.ID, servo_id)
        if not _says(bus, servo_id, sts.ID, servo_id):
            raise SetupFailed(f"the servo keeps id {now}: switch its supply off and on, then try again")
        _write(bus, servo_id, sts.LOCK, 0)
    if servo.baud != BAUDS[0]:
        _write(bus, servo_id, sts.BAUD_RATE, _BAUD_CODE)
        set_baud(bus, BAUDS[0])
    _write(bus, servo_id, sts.LOCK, 1)
    checks = ((sts.ID, servo_id), (sts.BAUD_RATE, _BAUD_CODE), (sts.LOCK, 1))
    for register, value in checks:
        if not _says(bus, servo_id, register, value):
            raise SetupFailed(
                f"the servo did not take {register.name} = {value}: switch its supply off and on, then try again"
            )


def whole_chain(bus: Bus, tell: Callable[[Found], None]) -> list[str]:
    """Look at ids 1 to 6 of the chain; what is wrong, empty when all six are there once. Raises BusGone."""
    set_baud(bus, BAUDS[0])
    wrong = []
    for servo_id in ARM_IDS:
        if not any(is_there(bus, servo_id) for _ in range(TRIES)):
            wrong.append(f"{joint_of(servo_id)} (id {servo_id}): {_ABSENT}")
            continue
        found = look_at(bus, servo_id)
        if found.sound:
            tell(found)
        else:
            wrong.append(
                f"{joint_of(servo_id)} (id {servo_id}): {found.unreadable or f'model {found.model}'}"
            )
    return wrong


def find_all(bus: Bus, tell: Callable[[str], None], call_s: float = PING_ALL_S) -> list[Found]:
    """All servos at all baud rates, with words of progress. Raises BusGone."""
    found = []
    for each in scan(bus, call_s=call_s):
        if isinstance(each, Found):
            found.append(each)
        elif each.done < each.total:
            tell(f"looking at {each.baud} baud ({each.done + 1} of {each.total})")
    return found


def joint_of(servo_id: int) -> str:
    return JOINT_NAMES[servo_id - 1]


def _write(bus: Bus, servo_id: int, register: Register, value: int) -> None:
    """Write without believing the answer: of a new id or rate it may come from either side of the change."""
    for _ in range(TRIES):
        try:
            bus.write(servo_id, register.address, register.encode(value))
            return
        except (BusTimeout, BusCorrupt):
            if register in (sts.ID, sts.BAUD_RATE):
                return  # done, perhaps; reading back tells


def _says(bus: Bus, servo_id: int, register: Register, value: int) -> bool:
    for _ in range(TRIES):
        try:
            return register.decode(bus.read(servo_id, register.address, register.size).data) == value
        except (BusTimeout, BusCorrupt):
            continue
    return False
