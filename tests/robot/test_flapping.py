"""Trouble that comes and goes is told when it begins and ends, then with a count every ten seconds."""

import re

import pytest

from tests.robot.servo_cell import START, ServoCell
from workers.model.events import Level
from workers.robot.flapping import WINDOW_S, Flapping


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.trouble, self.now_s = Flapping(lambda _, text: self.lines.append(text)), 100.0

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            self.now_s += 0.1
            self.trouble.pass_time(self.now_s)

    def begins(self) -> None:
        self.trouble.begins(Level.WARNING, "silent", self.now_s)

    def ends(self) -> None:
        self.trouble.ends(Level.WARNING, "back", self.now_s)


def test_what_happens_once_is_told_once_and_its_end_too() -> None:
    log = Log()
    log.begins()
    log.wait(2.0)
    log.ends()
    log.wait(30.0)
    assert log.lines == ["silent", "back"]


def test_what_lasts_is_told_to_be_over_when_it_is() -> None:
    log = Log()
    log.begins()
    log.wait(25.0)
    log.ends()
    assert log.lines == ["silent", "back"]


def test_repeats_become_a_count() -> None:
    log = Log()
    for _ in range(10):
        log.begins()
        log.wait(0.5)
        log.ends()
        log.wait(0.5)
    log.wait(2 * WINDOW_S)
    assert log.lines == ["silent", "back", "9 times more in 10 s, and is over now: silent"]


def test_after_a_quiet_time_it_is_told_at_once_again() -> None:
    log = Log()
    log.begins()
    log.ends()
    log.wait(WINDOW_S + 1.0)
    log.begins()
    assert log.lines == ["silent", "back", "silent"]


def test_an_end_that_was_not_told_is_told_later() -> None:
    log = Log()
    log.begins()
    log.ends()
    log.wait(2.0)
    log.begins()
    log.wait(WINDOW_S)
    assert log.lines[2] == "once more in 10 s, and lasts: silent"
    log.ends()
    log.wait(2 * WINDOW_S)
    assert log.lines[3:] == ["back"]


def test_servos_that_come_and_go_do_not_fill_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = ServoCell(monkeypatch)
    cell.engage()
    for _ in range(50):
        cell.arm.misses[4:] = 3
        cell.tick(0.2, aim=START)
        cell.arm.misses[:] = 0
        cell.tick(0.2, aim=START)
    cell.tick(15.0, aim=START)
    told = [line for line in cell.said.splitlines() if "no reply" in line or "answer again" in line]
    assert told[0].startswith("wrist_roll, gripper: no reply for 3 readings. ")
    assert told[1].startswith("all servos answer again")
    assert re.match(r"2[45] times more in 10 s.*wrist_roll, gripper", told[2])
    assert len(told) <= 5 and "is over now" in told[-1]
