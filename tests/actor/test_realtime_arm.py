"""The arm as the actor reaches it: what it may not drive, how long it waits, and that it lets go at once."""

import multiprocessing
import threading
import time

import numpy as np
import pytest

from workers.actor.environment import ArmUnavailable
from workers.actor.realtime import RealtimeArm
from workers.model.events import GateMode
from workers.robot.board import ARM_STATE, Board, frame_dtype

SPAWN = multiprocessing.get_context("spawn")


class Cell:
    """A board with a robot worker and a camera that a test plays."""

    def __init__(self) -> None:
        self.board = Board.create(SPAWN, {"front": (4, 6)})
        self.state = np.zeros((), ARM_STATE)
        self.frame = np.zeros((), frame_dtype(4, 6))
        self.waits = 0
        self.arm = RealtimeArm(self.board, {"front": (4, 6)}, {"front": 30.0}, self.heartbeat)
        self.tell()
        self.see()

    def heartbeat(self) -> bool:
        self.waits += 1
        self.tell()
        return True

    def tell(self, **fields: object) -> None:
        for name, value in fields.items():
            self.state[name] = value
        self.state["at_ns"] = time.monotonic_ns()
        self.board.arm.write(self.state)

    def see(self, age_s: float = 0.0) -> None:
        self.frame["captured_ns"] = time.monotonic_ns() - int(age_s * 1e9)
        self.board.frames["front"].write(self.frame)

    @property
    def target(self) -> np.void:
        read = self.board.target.read()
        assert read is not None
        target: np.void = read[1]
        return target


def test_a_lost_camera_takes_the_target_away_at_once() -> None:
    cell = Cell()
    cell.arm.send(np.ones(6))
    assert cell.target["moving"]
    cell.see(age_s=0.31)
    with pytest.raises(ArmUnavailable, match="camera front"):
        cell.arm.frames()
    assert not cell.target["moving"], "not only when it is stale"


def test_an_arm_that_nobody_may_move_is_no_arm_to_drive() -> None:
    cell = Cell()
    assert not cell.arm.problem()
    cell.tell(mode=GateMode.HOLD.value.encode(), barred=True, reason=b"first motion: look at the arm")
    assert cell.arm.problem() == "first motion: look at the arm"


def test_a_real_arm_on_its_way_is_waited_for_and_asked_for_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.actor.realtime.RESET_LIMIT_S", 0.3)
    cell = Cell()
    cell.tell(resetting=1)
    ages = []

    def arrive() -> None:
        until_s = time.monotonic() + 1.0
        while time.monotonic() < until_s:
            read = cell.board.target.read()
            if read is not None:
                ages.append(time.monotonic() - float(read[1]["at_ns"]) / 1e9)
            time.sleep(0.01)
        cell.state["reset_done"] = 1
        for _ in range(200):
            cell.see()
            time.sleep(0.01)

    other = threading.Thread(target=arrive, daemon=True)
    other.start()
    cell.arm.reset(0)
    assert np.median(ages) < 0.1
    other.join()


def test_a_reset_that_nobody_begins_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.actor.realtime.RESET_LIMIT_S", 0.1)
    with pytest.raises(ArmUnavailable, match="did not reset"):
        Cell().arm.reset(0)
