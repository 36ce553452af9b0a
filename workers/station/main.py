"""Run a station: open the run, then the station to its end, with its progress on standard output."""

import logging
import time
from pathlib import Path

import msgspec

from workers.config import Config, ConfigError, Document, load_document
from workers.config.overrides import Overrides
from workers.config.survey import load_for_survey
from workers.dataset.errors import DatasetError
from workers.dataset.jobs import finished, prepared
from workers.runtime.beginning import Beginning
from workers.runtime.tracker import start_tracker
from workers.station.check import looked_over
from workers.station.datasets import with_dataset
from workers.station.opening import (
    RunLock,
    StationRefused,
    check_beginning,
    check_disk,
    check_mode,
    configured,
    make_run_dir,
    private_files,
    refuse,
)
from workers.station.preflight import Seen
from workers.station.progress import ProgressLines
from workers.station.survey import SurveyJob, Wanted
from workers.station.survey_lines import SurveyLines
from workers.station.survey_opening import for_survey

__all__ = ["StationRefused", "run_station"]

AS_CONFIGURED = Overrides()
log = logging.getLogger(__name__)


async def run_station(
    path: Path,
    *,
    operator: str | None = None,
    until_success: float | None = None,
    name: str | None = None,
    seed: int | None = None,
    serve: bool = False,
    beginning: Beginning = Beginning.AS_LEFT,
    overrides: Overrides = AS_CONFIGURED,
    survey: Wanted | None = None,
    confirmed: bool = False,
) -> int:
    """Run a station to its end; returns the process exit code.

    With `confirmed` a real arm moves without a person's word at a console.
    `overrides` stand before the file's `mode` and dataset; with `survey` the run finds limits, whatever they say.

    0: the recipe succeeded or was stopped by hand; 1: something broke, or the wanted success was not reached.
    Raises StationRefused when nothing could be started.
    """
    read = load_document if survey is None else load_for_survey
    document, config = configured(path, read, name=name, seed=seed)
    config = _with_operator(_overridden(config, overrides, named=name is not None), operator)
    refuse(document, config.problems())
    config, job = for_survey(document, config, survey, serve)
    _check_beginning(config, beginning)
    make_run_dir(config)
    with RunLock(config, path):
        check_disk(config.run_dir)
        check_mode(config)
        seen = _seen(document, config)
        config = with_dataset(document, config, prepared)
        from workers.station.station import Station  # the workers' modules, needed from here on

        with private_files():  # but a dataset is there to be passed on
            start_tracker(config.run_dir)
            station = Station(
                config,
                path.resolve(),
                until_success,
                wait_for_start=serve,
                seen=seen,
                beginning=beginning,
                survey=job,
                confirmed=confirmed,
            )
            station.listen(_lines(job)(time.monotonic(), station.state).on_event)
            ended = await station.run()
        written = config.mode != "record" or _uploaded(config)
    wanted_more = until_success is not None and not ended.succeeded
    return 1 if wanted_more or ended.failed or not written else 0


def _lines(job: SurveyJob | None) -> type[ProgressLines]:
    """What kind of progress is printed."""
    return ProgressLines if job is None else SurveyLines


def _overridden(config: Config, overrides: Overrides, named: bool) -> Config:
    try:
        return overrides.applied(config, named)
    except ConfigError as error:
        raise StationRefused(str(error)) from error


def _with_operator(config: Config, operator: str | None) -> Config:
    """The configuration with the operator of the command line."""
    if operator not in (None, "scripted", "person"):
        raise StationRefused(f"--operator {operator}: unknown; use 'scripted' or 'person'")
    if operator == "scripted" and not config.simulated:
        raise StationRefused(
            '--operator scripted works on the simulator only; set env.robot.type = "so101_sim"'
        )
    if operator is None:
        return config
    chair = msgspec.structs.replace(config.operator, scripted=operator == "scripted")
    return msgspec.structs.replace(config, operator=chair)


def _check_beginning(config: Config, beginning: Beginning) -> None:
    """Refuse `--resume` and `--fresh` where nobody learns here."""
    if beginning is Beginning.AS_LEFT:
        return
    host = config.policy.actor_learner_config.learner_host
    if host is not None:
        raise StationRefused(
            f"--{beginning}: the learner of this run is on {host} and has the checkpoints; "
            f"give --{beginning} to `hilserl-worker learner` there"
        )
    if config.mode is not None:
        raise StationRefused(f'--{beginning}: mode = "{config.mode}" learns nothing; leave it out')
    check_beginning(config, beginning)


def _seen(document: Document, config: Config) -> Seen | None:
    """What a look at the run's Gymnasium environment finds, None for an arm, whose kinematics are looked at."""
    try:
        return looked_over(document, config)
    except ConfigError as error:
        raise StationRefused(str(error)) from error


def _uploaded(config: Config) -> bool:
    """Upload the dataset of a recording where that is wanted, however the run ended; False when that failed."""
    try:
        log.info("dataset: %s", finished(config))
    except DatasetError as error:
        log.error("%s", error)
        return False
    return True
