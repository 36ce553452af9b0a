"""A dataset in the place of a station, for one console: questions come in on one pipe, answers go out on another.

Both are frames of `workers.model.wire`; the end of the first pipe ends the process.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from workers.dataset.errors import DatasetError
from workers.model.commands import Command
from workers.model.events import AnyEvent, RunOpened
from workers.model.state import ConsoleState
from workers.model.wire import (
    HEAD_BYTES,
    PROTOCOL_VERSION,
    Batch,
    Refused,
    Welcome,
    decode_from_console,
    frame,
    frame_length,
)

_CORNER = (0.0, 0.0, 0.0)


class Answering(Protocol):
    """What answers the console's commands."""

    def state(self) -> ConsoleState:
        """What the console sees first."""

    def answer(self, command: Command) -> AnyEvent | None:
        """None to a command that is none of its business."""


def serve(open_it: Callable[[], Answering], questions: BinaryIO, answers: BinaryIO) -> None:
    """Open the dataset, say what it has or why it cannot be opened, and answer until nobody asks any more."""
    try:
        answering = open_it()
    except DatasetError as error:
        _say(answers, Refused(str(error), ""))
        return
    _say(answers, Welcome(PROTOCOL_VERSION, os.getpid(), answering.state(), time.monotonic()))
    for command in _asked(questions):
        if (event := answering.answer(command)) is not None:
            _say(answers, Batch([event]))


def opened(root: Path, fps: float, cameras: tuple[str, ...], config: Path | None) -> RunOpened:
    """A dataset in place of a run."""
    return RunOpened(
        run=root.name,
        run_dir=str(root),
        config_path="" if config is None else str(config),
        task="",
        fps=fps,
        cameras=cameras,
        ee_min_m=_CORNER,
        ee_max_m=_CORNER,
        online_capacity=0,
        offline_capacity=0,
        online_ratio=0.0,
        utd_target=0.0,
        demonstrations_wanted=0,
        simulated=False,
        has_arm=False,
        trains=False,
        dataset=True,
    )


def _asked(questions: BinaryIO) -> Iterator[Command]:
    while len(head := questions.read(HEAD_BYTES)) == HEAD_BYTES:
        asked = decode_from_console(questions.read(frame_length(head)))
        if isinstance(asked, Command):
            yield asked


def _say(answers: BinaryIO, message: msgspec.Struct) -> None:
    answers.write(frame(message))
    answers.flush()
