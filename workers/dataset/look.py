"""Pictures of a dataset for a console that chooses a crop: any frame."""

from pathlib import Path

from msgspec.structs import replace

from workers.config.env import IMAGE_PREFIX
from workers.dataset.crop import picture_sizes
from workers.dataset.errors import DatasetError
from workers.dataset.pipe import opened
from workers.dataset.reader import Dataset
from workers.model.commands import Command, Look
from workers.model.events import Looked
from workers.model.state import ConsoleState
from workers.processors.look import looked
from workers.processors.transition import Picture


class Shelf:
    """Answers `Look` from the dataset in `root`. Raises DatasetError when there is nothing to look at."""

    def __init__(self, root: Path, config: Path | None = None) -> None:
        self.dataset = Dataset(root)
        self._config = config
        self._keys = {key.removeprefix(IMAGE_PREFIX): key for key in picture_sizes(self.dataset.info)}
        self._last: tuple[tuple[str, int, int], Picture] | None = None
        if not self.dataset.episodes:
            raise DatasetError(f"{root} has no episode to look at")

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def state(self) -> ConsoleState:
        return ConsoleState(run=opened(self.dataset.root, self.dataset.info.fps, self.cameras, self._config))

    def answer(self, command: Command) -> Looked | None:
        return self.looked(command) if isinstance(command, Look) else None

    def looked(self, look: Look) -> Looked:
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
