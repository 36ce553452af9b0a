"""Pictures of a dataset for a console that chooses a crop: any frame, by the frames of `workers.model.wire`.

Questions come in on one pipe and answers go out on another; the end of the first ends this.
"""

import os
import time
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec.structs import replace

from workers.config.env import IMAGE_PREFIX
from workers.dataset.crop import picture_sizes
from workers.dataset.crop_plan import folder_of
from workers.dataset.errors import DatasetError
from workers.dataset.reader import Dataset
from workers.model.commands import Look
from workers.model.events import Looked, RunOpened
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
from workers.processors.look import looked
from workers.processors.transition import Picture

_CORNER = (0.0, 0.0, 0.0)


class Shelf:
    """Answers `Look` from the dataset in `root`. Raises DatasetError when there is nothing to look at."""

    def __init__(self, root: Path) -> None:
        self.dataset = Dataset(root)
        self._keys = {key.removeprefix(IMAGE_PREFIX): key for key in picture_sizes(self.dataset.info)}
        self._last: tuple[tuple[str, int, int], Picture] | None = None
        if not self.dataset.episodes:
            raise DatasetError(f"{root} has no episode to look at")

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def answer(self, look: Look) -> Looked:
        """The frame nearest to the one that is asked for, or why there is none."""
        episode = min(max(0, look.episode), len(self.dataset.episodes) - 1)
        frames = self.dataset.episodes[episode].length
        number = min(max(0, look.frame), frames - 1)
        try:
            answer = looked(look, self._picture(look.camera, episode, number))
        except (DatasetError, KeyError) as error:
            answer = Looked(look.number, look.camera, f"no picture: {error}")
        episodes = len(self.dataset.episodes)
        return replace(answer, episode=episode, episodes=episodes, frame=number, frames=frames)

    def _picture(self, camera: str, episode: int, number: int) -> Picture:
        place = (camera, episode, number)
        if self._last is None or self._last[0] != place:
            found = next(self.dataset.pictures(episode, self._keys[camera], number, number + 1), None)
            if found is None:
                raise DatasetError(f"frame {number} of episode {episode} is missing")
            self._last = place, found
        return self._last[1]


def serve(dataset: str, config: Path, questions: BinaryIO, answers: BinaryIO) -> None:
    """Open a dataset (see `folder_of`), say what it has or why it cannot be opened, and answer until nobody asks."""
    try:
        shelf = Shelf(folder_of(dataset))
    except DatasetError as error:
        _say(answers, Refused(str(error), ""))
        return
    state = ConsoleState(run=_opened(shelf, config))
    _say(answers, Welcome(PROTOCOL_VERSION, os.getpid(), state, time.monotonic()))
    while len(head := questions.read(HEAD_BYTES)) == HEAD_BYTES:
        asked = decode_from_console(questions.read(frame_length(head)))
        if isinstance(asked, Look):
            _say(answers, Batch([shelf.answer(asked)]))


def _say(answers: BinaryIO, message: msgspec.Struct) -> None:
    answers.write(frame(message))
    answers.flush()


def _opened(shelf: Shelf, config: Path) -> RunOpened:
    """A dataset in place of a run."""
    root = shelf.dataset.root
    return RunOpened(
        run=root.name,
        run_dir=str(root),
        config_path=str(config),
        task="",
        fps=shelf.dataset.info.fps,
        cameras=shelf.cameras,
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
