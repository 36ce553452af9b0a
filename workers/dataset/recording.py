"""Recording: what the actor logs becomes a dataset, episode by episode, while the arm goes on.

The log has every step; the dataset gets every kept episode that is over, exactly once. How far the log was taken in is
marked in the run's directory, after the dataset has what comes before; what was saved and not marked yet, before a
kill, is known by its `origin`, the log's epoch and the episode's number, which the dataset keeps. What is deleted from
a dataset stays deleted, and another dataset of the same run gets what is recorded from then on.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from workers.config import Config
from workers.dataset.columns import columns_of, frame_of
from workers.dataset.fit import crops_in
from workers.dataset.layout import dataset_folder
from workers.dataset.pace import Pace
from workers.dataset.reader import Dataset
from workers.dataset.recorded_mark import RecordedMark, Taken
from workers.dataset.units import state_units
from workers.dataset.writer import DatasetWriter
from workers.model.events import DatasetOpened, EpisodeSaved, Event
from workers.processors.build import pipelines_of
from workers.processors.features import REWARD, STATE
from workers.transport.log import LogReader, forget
from workers.transport.log_format import read_epoch
from workers.transport.record import EpisodeEnd, Record, Step

RECORDS_AT_ONCE = 16  # two raw 640x480 cameras: 30 MB
SEGMENTS_KEPT = 16  # of 64 MiB, behind the episode that runs: small recordings keep their whole log
MANY_VIDEOS = 900
log = logging.getLogger(__name__)


class Recording:
    """Follows the log of a run. One dataset, one run; `take_in` as often as there may be news."""

    def __init__(
        self, config: Config, emit: Callable[[Event], None], breathe: Callable[[], object] = lambda: None
    ) -> None:
        """`breathe` is called while records become an episode. Raises DatasetError, DatasetRefused, LogMismatch."""
        self._pipelines = pipelines_of(config)
        self._units = state_units(config)
        self._task, self._fps = config.dataset.task, config.env.fps
        self._emit, self._breathe = emit, breathe
        self._directory = config.run_dir / "log"
        self._reader = LogReader(self._directory, self._pipelines.spec())
        self._reader.begin_at_oldest()
        self._mark = RecordedMark(config.run_dir)
        self._taken = self._mark.read() or Taken()
        self._writer = writer_of(config)
        self._origins = self._writer.origins
        self._running: tuple[int, int] | None = None
        self._known = False
        """Whether the dataset has the running episode already."""
        self._frames = self._positives = 0
        self._pace = Pace()
        self._root = dataset_folder(config.dataset)
        counted = not config.env.processor.reset.terminate_on_success and self._writer.episodes
        emit(
            DatasetOpened(
                str(self._root),
                self._writer.episodes,
                self._writer.frames,
                self._taken.episode,
                positives_in(self._root) if counted else 0,
            )
        )

    def take_in(self) -> bool:
        """Read on; whether there may be more. Raises DatasetError, LogError."""
        records = self._reader.read_new(RECORDS_AT_ONCE)
        for record in records:
            self._breathe()
            if record.seq >= self._taken.seq:
                self._take(record)
        return len(records) == RECORDS_AT_ONCE

    def close(self) -> None:
        """Let go of the dataset; an episode that has no end yet is not in it."""
        self._writer.close()
        if self._writer.videos > MANY_VIDEOS:
            log.warning(
                "the dataset has %d videos, and LeRobot keeps open what it reads, 1,024 files at most: before you load"
                " it there, `hilserl-worker dataset compact %s` joins them",
                self._writer.videos,
                self._root,
            )

    def _take(self, record: Record) -> None:
        if self._running is not None and self._running != (record.session, record.episode):
            self._drop()  # cut by a crash: it has no end
        if isinstance(record, Step):
            if record.is_demonstration:
                self._add(record)
        elif self._running is not None:
            self._finish(record)

    def _add(self, step: Step) -> None:
        if self._running is None:
            self._running = step.session, step.episode
            self._known = self._origin(step.episode) in self._origins
        self._frames += 1
        self._positives += step.reward > 0.0
        self._pace.add(step.executed_ns)
        if not self._known:
            frame = frame_of(step, self._pipelines.stored)
            self._writer.add_frame({**frame, STATE: self._units.to_dataset(frame[STATE])})

    def _finish(self, end: EpisodeEnd) -> None:
        if end.discard:
            self._drop()
            self._mark.write(Taken(end.seq + 1, end.episode))
            return
        writer, index = self._writer, None
        if not self._known:
            index = writer.save_episode(self._task, self._origin(end.episode), self._breathe)
            log.info("episode %d is saved as %d of the dataset, %d frames", end.episode, index, self._frames)
            if words := self._pace.judge(self._fps):
                log.warning("episode %d: %s", end.episode, words)
        self._emit(
            EpisodeSaved(end.episode, index, self._frames, self._positives, writer.episodes, writer.frames)
        )
        self._begin_anew()
        self._mark.write(Taken(end.seq + 1, end.episode))
        forget(self._directory, self._reader.segment - SEGMENTS_KEPT)

    def _drop(self) -> None:
        if not self._known:
            self._writer.drop_episode()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._running = None
        self._frames = self._positives = 0
        self._pace = Pace()

    def _origin(self, episode: int) -> str:
        return f"{read_epoch(self._directory) or 0:016x}:{episode}"


def positives_in(root: Path) -> int:
    """Frames of a dataset with a reward above 0. Raises DatasetError."""
    dataset = Dataset(root)
    rewards = (dataset.frames(number, (REWARD,)) for number in range(len(dataset.episodes)))
    return sum(int((frames[REWARD] > 0.0).sum()) for frames in rewards)


def writer_of(config: Config) -> DatasetWriter:
    """The dataset of a recording, new or as it was left. Raises DatasetError, DatasetRefused."""
    robot, columns = config.env.robot, columns_of(pipelines_of(config).stored)
    return DatasetWriter.open(
        dataset_folder(config.dataset),
        columns,
        config.env.fps,
        None if robot is None else robot.type,
        video=config.dataset.video,
        crops=crops_in(config, columns),
    )
