"""The actor's loop with a device: it begins and pauses by what the device says, and says why."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.config.effect_tools import NO_ARM, FakeDesk, small
from workers.actor.loop import ActorLoop
from workers.actor.realtime import RealtimeArm
from workers.model import events as e
from workers.model.commands import Verdict
from workers.model.orders import AnyOrder, Collect
from workers.robot.board import Board
from workers.teleop.device import DeviceWriter

CONTEXT = multiprocessing.get_context("spawn")
WITHIN_S = 40.0


class Pad:
    """Writes what `says` does, a hundred times a second, as a device's worker."""

    def __init__(self, board: Board) -> None:
        self.writer = DeviceWriter(board.teleop, "gamepad")
        self.says: Callable[[], None] = lambda: None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def held(self) -> None:
        self.writer.write(True, np.array([0.5, 0.0, 0.0]))

    def free(self) -> None:
        self.writer.write(False, np.zeros(3))

    def _run(self) -> None:
        while not self._ended.wait(0.01):
            self.says()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()


@pytest.fixture
def board() -> Board:
    return Board.create(CONTEXT, {})


@pytest.fixture
def pad(board: Board) -> Iterator[Pad]:
    made = Pad(board)
    yield made
    made.close()


def play(folder: Path, board: Board, scenes: list[Callable[[FakeDesk], bool]]) -> FakeDesk:
    """Run an actor of demonstrations on a point in a plane; each scene goes on until it is true."""
    until_s = time.monotonic() + WITHIN_S
    left = list(scenes)

    def going() -> bool:
        assert time.monotonic() < until_s, desk.mailbox.events[-10:]
        while left and left[0](desk):
            left.pop(0)
        return bool(left)

    config = small(folder, {**NO_ARM, "env.teleop.type": "gamepad"})
    orders: list[AnyOrder] = [Collect(e.EpisodeKind.DEMONSTRATION, 0)]
    desk = FakeDesk(orders, going)
    loop = ActorLoop(desk, config, board)  # type: ignore[arg-type]
    loop.run()
    loop.close()
    return desk


def pauses(desk: FakeDesk) -> list[str]:
    return [event.reason for event in desk.mailbox.of(e.PauseChanged)]


def begins(pad: Pad, says: Callable[[], None]) -> Callable[[FakeDesk], bool]:
    def scene(desk: FakeDesk) -> bool:
        pad.says = says
        return True

    return scene


def test_the_trigger_begins_a_demonstration_and_a_pulled_plug_pauses_it(
    tmp_path: Path, board: Board, pad: Pad
) -> None:
    steps: list[int] = []

    def driven(desk: FakeDesk) -> bool:
        taken = [event for event in desk.mailbox.of(e.StepTaken) if event.driver is e.Driver.HUMAN]
        steps.append(len(taken))
        return len(taken) >= 3

    def driven_again(desk: FakeDesk) -> bool:
        return len(desk.mailbox.of(e.EpisodeStarted)) > 1

    desk = play(
        tmp_path,
        board,
        [
            lambda desk: (
                pauses(desk)[-1:] == ["gamepad gone: its worker is not ready; space takes it by keys"]
            ),
            begins(pad, pad.free),
            lambda desk: pauses(desk)[-1:] == [""],
            lambda desk: any("trigger" in event.reason for event in desk.mailbox.of(e.DriverChanged)),
            begins(pad, pad.held),
            driven,
            begins(pad, lambda: pad.writer.gone("unplugged")),
            lambda desk: pauses(desk)[-1:] == ["gamepad gone: unplugged; space takes it by keys"],
            begins(pad, pad.held),
            driven_again,
        ],
    )
    ended = desk.mailbox.of(e.EpisodeEnded)[0]
    assert ended.ended_by is e.EndedBy.STOP and ended.steps_by_human == ended.steps
    seat = [event.taken for event in desk.mailbox.of(e.SeatChanged)]
    assert seat == [True, False, True], "the hand on the trigger, and the plug that came out"


def test_a_press_on_the_device_ends_the_episode_as_the_key_does(
    tmp_path: Path, board: Board, pad: Pad
) -> None:
    def press(desk: FakeDesk) -> bool:
        pad.writer.press(Verdict.FAILURE)
        return True

    desk = play(
        tmp_path,
        board,
        [
            begins(pad, pad.held),
            lambda desk: len(desk.mailbox.of(e.StepTaken)) >= 2,
            press,
            lambda desk: len(desk.mailbox.of(e.EpisodeEnded)) == 1,
        ],
    )
    assert desk.mailbox.of(e.EpisodeEnded)[0].ended_by is e.EndedBy.FAILURE


def test_a_leader_arms_worker_is_told_that_a_person_drives(board: Board) -> None:
    arm = RealtimeArm(board, {}, {}, lambda: True)
    told = []
    for human in (True, True, False):
        arm.seat(human)
        read = board.target.read()
        assert read is not None
        told.append((read[0], bool(read[1]["human"]), bool(read[1]["moving"])))
    assert [human for _, human, _ in told] == [True, True, False]
    assert told[0][0] == told[1][0], "once"
    assert not any(moving for _, _, moving in told), "which moves nothing"
