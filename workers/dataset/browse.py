"""Browser: a dataset as a person looks through it, frame by frame, and mends its labels."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.dataset.edit import Edited, delete, relabel, undo
from workers.dataset.errors import DatasetError
from workers.dataset.layout import INFO, Frames
from workers.dataset.pipe import opened
from workers.dataset.reader import Dataset
from workers.dataset.versions import Versions
from workers.model.commands import Command, DeleteEpisode, Relabel, ShowFrame, UndoEdit
from workers.model.events import AnyEvent, EpisodesListed, FrameShown, StoredEpisode
from workers.model.state import ConsoleState
from workers.processors.features import ACTION, IMAGES, INTERVENTION, REWARD
from workers.processors.look import fitted, pixels
from workers.processors.transition import Picture

SUCCESS = "next.success"
_LABELS = (REWARD, SUCCESS, INTERVENTION)


class Browser:
    """Answers commands of a console. Raises DatasetError when the dataset cannot be opened."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open()

    def state(self) -> ConsoleState:
        listed = self.listed()
        return ConsoleState(run=opened(self._root, listed.fps, listed.cameras, None), stored=listed)

    def answer(self, command: Command) -> AnyEvent | None:
        """None to a command that is none of its business."""
        match command:
            case ShowFrame():
                return self._shown(command)
            case Relabel(episode, success):
                return self._edited(lambda: relabel(self._root, [episode], success=success))
            case DeleteEpisode(episode):
                return self._edited(lambda: delete(self._root, [episode]))
            case UndoEdit():
                return self._edited(lambda: undo(self._root))
        return None

    def listed(self, said: str = "") -> EpisodesListed:
        """What there is."""
        cameras = tuple(key for key, column in self._dataset.info.features.items() if column.is_picture)
        return EpisodesListed(
            str(self._root),
            self._dataset.info.fps,
            tuple(key.removeprefix(IMAGES) for key in cameras),
            tuple(self._stored()),
            bool(Versions(self._root).numbers()),
            said,
        )

    def _open(self) -> None:
        self._dataset = Dataset(self._root)
        self._seen = (self._root / INFO).read_bytes()
        self._pictures: dict[str, tuple[int, int, Iterator[Picture]]] = {}
        self._rows: tuple[int, Frames] | None = None

    def _edited(self, edit: Callable[[], Edited]) -> EpisodesListed:
        try:
            if (self._root / INFO).read_bytes() != self._seen:
                raise DatasetError(
                    "the dataset has changed since it was shown: look again. Nothing was edited."
                )
            words = edit().words
        except (DatasetError, OSError) as trouble:
            words = str(trouble)
        try:
            self._open()
            return self.listed(words)
        except (DatasetError, OSError) as trouble:
            return EpisodesListed(str(self._root), 1.0, (), (), said=str(trouble))

    def _stored(self) -> Iterator[StoredEpisode]:
        for number, episode in enumerate(self._dataset.episodes):
            rows = self._dataset.frames(
                number, [key for key in _LABELS if key in self._dataset.info.features]
            )
            rewards = rows.get(REWARD, np.zeros(episode.length))
            yield StoredEpisode(
                episode.length,
                float(rewards.sum()),
                bool(_succeeded(rows, episode.length).any()),
                int(rows.get(INTERVENTION, np.zeros(episode.length)).sum()),
                ", ".join(episode.tasks),
            )

    def _shown(self, wanted: ShowFrame) -> FrameShown:
        if not 0 <= wanted.episode < len(self._dataset.episodes):
            return FrameShown(wanted.number, wanted.episode, 0, trouble="there is no such episode any more")
        frame = min(max(0, wanted.frame), self._dataset.episodes[wanted.episode].length - 1)
        try:
            return self._at(wanted, frame)
        except DatasetError as trouble:
            return FrameShown(wanted.number, wanted.episode, frame, trouble=str(trouble))

    def _at(self, wanted: ShowFrame, frame: int) -> FrameShown:
        rows, features = self._rows_of(wanted.episode), self._dataset.info.features
        cameras = [key for key, column in features.items() if column.is_picture]
        shown = {
            key.removeprefix(IMAGES): pixels(fitted(self._picture(key, wanted.episode, frame), wanted.room))
            for key in cameras
        }
        return FrameShown(
            wanted.number,
            wanted.episode,
            frame,
            shown,
            _named(rows[ACTION][frame], features[ACTION].names) if ACTION in rows else {},
            float(rows[REWARD][frame]) if REWARD in rows else 0.0,
            bool(_succeeded(rows, frame + 1)[frame]),
            bool(rows[INTERVENTION][frame]) if INTERVENTION in rows else False,
        )

    def _rows_of(self, episode: int) -> Frames:
        """All columns but the pictures, of the episode that is looked at."""
        if self._rows is None or self._rows[0] != episode:
            features = self._dataset.info.features
            wanted = [key for key in (ACTION, *_LABELS) if key in features]
            self._rows = episode, self._dataset.frames(episode, wanted)
        return self._rows[1]

    def _picture(self, key: str, episode: int, frame: int) -> Picture:
        """The next picture comes from where the last one was: a video is decoded once on the way through."""
        of, due, pictures = self._pictures.get(key, (-1, -1, iter(())))
        if (of, due) != (episode, frame):
            pictures = self._dataset.pictures(episode, key, frame)
        picture = next(pictures, None)
        if picture is None:
            raise DatasetError(f"frame {frame} of episode {episode} has no picture from {key}")
        self._pictures[key] = episode, frame + 1, pictures
        return picture


def _succeeded(rows: Frames, frames: int) -> NDArray[np.bool_]:
    """Whether each frame is a success: as labelled, else by its reward; none of a dataset that has neither."""
    if SUCCESS in rows:
        return rows[SUCCESS].astype(bool)
    return rows[REWARD] > 0 if REWARD in rows else np.zeros(frames, bool)


def _named(action: NDArray[Any], names: Any) -> dict[str, float]:
    flat = np.atleast_1d(action)
    if isinstance(names, dict):
        names = list(names)
    known = names if names is not None and len(names) == len(flat) else [str(i) for i in range(len(flat))]
    return {str(name): round(float(value), 3) for name, value in zip(known, flat, strict=True)}
