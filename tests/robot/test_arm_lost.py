"""An arm of real servos whose port goes: stopped at once, and taken again when it is back, if it is the same."""

import numpy as np
import pytest

from tests.robot.servo_cell import START, ServoCell
from workers.model.events import GateMode, Level, LogLine


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> ServoCell:
    return ServoCell(monkeypatch)


def test_a_lost_port_stops_the_arm_at_once_and_an_acknowledgement_is_needed(cell: ServoCell) -> None:
    cell.engage()
    cell.tick(0.2, aim=np.add(START, [20.0, 0, 0, 0, 0, 0]))
    cell.arm.gone = True
    cell.tick(0.04)
    assert cell.mode is GateMode.STOPPED
    assert "/dev/ttyACM0" in cell.reason and "cut the supply" in cell.reason
    assert cell.hand == "lost"
    cell.speak(acknowledged=1)
    cell.tick(1.0)
    assert cell.mode is GateMode.STOPPED and "must come back first" in cell.said
    cell.arm.gone = False
    cell.tick(1.0)
    assert cell.mode is GateMode.STOPPED and "is back" in cell.reason and cell.hand == "holds"
    there = cell.arm.joints.copy()
    cell.tick(0.5, aim=START)
    assert np.abs(cell.arm.joints - there).max() < 0.2
    cell.speak(acknowledged=1)
    cell.tick()
    assert cell.mode is GateMode.HOLD
    cell.engage()


def test_an_arm_that_comes_back_over_a_slow_bus_is_taken_with_a_word(cell: ServoCell) -> None:
    cell.engage()
    cell.arm.gone = True
    cell.tick(0.1, aim=START)
    cell.arm.gone, cell.arm.slow = False, "the bus has become slow"
    cell.tick(1.0)
    assert "is back" in cell.reason
    slow = [each for each in cell.letters.events if isinstance(each, LogLine) and "become slow" in each.text]
    assert [each.level for each in slow] == [Level.WARNING]


def test_an_arm_that_comes_back_as_another_one_is_told_once_and_not_taken(cell: ServoCell) -> None:
    cell.engage()
    cell.arm.gone = True
    cell.tick(0.1, aim=START)
    cell.arm.gone, cell.arm.refused = False, "it is not the arm of follower.json. Exchange the ports"
    cell.tick(3.0)
    assert (
        cell.mode is GateMode.STOPPED and "not the arm of" in cell.reason and "still powered" in cell.reason
    )
    assert cell.said.count("cannot be taken again: it is not the arm of follower.json. Exchange") == 1
    cell.speak(acknowledged=1)
    cell.tick(0.1)
    assert cell.mode is GateMode.STOPPED
    cell.arm.refused = ""
    cell.tick(1.0)
    assert "is back" in cell.reason


def test_a_stop_key_pressed_while_the_port_goes_is_no_crash(cell: ServoCell) -> None:
    cell.engage()
    cell.arm.gone = True
    cell.speak(stops=1)
    cell.ask_reset()
    cell.tick(0.1)
    assert cell.mode is GateMode.STOPPED


def test_an_arm_that_goes_as_it_arrives_at_its_start_is_no_crash(
    cell: ServoCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever engages reads the arm once more."""
    engage = cell.loop._controller.engage

    def gone() -> None:
        cell.arm.gone = True
        engage()

    monkeypatch.setattr(cell.loop._controller, "engage", gone)
    cell.ask_reset()
    cell.tick(3.0)
    assert cell.arm.gone, "it arrived"
    assert cell.mode is GateMode.STOPPED and cell.hand == "lost" and cell.state["reset_done"] == 0


@pytest.mark.parametrize("at", ["write", "read"])
def test_an_arm_that_goes_again_while_it_is_taken_again_is_no_crash(
    cell: ServoCell, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell.engage()
    cell.arm.gone = True
    cell.tick(0.1)
    again = getattr(cell.arm, at)

    def goes(*goal: np.ndarray) -> object:
        cell.arm.gone |= "torque on" in cell.arm.log[-1:]
        return again(*goal)

    with monkeypatch.context() as loose:
        loose.setattr(cell.arm, at, goes)
        cell.arm.gone = False
        cell.tick(0.7)
    assert cell.arm.gone, "it was there, and went"
    assert cell.mode is GateMode.STOPPED and cell.hand == "lost"
    assert "out of reach, and is back" not in cell.said
    cell.arm.gone = False
    cell.tick(0.7)
    assert cell.hand == "holds" and "is back" in cell.reason


def test_an_arm_that_is_gone_at_the_end_is_told_of(cell: ServoCell) -> None:
    cell.engage()
    cell.arm.gone = True
    cell.loop.park()
    worst = [e for e in cell.letters.events if isinstance(e, LogLine) and e.level is Level.ERROR]
    assert "not parked" in worst[-1].text and "still powered" in worst[-1].text
    assert cell.hand == "left"
