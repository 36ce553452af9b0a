"""The arm behind shared memory: no picture is two observations, and one that is old or frozen is none."""

import multiprocessing
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from workers.actor.environment import ArmUnavailable
from workers.actor.realtime import RealtimeArm
from workers.model.events import GateMode
from workers.robot.board import ARM_STATE, Board, frame_dtype

CONTEXT = multiprocessing.get_context("spawn")
SHAPES = {"front": (4, 6), "wrist": (4, 6)}


class Bench:
    """A board with an arm and two cameras; `shoot` is what a camera worker does."""

    def __init__(self, hz: float = 30.0) -> None:
        self.board = Board.create(CONTEXT, SHAPES)
        self.breaths = 0
        self.robot_lives = True
        self.alive = True
        self.arm = RealtimeArm(self.board, SHAPES, dict.fromkeys(SHAPES, hz), self._breathe)
        self.move()

    def _breathe(self) -> bool:
        self.breaths += 1
        if self.robot_lives:
            self.move()
        return self.alive

    def move(self) -> None:
        state = np.zeros((), ARM_STATE)
        state["at_ns"], state["mode"] = time.monotonic_ns(), GateMode.ENGAGED.value.encode()
        self.board.arm.write(state)

    def shoot(
        self,
        *cameras: str,
        value: int = 0,
        flaw: bytes = b"",
        age_s: float = 0.0,
        changed_ns: int | None = None,
    ) -> None:
        for name in cameras or SHAPES:
            record = np.zeros((), frame_dtype(*SHAPES[name]))
            record["captured_ns"] = time.monotonic_ns() - round(age_s * 1e9)
            record["changed_ns"] = record["captured_ns"] if changed_ns is None else changed_ns
            record["flaw"], record["pixels"] = flaw, value
            self.board.frames[name].write(record)


def later(seconds: float, what: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, what)
    timer.start()
    return timer


def test_a_picture_is_given_once_and_the_next_one_is_waited_for() -> None:
    bench = Bench()
    bench.shoot(value=1)
    assert bench.arm.frames()["front"][0, 0, 0] == 1
    timer = later(0.05, lambda: bench.shoot(value=2))
    pictures = bench.arm.frames()
    timer.join()
    assert {int(picture[0, 0, 0]) for picture in pictures.values()} == {2}
    assert bench.breaths > 0, "the station sees a living actor meanwhile"


def test_a_camera_that_is_lost_ends_the_wait_after_its_limit() -> None:
    bench = Bench()
    bench.shoot()
    bench.arm.frames()
    began_s = time.monotonic()
    with pytest.raises(ArmUnavailable, match=r"camera front: no frame for more than 0\.3 s"):
        bench.arm.frames()
    assert time.monotonic() - began_s > 0.25


def test_a_simulated_camera_that_stands_still_with_the_simulator_is_not_what_ended_the_episode() -> None:
    """A killed robot worker: the cameras of the simulator have nothing new to draw, and no fault of their own."""
    bench = Bench()
    bench.shoot()
    bench.arm.frames()
    bench.robot_lives = False
    with pytest.raises(ArmUnavailable, match="the robot worker gave no arm state"):
        bench.arm.frames()


def test_pictures_that_only_repeat_one_are_no_new_observation() -> None:
    bench = Bench()
    bench.shoot(changed_ns=7)
    bench.arm.frames()
    bench.shoot(changed_ns=7)
    timer = later(0.1, lambda: bench.shoot(changed_ns=7, flaw=b"frozen"))
    with pytest.raises(ArmUnavailable, match="camera front: frozen"):
        bench.arm.frames()
    timer.join()


def test_a_slow_camera_may_be_three_of_its_pictures_late() -> None:
    bench = Bench(hz=5.0)
    bench.shoot(age_s=0.4)
    assert bench.arm.frames()
    bench.shoot(age_s=0.7)
    with pytest.raises(ArmUnavailable, match=r"more than 0\.6 s"):
        bench.arm.frames()


@pytest.mark.parametrize(("flaw", "words"), [(b"black", "black: is it covered"), (b"bright", "all white")])
def test_a_camera_that_sees_nothing_keeps_an_episode_from_beginning_and_ends_none(
    flaw: bytes, words: str
) -> None:
    bench = Bench()
    bench.shoot("front")
    bench.shoot("wrist", flaw=flaw)
    assert bench.arm.problem().startswith(f"camera wrist: {words}")
    assert bench.arm.frames()["wrist"].shape == (4, 6, 3)


def test_looking_for_problems_uses_no_picture_up() -> None:
    bench = Bench()
    bench.shoot()
    assert [bench.arm.problem(), bench.arm.problem()] == ["", ""]
    assert bench.arm.frames()


def test_a_run_that_ends_waits_for_no_picture() -> None:
    bench = Bench()
    bench.shoot()
    bench.arm.frames()
    bench.alive = False
    with pytest.raises(ArmUnavailable, match="stopping"):
        bench.arm.frames()
