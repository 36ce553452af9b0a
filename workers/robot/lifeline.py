"""Lifeline: the robot worker's sign of life for the guardian, and how the two hand the port to each other."""

import os
import time
from collections.abc import Callable

import numpy as np

from workers.robot.board import LIFELINE, Board, Hand

EVERY_S = 0.1  # between two signs of life; the guardian waits for 0.5 s
HAND_OVER_S = 2.0  # a guardian that lives lets go within a few milliseconds


class Lifeline:
    """The robot worker's end."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._record = np.zeros((), LIFELINE)
        self._record["pid"] = os.getpid()
        self._hand: Hand | None = None  # as it was told last
        self._due_s = 0.0

    def tell(self, hand: Hand) -> None:
        """Live, with the arm in that hand. Call it in every period: what is new is told at once, else now and then."""
        now_s = time.monotonic()
        if hand is self._hand and now_s < self._due_s:
            return
        self._hand, self._due_s = hand, now_s + EVERY_S
        self._record["at_ns"] = time.monotonic_ns()
        self._record["hand"] = hand.encode()
        self._board.lifeline.write(self._record)

    def take_over(self, alive: Callable[[], bool]) -> bool:
        """Ask for the port and wait until the guardian has let go of it; whether it had the arm."""
        held = self._is_held()
        self.tell(Hand.WANTS)
        until_s = time.monotonic() + HAND_OVER_S
        while self._is_held() and time.monotonic() < until_s and alive():
            time.sleep(0.005)
        return held

    def _is_held(self) -> bool:
        guarded = guarded_now(self._board)
        return guarded is not None and bool(guarded["holding"])


def guarded_now(board: Board) -> np.void | None:
    """What the guardian says, a GUARDED; None before it said anything."""
    read = board.guarded.read()
    return None if read is None else read[1]
