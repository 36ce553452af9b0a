"""The guardian: whose arm it takes, when, and how it gives it back. The port is played; tests/slow has a real one."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workers.model.events import Event, LogLine
from workers.robot import guardian as guardian_module
from workers.robot.board import LIFELINE, Board, Hand
from workers.robot.bus import BusGone
from workers.robot.guardian import Guardian
from workers.robot.lifeline import Lifeline, guarded_now
from workers.runtime.harness import Desk
from workers.runtime.shared import Beat

SPAWN = multiprocessing.get_context("spawn")


class PlayedPort:
    """Stands for the frozen arm."""

    opened: list["PlayedPort"] = []
    gone = False
    frozen_ids = (1, 2, 3, 4, 5, 6)

    def __init__(self, port: str) -> None:
        if PlayedPort.gone:
            raise BusGone(f"no serial port {port}")
        self.open = True
        PlayedPort.opened.append(self)

    def close(self) -> None:
        self.open = False


class Letters:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def next_order(self, timeout_s: float = 0.0) -> None:
        return None


class Post:
    """A guardian and a worker, a process that only lives, whose lifeline the test writes."""

    def __init__(self) -> None:
        self.board, self.letters = Board.create(SPAWN, {}), Letters()
        self.desk = Desk("guardian", Path("."), self.letters, Beat(SPAWN))  # type: ignore[arg-type]
        self.desk.station_pid = os.getppid()
        self.guardian = Guardian(self.desk, "/dev/arm", self.board)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.start_worker()

    def start_worker(self) -> None:
        self.workers.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))

    def live(self, hand: Hand, age_s: float = 0.0) -> None:
        line = np.zeros((), LIFELINE)
        line["pid"], line["hand"] = self.workers[-1].pid, hand.encode()
        line["at_ns"] = time.monotonic_ns() - int(age_s * 1e9)
        self.board.lifeline.write(line)
        self.guardian.look()

    def kill(self) -> None:
        self.workers[-1].kill()
        self.workers[-1].wait()

    @property
    def holding(self) -> bool:
        self.guardian.look()
        guarded = guarded_now(self.board)
        assert guarded is not None
        return bool(guarded["holding"])

    @property
    def said(self) -> str:
        return "\n".join(event.text for event in self.letters.events if isinstance(event, LogLine))


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    monkeypatch.setattr(guardian_module, "Frozen", PlayedPort)
    PlayedPort.opened, PlayedPort.gone = [], False
    post = Post()
    yield post
    for worker in post.workers:
        worker.kill()
        worker.wait()


def test_a_living_worker_keeps_its_arm(post: Post) -> None:
    for hand in Hand:
        post.live(hand)
        assert not post.holding
    assert not PlayedPort.opened


def test_a_dead_workers_arm_is_held_and_that_is_said(post: Post) -> None:
    post.live(Hand.HOLDS)
    post.kill()
    assert post.holding and PlayedPort.opened[0].open
    assert "robot worker died" in post.said and "40 % torque" in post.said


@pytest.mark.parametrize("hand", [Hand.LEFT, Hand.LOST, Hand.WANTS])
def test_a_worker_that_had_no_arm_leaves_none(post: Post, hand: Hand) -> None:
    post.live(hand)
    post.kill()
    assert not post.holding and not PlayedPort.opened


def test_a_worker_that_dies_while_it_takes_the_arm_over_leaves_it_to_the_guardian(post: Post) -> None:
    post.live(Hand.HOLDS)
    post.kill()
    assert post.holding
    post.start_worker()
    post.live(Hand.WANTS)
    assert not post.holding
    post.kill()
    assert post.holding and "while it took the arm over" in post.said


def test_a_worker_that_hangs_is_killed_for_its_arm(post: Post) -> None:
    post.live(Hand.HOLDS, age_s=0.4)
    assert not post.holding
    post.live(Hand.HOLDS, age_s=0.6)
    assert post.workers[-1].wait(5) == -signal.SIGKILL
    assert post.holding and "silent for 0.6 s" in post.said


def test_the_next_worker_gets_the_port_when_it_asks(post: Post) -> None:
    post.live(Hand.HOLDS)
    post.kill()
    assert post.holding
    post.start_worker()
    post.live(Hand.WANTS)
    assert not post.holding and not PlayedPort.opened[0].open
    post.live(Hand.HOLDS)
    post.kill()
    assert post.holding and len(PlayedPort.opened) == 2


def test_a_port_that_cannot_be_opened_is_said_once_and_tried_again(post: Post) -> None:
    PlayedPort.gone = True
    post.live(Hand.HOLDS)
    post.kill()
    for _ in range(5):
        assert not post.holding
    assert post.said.count("cannot be reached") == 1
    PlayedPort.gone = False
    assert post.holding


def test_at_the_end_it_waits_for_a_worker_that_parks(post: Post) -> None:
    post.live(Hand.HOLDS)
    post.desk.quitting = True
    assert post.guardian._worker_is_busy()
    post.live(Hand.LEFT)
    post.guardian.run()
    assert not post.guardian.let_go()


def test_a_worker_that_asks_for_the_port_waits_until_it_is_free(post: Post) -> None:
    post.live(Hand.HOLDS)
    post.kill()
    assert post.holding
    line = Lifeline(post.board)  # of this process
    assert line.take_over(lambda: post.holding or True)
    assert not PlayedPort.opened[0].open
    assert not line.take_over(lambda: True), "nobody has it now"


def test_a_sign_of_life_is_given_now_and_then_and_news_at_once(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [100.0]
    monkeypatch.setattr("workers.robot.lifeline.time.monotonic", lambda: now_s[0])
    line = Lifeline(post.board)

    def told() -> tuple[int, bytes]:
        read = post.board.lifeline.read()
        assert read is not None
        return read[0], bytes(read[1]["hand"])

    line.tell(Hand.HOLDS)
    first = told()
    now_s[0] += 0.05
    line.tell(Hand.HOLDS)
    assert told() == first
    line.tell(Hand.LOST)
    assert told() == (first[0] + 1, Hand.LOST.encode())
    now_s[0] += 0.11
    line.tell(Hand.LOST)
    assert told()[0] == first[0] + 2
