"""The mapping wizard with a person who does as asked: what it learns reads the pad as its own mapping does."""

import random
from collections.abc import Iterator
from itertools import count

import pytest

from workers.teleop.gamepad.mapping import STICKS, Field, PadMapping, bundled, parse
from workers.teleop.gamepad.wizard import ASKS, Stage, Wizard
from workers.teleop.gamepad.write import mapping_text

LAYOUTS = [
    (name, index)
    for name, mapping in bundled().items()
    for index, report in enumerate(mapping.reports)
    if report.layout == "pad" or (report.layout == "full" and not report.shift)
]


class Person:
    """A pad as its mapping has it, in hands that take a tenth of a second to push, and tremble ten times a second."""

    def __init__(self, mapping: PadMapping, index: int, streams: bool) -> None:
        self.mapping, self.kind, self.streams = mapping, mapping.reports[index], streams
        self.rng = random.Random(1)
        self.counter = count()
        self.values = dict.fromkeys(mapping.layouts[self.kind.layout], 0.0)
        self.now_s = 0.0
        self.tremble = 0.0

    def report(self) -> bytes:
        if round(self.now_s * 100) % 10 == 0:
            self.tremble = self.rng.uniform(-0.005, 0.005)
        size = 64 if self.kind.length < 60 else self.kind.length
        size = self.kind.length if self.kind.length in (16, 17) else size
        report = bytearray(size)
        if self.kind.id is not None:
            report[0] = self.kind.id
        for name, value in self.values.items():
            field = self.mapping.layouts[self.kind.layout][name]
            share = (value + 1.0) / 2.0 + self.tremble if name in STICKS else value
            put(report, field, self.kind.shift, min(1.0, max(0.0, share)))
        if self.streams and size >= 60:
            report[40] = next(self.counter) % 256  # a clock
            report[44], report[45] = self.rng.randrange(256), self.rng.choice((0, 255))  # a gyroscope
            report[51] = (0x1F, 0x20)[self.rng.randrange(2)]  # acceleration
        return bytes(report)

    def play(self, wizard: Wizard, limit_s: float = 90.0) -> None:
        last = b""
        while wizard.stage is not Stage.DONE:
            assert self.now_s < limit_s, wizard.prompt(self.now_s)
            self.move(wizard)
            report = self.report()
            if self.streams or report != last:
                wizard.hear(report, self.now_s)
            last = report
            wizard.tick(self.now_s)
            self.now_s += 0.01

    def move(self, wizard: Wizard) -> None:
        wanted = dict.fromkeys(self.values, 0.0)
        if wizard.stage is Stage.HOLD:
            ask = ASKS[wizard.done]
            wanted[ask.name] = float(ask.sign or 1)
        for name, value in wanted.items():
            way = value - self.values[name]
            self.values[name] += max(-0.1, min(0.1, way))


def put(report: bytearray, field: Field, shift: int, share: float) -> None:
    at = field.byte + shift
    if field.mask:
        report[at] |= field.mask if share > 0.99 else 0
        return
    raw = round(field.low + share * (field.high - field.low))
    report[at : at + field.bits // 8] = raw.to_bytes(field.bits // 8, "little", signed=field.signed)


def poses() -> Iterator[dict[str, float]]:
    names = {ask.name for ask in ASKS}
    for name in sorted(names):
        yield {name: 1.0}
        if name in STICKS:
            yield {name: -1.0}
            yield {name: 0.5}
    yield {"left_x": 0.7, "left_y": -0.4, "right_y": 1.0, "right_bumper": 1.0}


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(("name", "index"), LAYOUTS)
def test_what_it_learns_reads_the_pad_as_its_mapping_does(name: str, index: int, streams: bool) -> None:
    truth = bundled()[name]
    person = Person(truth, index, streams)
    wizard = Wizard(0.0)
    person.play(wizard)
    assert person.now_s < 30.0, "the rest of the minute is for reading"
    learned = wizard.mapping(0x1234, 0x5678, "Cheap Pad")
    assert list(learned.problems()) == [] and learned.fits(0x1234, 0x5678)
    assert parse(mapping_text(learned), "written") == learned, "and it is written as it was learned"
    for pose in poses():
        person.values = dict.fromkeys(person.values, 0.0) | pose
        report = person.report()
        right, said = truth.values(report), learned.values(report)
        assert right is not None and said is not None
        for ask in ASKS:
            near = 0.06 if ask.name in STICKS else 0.34  # a long trigger's upper byte has few steps
            assert said[ask.name] == pytest.approx(right[ask.name], abs=near), (pose, ask.name)


def test_a_pad_that_streams_is_told_from_one_that_does_not() -> None:
    for streams in (False, True):
        wizard = Wizard(0.0)
        person = Person(bundled()["dualsense"], 0, streams)
        person.play(wizard)
        assert wizard.mapping(1, 2, "").streams is streams


def test_what_a_pad_does_not_have_is_skipped_and_told() -> None:
    wizard = Wizard(0.0)
    person = Person(bundled()["logitech_d"], 0, streams=True)
    while wizard.stage is not Stage.DONE:
        if wizard.stage is Stage.HOLD and ASKS[wizard.done].name == "right_y":
            wizard.skip(person.now_s)
            continue
        person.move(wizard)
        wizard.hear(person.report(), person.now_s)
        wizard.tick(person.now_s)
        person.now_s += 0.01
    assert list(wizard.mapping(1, 2, "").problems()) == ["layouts.pad lacks right_y"]


def test_a_pad_that_says_nothing_is_asked_for_a_button() -> None:
    wizard = Wizard(0.0)
    wizard.tick(5.0)
    assert wizard.stage is Stage.REST and "press any button once" in wizard.prompt(5.0)
    wizard.hear(bytes(8), 5.5)
    wizard.tick(5.6)
    assert wizard.stage is Stage.HOLD and "all the way, nothing else" in wizard.prompt(20.0)
