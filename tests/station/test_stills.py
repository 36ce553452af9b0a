"""Consoles that choose a crop see the cameras' newest pictures, or hold one still."""

import multiprocessing

import numpy as np
import pytest

from workers.model.commands import Look
from workers.robot.board import Board, frame_dtype
from workers.station.stills import Stills


@pytest.fixture
def board() -> Board:
    return Board.create(multiprocessing.get_context("spawn"), {"front": (48, 64), "side": (48, 64)})


def shoot(board: Board, value: int) -> None:
    record = np.zeros((), frame_dtype(48, 64))
    record["pixels"] = value
    board.frames["front"].write(record)


def look(number: int = 1, camera: str = "front", hold: bool = False) -> Look:
    return Look(number, camera, None, (48, 64), None, (32, 32), hold)


def test_the_newest_picture_is_shown_unless_one_is_held(board: Board) -> None:
    stills = Stills(board)
    shoot(board, 10)
    assert set(stills.answer("me", look()).shown.rgb) == {10}
    shoot(board, 20)
    held = stills.answer("me", look(hold=True))
    assert set(held.shown.rgb) == {10} and held.taken_s > 0
    assert set(stills.answer("you", look(hold=True)).shown.rgb) == {20}, "another console holds its own"
    assert set(stills.answer("me", look()).shown.rgb) == {20}


def test_a_console_that_left_holds_nothing(board: Board) -> None:
    stills = Stills(board)
    shoot(board, 10)
    stills.answer("me", look())
    shoot(board, 20)
    stills.forget({"you"})
    assert set(stills.answer("me", look(hold=True)).shown.rgb) == {20}


def test_why_there_is_no_picture_is_said(board: Board) -> None:
    stills = Stills(board)
    assert stills.answer("me", look()).trouble == "no picture from front yet"
    assert stills.answer("me", look(camera="top")).trouble == "no camera 'top'; there are front, side"
