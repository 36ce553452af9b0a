"""Hard negatives: frames that the classifier took for a success and a person did not, as a dataset to learn from.

A LeRobotDataset in the run's directory, an episode for every veto, all rewards 0. Written between two episodes of the
run, while the arm rests; pictures as PNG, exactly as the classifier saw them.
"""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.actor.pictures import Observation, stack_pictures
from workers.config import Config
from workers.dataset.columns import columns_of, frame_of
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.units import state_units
from workers.dataset.writer import DatasetWriter
from workers.model.events import HardNegativesSaved
from workers.model.places import hard_negatives_path
from workers.processors.features import ACTION, STATE, Features
from workers.transport.record import Step

log = logging.getLogger(__name__)


class HardNegatives:
    """Takes frames during an episode, and writes them after it."""

    def __init__(self, config: Config, stored: Features) -> None:
        """`stored`: what a step of the run leaves in a dataset."""
        self.root = hard_negatives_path(config.run_dir)
        self._config = config
        self._stored = stored
        self._units = None if config.env.robot is None else state_units(config)
        self._waiting: list[list[Observation]] = []

    def take(self, frames: list[Observation]) -> None:
        """Note the frames of one veto, oldest first."""
        if frames:
            self._waiting.append(frames)

    def save(self, episode: int) -> HardNegativesSaved | None:
        """Write what was taken in this episode; None where that was nothing, or cannot be written, which is logged."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return None
        try:
            total = self._write(waiting, episode)
        except (DatasetError, DatasetRefused) as error:
            log.warning("the frames of %d vetoes are lost: %s", len(waiting), error)
            return None
        saved = HardNegativesSaved(episode, sum(map(len, waiting)), str(self.root), total)
        log.info(
            "%d frames that fooled the classifier are kept in %s, %d in all: give it to train-classifier as one more"
            " --dataset",
            saved.frames,
            saved.root,
            saved.total_frames,
        )
        return saved

    def _write(self, waiting: list[list[Observation]], episode: int) -> int:
        """Frames in the dataset afterwards. Raises DatasetError, DatasetRefused."""
        env = self._config.env
        kind = None if env.robot is None else env.robot.type
        writer = DatasetWriter.open(self.root, columns_of(self._stored), env.fps, kind, video=False)
        try:
            for frames in waiting:
                for number, observation in enumerate(frames):
                    writer.add_frame(self._row(episode, number, observation))
                writer.save_episode(self._config.dataset.task)
            return writer.frames
        finally:
            writer.close()

    def _row(self, episode: int, number: int, observation: Observation) -> dict[str, NDArray[Any]]:
        """A frame as the recorder would write it; nothing was done on it, so that its action is zero."""
        step = Step(
            episode=episode,
            step=number,
            state=observation[STATE],
            images=stack_pictures(observation),
            action=np.zeros(self._stored[ACTION].shape, np.float32),
            reward=0.0,
            terminated=False,
            truncated=False,
        )
        frame = frame_of(step, self._stored)
        return frame if self._units is None else {**frame, STATE: self._units.to_dataset(frame[STATE])}
