"""export_run: the demonstrations of a run's transition log as a LeRobotDataset v3.0."""

import logging
from dataclasses import dataclass
from pathlib import Path

from workers.config import Config
from workers.dataset.columns import columns_of, frames_of, rows_of
from workers.dataset.errors import DatasetError
from workers.dataset.kept import kept_episodes
from workers.dataset.target import Target
from workers.processors.build import Pipelines, pipelines_of
from workers.transport.log import LogError, LogReader

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exported:
    """What a dataset holds."""

    episodes: int
    frames: int


def export_run(config: Config, root: Path) -> Exported:
    """Write the kept episodes of the run into the dataset folder `root`; without any, write nothing.

    A kept episode is a demonstration that succeeded and was not discarded. The dataset is written aside and takes
    the place of an earlier export of the same run at the end.
    Raises DatasetRefused where another dataset lies in `root`; DatasetError when the log cannot be read or the disk
    is full: the log has everything still.
    """
    pipelines = pipelines_of(config)
    target = Target(root, config.run_dir)
    target.check(columns_of(pipelines.stored), config.env.fps)
    try:
        return _export(config, pipelines, target)
    except (OSError, LogError, DatasetError) as error:
        target.abandon()
        raise DatasetError(
            f"the dataset {root} could not be written: {error}. Nothing is lost, the recording is in"
            f" {config.run_dir / 'log'}; when that is mended, start the run again and it is written."
        ) from error


def _export(config: Config, pipelines: Pipelines, target: Target) -> Exported:
    from workers.dataset.writer import DatasetWriter  # brings `datasets`, which is half a second

    reader = LogReader(config.run_dir / "log", pipelines.spec())
    robot_type = None if config.env.robot is None else config.env.robot.type
    columns, dataset = columns_of(pipelines.stored), config.dataset
    writer = DatasetWriter.open(target.begin(), columns, config.env.fps, robot_type, video=dataset.video)
    try:
        for steps in kept_episodes(reader):
            for frame in rows_of(frames_of(steps, pipelines.stored)):
                writer.add_frame(frame)
            log.info("dataset: episode %d, %d frames", writer.save_episode(dataset.task), len(steps))
    finally:
        writer.close()
    exported = Exported(writer.episodes, writer.frames)
    if exported.episodes:
        target.take_place()
        log.info("dataset: complete in %s", target.root)
    else:
        target.abandon()
    return exported
