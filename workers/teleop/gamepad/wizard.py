"""Wizard: learns the mapping of an unknown pad by asking for one control after another. Pure: reports and time in.

What is learned are single bytes and bits: of a number of 16 bits the upper byte is enough for a hand. A stick's byte
that rests next to 0 is the upper one of a signed number, where 255 is next to 0.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise

from workers.teleop.gamepad.mapping import Button, Field, Pad, PadMapping, Report, Stick

REST_S = 3.0
STEADY_S = 0.5  # a control that is held for so long was meant
BACK_S = 0.3
HINT_S = 10.0
FAR = 64  # of 256: a stick that is pushed all the way
NEAR = 16  # a stick at rest trembles less
STICK_FIRST = 0x40  # a first byte below is the number of the report: a stick at rest is near 128
STREAM_GAP_S = 0.05  # reports that never kept one waiting for longer: the pad sends them whatever happens


@dataclass(frozen=True, slots=True)
class Ask:
    """One control, pushed or held."""

    name: Stick | Button
    words: str
    sign: int = 0  # +1 and -1: the two ends of a stick; 0: a button or trigger


ASKS = (
    Ask("left_x", "push the left stick RIGHT, all the way, and hold it", 1),
    Ask("left_x", "push the left stick LEFT, and hold it", -1),
    Ask("left_y", "push the left stick UP (away from you), and hold it", 1),
    Ask("left_y", "push the left stick DOWN, and hold it", -1),
    Ask("right_y", "push the right stick UP, and hold it", 1),
    Ask("right_y", "push the right stick DOWN, and hold it", -1),
    Ask("right_bumper", "hold the UPPER RIGHT button at the pad's back: it will take the arm"),
    Ask("left_trigger", "hold the LOWER LEFT trigger, all the way: it will close the gripper"),
    Ask("right_trigger", "hold the LOWER RIGHT trigger, all the way: it will open the gripper"),
    Ask("north", "of the four buttons at the right, hold the UPPER one (Y, triangle): success"),
    Ask("south", "hold the LOWER one (A, cross): failure"),
    Ask("west", "hold the LEFT one (X, square): record again"),
)


class Stage(Enum):
    REST = auto()  # the pad in the hand, no control touched
    HOLD = auto()
    BACK = auto()  # the control let go
    DONE = auto()


class Wizard:
    """Feed it reports (`hear`) and time (`tick`); show `prompt` until `stage` is DONE, then take `mapping`."""

    def __init__(self, now_s: float) -> None:
        self.stage = Stage.REST
        self._since_s = now_s
        self._index = 0
        self._heard: list[bytes] = []
        self._heard_s = self._longest_gap_s = 0.0
        self._bytes = _Bytes()
        self._length = 0
        self._number: int | None = None  # that the reports begin with
        self._fields: dict[Stick | Button, Field] = {}
        self._ends: dict[Stick | Button, tuple[int, int]] = {}  # byte, value at +1
        self._found: Field | None = None

    @property
    def done(self) -> int:
        """How many controls are learned, of `len(ASKS)`."""
        return self._index

    def prompt(self, now_s: float) -> str:
        """What the person is to do now."""
        late = now_s - self._since_s > HINT_S
        match self.stage:
            case Stage.REST:
                hint = " (nothing comes from the pad yet: press any button once, and let go)"
                text = "take the pad in your hands and move it a little, touching no stick and no button"
                return text + (hint if not self._heard and now_s - self._since_s > 1.0 else "")
            case Stage.HOLD:
                hint = " (not recognised yet: all the way, nothing else, and hold still; s skips it)"
                return ASKS[self._index].words + (hint if late else "")
            case Stage.BACK:
                return "let go" + (" (it is not back where it was)" if late else "")
        return "that is all"

    def hear(self, report: bytes, now_s: float) -> None:
        """A report of the pad."""
        if self._heard:
            self._longest_gap_s = max(self._longest_gap_s, now_s - self._heard_s)
        self._heard_s = now_s
        if self.stage is Stage.REST:
            self._heard.append(report)
        elif len(report) == self._length and self._number in (None, report[0]):
            self._bytes.hear(report, now_s)

    def tick(self, now_s: float) -> None:
        """Time passed."""
        match self.stage:
            case Stage.REST:
                if self._heard and now_s - self._since_s >= REST_S:
                    self._learn_rest(now_s)
            case Stage.HOLD:
                self._found = self._held(ASKS[self._index], now_s)
                if self._found is not None:
                    self._enter(Stage.BACK, now_s)
            case Stage.BACK:
                if self._is_back(now_s):
                    self._keep(now_s)

    def skip(self, now_s: float) -> None:
        """The pad has no such control; a stick's other end is left out with it."""
        if self.stage in (Stage.HOLD, Stage.BACK):
            name = ASKS[self._index].name
            self._ends.pop(name, None)
            while self._index < len(ASKS) and ASKS[self._index].name == name:
                self._index += 1
            self._enter(Stage.HOLD if self._index < len(ASKS) else Stage.DONE, now_s)

    def mapping(self, vendor: int, product: int, name: str) -> PadMapping:
        """What was learned; `problems` of it tells what was skipped and is needed."""
        length = max((field.end for field in self._fields.values()), default=1)
        return PadMapping(
            name=name or f"{vendor:04x}:{product:04x}",
            source="learned by hilserl-worker map-gamepad",
            pads=(Pad(vendor=vendor, product=product),),
            reports=(Report(layout="pad", id=self._number, length=length),),
            layouts={"pad": self._fields},
            streams=self._longest_gap_s < STREAM_GAP_S,
        )

    def _enter(self, stage: Stage, now_s: float) -> None:
        self.stage, self._since_s = stage, now_s

    def _learn_rest(self, now_s: float) -> None:
        """The kind of report that comes most, and what its bytes do by themselves."""
        (length, first), _ = Counter((len(report), report[0]) for report in self._heard).most_common(1)[0]
        self._length, self._number = length, first if 0 < first < STICK_FIRST else None
        same = [
            report
            for report in self._heard
            if len(report) == length and (self._number is None or report[0] == first)
        ]
        self._bytes.rest(same, now_s, skip=self._number is not None)
        self._enter(Stage.HOLD, now_s)

    def _held(self, ask: Ask, now_s: float) -> Field | None:
        taken = {field.byte for field in self._fields.values() if not field.mask}
        if ask.sign == 0:
            return self._bytes.button(taken, now_s)
        end = self._ends.get(ask.name)
        if ask.sign > 0 or end is None:
            byte = self._bytes.furthest(taken, now_s, self._bytes.away)
            return None if byte is None else Field(byte=byte)
        byte, high = end
        away, before = self._bytes.away(byte), self._bytes.away(byte, high)
        opposite = self._bytes.steady(byte, now_s) and abs(away) >= FAR and (away > 0) != (before > 0)
        return Field(byte=byte) if opposite else None

    def _is_back(self, now_s: float) -> bool:
        assert self._found is not None
        if self._found.mask:
            return not self._bytes.now[self._found.byte] & self._found.mask
        byte = self._found.byte
        away = self._bytes.away(byte) if ASKS[self._index].sign else self._bytes.pulled(byte)
        return abs(away) < NEAR and self._bytes.steady(byte, now_s, BACK_S)

    def _keep(self, now_s: float) -> None:
        ask, found = ASKS[self._index], self._found
        assert found is not None
        if ask.sign == 0:
            self._fields[ask.name] = found
        elif ask.sign > 0:
            self._ends[ask.name] = (found.byte, self._bytes.furthest_value(found.byte))
        else:
            byte, high = self._ends[ask.name]
            self._fields[ask.name] = _stick(
                byte, self._bytes.middle[byte], self._bytes.furthest_value(byte), high
            )
        self._index += 1
        self._bytes.forget()
        self._enter(Stage.HOLD if self._index < len(ASKS) else Stage.DONE, now_s)


class _Bytes:
    """What every byte of a report does: at rest, and now."""

    def __init__(self) -> None:
        self.middle: list[int] = []
        self.now = b""
        self._from = 0  # the byte behind a report's number
        self._range: list[int] = []  # how far it went by itself
        self._span: list[int] = []  # the same, not round the circle
        self._changed_s: list[float] = []  # when it moved
        self._touched_s: list[float] = []  # when it was another, however little
        self._extreme: dict[int, int] = {}
        self._way: list[deque[int]] = []  # the values of a pull, to see whether it went one way

    def rest(self, reports: list[bytes], now_s: float, skip: bool) -> None:
        """Learn from reports of a pad that nobody uses; `skip` the number that they begin with."""
        self._from = int(skip)
        first = reports[-1]
        away = [[_round(report[at] - first[at]) for report in reports] for at in range(len(first))]
        self.middle = list(first)
        self._range = [max(ways) - min(ways) for ways in away]
        self._span = [max(values) - min(values) for values in zip(*reports, strict=True)]
        self.now, self._changed_s, self._touched_s = first, [now_s] * len(first), [now_s] * len(first)
        self.forget()

    def hear(self, report: bytes, now_s: float) -> None:
        for at, value in enumerate(report):
            if abs(_round(value - self.now[at])) > 2:
                self._changed_s[at] = now_s
            if value != self.now[at]:
                self._touched_s[at] = now_s
            if abs(self.away(at, value)) > abs(self.away(at, self.furthest_value(at))):
                self._extreme[at] = value
            if not self._way[at] or self._way[at][-1] != value:
                self._way[at].append(value)
        self.now = report

    def forget(self) -> None:
        """The next control is asked for."""
        self._extreme = {}
        self._way = [deque(maxlen=256) for _ in self.middle]

    def steady(self, at: int, now_s: float, for_s: float = STEADY_S) -> bool:
        return now_s - self._changed_s[at] >= for_s

    def away(self, at: int, value: int | None = None) -> int:
        """How far a stick's byte is (or would be with `value`) from where it rests."""
        value, middle = self.now[at] if value is None else value, self.middle[at]
        return _round(value) - _round(middle) if abs(_round(middle)) <= NEAR else value - middle

    def pulled(self, at: int) -> int:
        """How far a trigger's byte is from where it rests."""
        return self.now[at] - self.middle[at]

    def furthest_value(self, at: int) -> int:
        """Where a stick was at the end of its way."""
        return self._extreme.get(at, self.middle[at])

    def furthest(self, taken: set[int], now_s: float, away: Callable[[int], int]) -> int | None:
        """The byte that is held furthest from where it rests."""
        far = [
            at
            for at in range(self._from, len(self.now))
            if at not in taken and self._range[at] <= NEAR and abs(away(at)) >= FAR and self.steady(at, now_s)
        ]
        # Of a number of 16 bits the upper byte, which comes last, moves as far as the lower one.
        return max(far, key=lambda at: (self._goes_one_way(at), abs(away(at)), at), default=None)

    def button(self, taken: set[int], now_s: float) -> Field | None:
        """One bit more than at rest; of a trigger without one, a number that went one way.

        The upper byte of a trigger's ten bits has two bits more, of which the greater is half the way.
        """
        for bits in (1, 2):
            for at in range(self._from, len(self.now)):
                new = self.now[at] & ~self.middle[at]
                only = self.now[at] == self.middle[at] | new and new.bit_count() == bits
                still = self._span[at] == 0 and now_s - self._touched_s[at] >= STEADY_S
                if only and still and at not in taken and len(self._way[at]) <= 4:
                    return Field(byte=at, mask=1 << (new.bit_length() - 1))
        pulled = self.furthest(taken, now_s, self.pulled)
        if pulled is None or self._span[pulled] > NEAR or not self._goes_one_way(pulled):
            return None
        return Field(byte=pulled, low=self.middle[pulled], high=self.now[pulled])

    def _goes_one_way(self, at: int) -> bool:
        """Whether its values rose, or fell, without turning; the lower byte of a longer number turns often."""
        steps = [b - a for a, b in pairwise(self._way[at]) if abs(b - a) > 4]
        return all(step > 0 for step in steps) or all(step < 0 for step in steps)


def _round(difference: int) -> int:
    """A difference of bytes round the circle, -128 to 127."""
    return (difference + 128) % 256 - 128


def _stick(byte: int, middle: int, low: int, high: int) -> Field:
    """A stick's field; one that rests next to 0 is the upper byte of a signed number."""
    if abs(_round(middle)) > NEAR:
        return Field(byte=byte, low=low, high=high)
    return Field(byte=byte, signed=True, low=_round(low), high=_round(high))
