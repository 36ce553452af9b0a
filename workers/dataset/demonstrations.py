"""The demonstrations of a dataset, as the records that an actor would have written of them.

The next observation of a frame is the following frame of its episode. A dataset has none after its last: where the
task ended there nothing is bootstrapped and the last observation stands in, where the episode was cut (time limit)
the last frame is only a successor, as what follows it is not known. LeRobot's recordings do not tell the two apart,
`next.done` is both: there, an end without a reward counts as cut.
"""

import contextlib
import hashlib
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.config import Config
from workers.dataset.columns import DONE, SUCCESS, TRUNCATED
from workers.dataset.difference import Difference, as_table
from workers.dataset.errors import DatasetRefused
from workers.dataset.fit import PictureFit, dataset_key, differences_of, states_of
from workers.dataset.layout import Frames
from workers.dataset.listing import Episode
from workers.dataset.notes import crops_of, raw_notes
from workers.dataset.pictures import Picture
from workers.dataset.reader import Dataset
from workers.dataset.side_by_side import Frame, side_by_side
from workers.processors.build import Pipelines, pipelines_of
from workers.processors.features import ACTION, IMAGES, INTERVENTION, PENALTY, REWARD
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Record, Step

_NUMBERS = (ACTION, REWARD, DONE, TRUNCATED, SUCCESS, PENALTY, INTERVENTION)
_LABELS = (REWARD, DONE, TRUNCATED, SUCCESS)
"""What a person may correct afterwards."""
_BEYOND = 1e-3  # how far an action may lie outside its range: what rounding does, and no more
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a dataset has to offer."""

    episodes: int
    demonstrations: int
    """Episodes that succeeded: the others would teach the wrong thing, as in a live recording."""
    frames: int
    """Of the demonstrations."""
    digest: str
    """SHA-256 of all its numbers: another one is another dataset."""
    motion: str
    """SHA-256 of all its numbers but the labels: where only `digest` is another one, labels were corrected."""


class Demonstrations:
    """The dataset in `root`, as this run takes it.

    Raises DatasetError when it cannot be read; DatasetRefused, with a table of what differs, when it does not fit.
    """

    def __init__(self, config: Config, root: Path) -> None:
        self._config, self._root = config, root
        self._dataset = Dataset(root)
        info = self._dataset.info
        self._pipelines: Pipelines = pipelines_of(config)
        self._states = states_of(config, info)
        self._views = PictureFit(config, self._pipelines, info, crops_of(root))
        self._refuse(differences_of(config, self._pipelines, info, self._states, self._views))
        self.features: FeatureSpec = self._pipelines.spec()
        """Of the records."""
        self._shown: list[Episode] | None = None
        self._columns = [*self._states.columns, *(key for key in _NUMBERS if key in info.features)]

    def survey(self, breathe: Callable[[], object] = lambda: None) -> Survey:
        """Look through all numbers, and `breathe` with every episode. Raises DatasetError, DatasetRefused."""
        digest, motion = hashlib.sha256(), hashlib.sha256()
        shown: list[Episode] = []
        states, reached = [], np.zeros(0)
        for episode in self._dataset.episodes:
            breathe()
            numbers = self._numbers(episode)
            for key in self._columns:
                column = np.ascontiguousarray(numbers[key]).tobytes()
                digest.update(column)
                if key not in _LABELS:
                    motion.update(column)
            states.append(numbers[self._states.columns[0]])
            furthest = np.abs(numbers[ACTION]).max(axis=0)
            reached = np.maximum(reached, furthest) if reached.size else furthest
            if succeeded(numbers):
                shown.append(episode)
        self._check_numbers(np.concatenate(states or [np.empty((0, 6))]), reached)
        if not shown:
            raise self._refused(
                f"holds no episode that succeeded ({len(states)} without a reward above 0): only those are"
                " demonstrations. Relabel what did succeed, or record again."
            )
        self._shown = shown
        frames = sum(episode.length for episode in shown)
        return Survey(len(states), len(shown), frames, digest.hexdigest(), motion.hexdigest())

    def records(self) -> Generator[Record, None, None]:
        """Every step of every demonstration, and their ends, oldest first. Raises DatasetError.

        Threads decode ahead: close it where it is left before its end.
        """
        if self._shown is None:
            self._shown = [each for each in self._dataset.episodes if succeeded(self._numbers(each))]
        with contextlib.closing(self._pictures(self._shown)) as pictures:
            for number, episode in enumerate(self._shown):
                yield from self._episode(number, self._numbers(episode), islice(pictures, episode.length))

    def _numbers(self, episode: Episode) -> Frames:
        return self._dataset.frames(episode.index, self._columns)

    def _episode(self, number: int, frames: Frames, pictures: Iterator[Frame]) -> Iterator[Record]:
        """The records of one episode, which becomes episode `number`."""
        states, actions = self._states(frames), self._actions(frames)
        terminated, truncated = ends_of(frames)
        zeros = np.zeros(len(states), np.float32)
        penalties, interventions = frames.get(PENALTY, zeros), frames.get(INTERVENTION, zeros)
        images: Frame | None = None
        for step, images in zip(range(len(states)), pictures, strict=True):
            yield Step(
                episode=number,
                step=step,
                state=states[step],
                images=images,
                action=actions[step],
                reward=float(frames[REWARD][step]),
                terminated=bool(terminated[step]),
                truncated=bool(truncated[step]),
                is_demonstration=True,
                is_intervention=bool(interventions[step]),
                discrete_penalty=float(penalties[step]),
            )
        if terminated[-1]:
            yield EpisodeEnd(episode=number, outcome=Outcome.SUCCESS, state=states[-1], images=images)
        else:
            yield EpisodeEnd(episode=number, outcome=Outcome.TIME_LIMIT)

    def _actions(self, frames: Frames) -> NDArray[np.float32]:
        """float32 [n, action_dim] within their ranges."""
        spec = self.features
        actions: NDArray[np.float32] = frames[ACTION].astype(np.float32)
        actions[:, : spec.motion_dim] = actions[:, : spec.motion_dim].clip(-1.0, 1.0)
        if spec.gripper:
            actions[:, -1] = np.rint(actions[:, -1]).clip(0.0, 2.0)
        return actions

    def _pictures(self, episodes: Sequence[Episode]) -> Generator[Frame, None, None]:
        """uint8 [cameras, H, W, 3] frame by frame; every camera is decoded and cut in a thread of its own.

        The threads go on from one episode to the next without waiting for its records.
        """
        shape = self.features.image_shape
        if self._views.cameras:
            yield from side_by_side([self._view(camera, episodes) for camera in self._views.cameras], shape)
        else:
            yield from repeat(np.empty(shape, np.uint8), sum(episode.length for episode in episodes))

    def _view(self, camera: str, episodes: Sequence[Episode]) -> Generator[Picture, None, None]:
        threads = 1 if len(self._views.cameras) > 1 else 0
        for episode in episodes:
            for picture in self._dataset.pictures(episode.index, IMAGES + camera, threads=threads):
                yield self._views(camera, picture)

    def _check_numbers(self, states: NDArray[Any], reached: NDArray[Any]) -> None:
        """Raise DatasetRefused for numbers that are something else than their names say."""
        if self._states.scaled(states):
            self._refuse_scaled()
        spec = self.features
        limits = np.array([1.0] * spec.motion_dim + [2.0] * spec.gripper)
        if reached.size and (reached > limits + _BEYOND).any():
            furthest = ", ".join(f"{value:.3g}" for value in reached)
            here = f"motion in [-1, 1]{', gripper 0, 1 or 2' if spec.gripper else ''}"
            by_joints = self._config.env.processor.action_space == "joints"
            what = "joint deltas" if by_joints else "steps of the end-effector"
            by = "this program" if by_joints else "this program or LeRobot's gym_manipulator"
            to_do = f"these are no {what}: record with {by}"
            self._refuse([Difference(ACTION, here, f"up to {furthest}", to_do)])

    def _refuse_scaled(self) -> None:
        """Refuse a dataset of this program's from before it kept degrees; of anybody else's, only wonder."""
        if not {"origins", "run"} & raw_notes(self._root).keys():
            log.warning(
                "%s: no joint is ever further than 3 degrees from its zero; is the arm's state in degrees?",
                self._root,
            )
            return
        raise self._refused(
            "was recorded by an earlier version, which kept the arm's state scaled for the networks of one"
            " configuration instead of degrees. The log of the run that recorded it has all there is: start that"
            " run again with another dataset.root, and it is written anew."
        )

    def _refuse(self, differences: list[Difference]) -> None:
        if differences:
            raise self._refused(f"cannot be used for this run:\n{as_table(differences)}")

    def _refused(self, text: str) -> DatasetRefused:
        return DatasetRefused(dataset_key(self._config.dataset), f"{self._root} {text}")


def succeeded(frames: Frames) -> bool:
    """Whether the task was done in an episode, at its end or on the way."""
    return bool((frames[REWARD] > 0).any()) or bool(frames.get(SUCCESS, np.zeros(0)).any())


def ends_of(frames: Frames) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(terminated, truncated), bool [n] each; the last frame of an episode is always one of them."""
    won = (frames[REWARD] > 0) | frames.get(SUCCESS, np.zeros(len(frames[REWARD]))).astype(bool)
    done = frames.get(DONE, np.zeros(len(won))).astype(bool)
    cut = frames[TRUNCATED].astype(bool) if TRUNCATED in frames else done & ~won
    terminated, truncated = done & ~cut, cut.copy()
    terminated[-1] |= bool(won[-1] and not cut[-1])
    truncated[-1] = not terminated[-1]
    return terminated, truncated
