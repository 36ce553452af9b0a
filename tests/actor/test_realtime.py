"""The arm as the actor reaches it through shared memory: a reset ends when it is done, or when nobody wants it."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from tests.altered import altered
from tests.config.effect_tools import FakeDesk
from workers.actor.environment import ArmUnavailable
from workers.actor.loop import ActorLoop
from workers.actor.realtime import RealtimeArm
from workers.model.commands import Intervene, Pause
from workers.model.events import EpisodeEnded, EpisodeKind, GateMode
from workers.model.orders import AnyOrder, Collect, Operate
from workers.robot.board import ARM_STATE, Board, frame_dtype

CONTEXT = multiprocessing.get_context("spawn")
SIZE = (128, 128)


class Robot:
    """A robot worker with its cameras; the test makes it say how far it is."""

    def __init__(self, *cameras: str) -> None:
        self.board = Board.create(CONTEXT, dict.fromkeys(cameras, SIZE))
        self.state, self.frame = np.zeros((), ARM_STATE), np.zeros((), frame_dtype(*SIZE))
        self.say(done=0)

    def say(self, done: int) -> None:
        now_ns = time.monotonic_ns()
        self.state["at_ns"] = self.frame["captured_ns"] = now_ns
        self.state["mode"] = GateMode.HOLD.value.encode()
        self.state["reset_done"] = done
        self.board.arm.write(self.state)
        for block in self.board.frames.values():
            block.write(self.frame)

    @property
    def asked(self) -> np.void | None:
        """What the actor wrote last."""
        read = self.board.target.read()
        return None if read is None else read[1]


def test_a_reset_is_over_when_it_is_done_and_seen() -> None:
    robot, beats = Robot("front"), iter([0, 0, 1, 1])

    def heartbeat() -> bool:
        robot.say(done=next(beats, 1))
        return True

    RealtimeArm(robot.board, {"front": SIZE}, {"front": 30.0}, heartbeat).reset(7)
    assert robot.asked is not None
    assert (robot.asked["reset_wanted"], robot.asked["reset_seed"]) == (1, 7)
    assert next(beats, None) is None, "the picture is one of after the reset"


def test_a_reset_that_is_broken_off_is_taken_back_at_once() -> None:
    """The robot worker carries out no wish that is old, and an arm on its way holds where nobody renews it."""
    robot, beats = Robot("front"), iter([True, True, False])

    def heartbeat() -> bool:
        robot.say(done=0)
        assert robot.asked is not None and robot.asked["at_ns"] > 0
        return next(beats)

    with pytest.raises(ArmUnavailable, match="broken off"):
        RealtimeArm(robot.board, {"front": SIZE}, {"front": 30.0}, heartbeat).reset(7)
    assert robot.asked is not None and robot.asked["at_ns"] == 0 and not robot.asked["moving"]


def test_a_rest_is_asked_for_as_such_and_needs_no_picture() -> None:
    robot, beats = Robot(), iter([0, 0, 1])

    def heartbeat() -> bool:
        assert robot.asked is not None and robot.asked["to_rest"] and robot.asked["reset_wanted"] == 1
        robot.say(done=next(beats, 1))
        return True

    arm = RealtimeArm(robot.board, {}, {}, heartbeat)
    arm.rest()
    assert next(beats, None) is None
    assert robot.asked is not None and robot.asked["at_ns"] == 0, "nothing is asked for any more"


class PausingDesk(FakeDesk):
    """The operator begins a demonstration, and pauses while the arm is on its way to its start."""

    def __init__(self, robot: Robot) -> None:
        orders = [Operate(Intervene(True)), Collect(EpisodeKind.DEMONSTRATION, 1)]
        super().__init__(orders, lambda: not self.mailbox.of(EpisodeEnded))
        self._robot, self._pauses = robot, iter([Operate(Pause(True))])

    def next_order(self, timeout_s: float = 0.0) -> AnyOrder | None:
        self._robot.say(done=0)
        on_its_way = self._robot.asked is not None and self._robot.asked["reset_wanted"] == 1
        return super().next_order() or (next(self._pauses, None) if on_its_way else None)


def test_a_pause_on_the_way_to_the_start_holds_the_arm_there(tmp_path: Path) -> None:
    config = altered({"run.directory": str(tmp_path)})
    robot = Robot(*config.env.cameras)
    loop = ActorLoop(PausingDesk(robot), config, robot.board)  # type: ignore[arg-type]
    started_s = time.monotonic()
    loop.run()
    assert robot.asked is not None and robot.asked["at_ns"] == 0
    loop.close()
    assert time.monotonic() - started_s < 8.0, "and did not wait for a reset that never comes"
