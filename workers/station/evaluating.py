"""Opening an evaluation: its policies are found, fit the arm and lie ready before anything starts."""

import logging

import msgspec

from workers.config import Config, Document
from workers.config.evaluation import evaluated_run
from workers.model.evaluation import Contestant
from workers.model.evaluation_figures import introduced
from workers.model.places import read_lock
from workers.processors.errors import EnvironmentRefused
from workers.station.opening import StationRefused, refuse
from workers.station.preflight import apart

EVALUATE = "evaluate"
log = logging.getLogger(__name__)


def with_policies(document: Document, config: Config, serve: bool) -> Config:
    """The configuration with which an evaluation begins; of a run of another mode, `config` as it is.

    Raises StationRefused where a policy cannot be had or used, and where the run that trains has the arm.
    """
    if config.mode != EVALUATE:
        return config
    if not config.simulated:
        _check_arm_free(config)
    try:
        contestants = apart(_lay_ready, config)
    except EnvironmentRefused as refused:
        refuse(document, [(refused.path, refused.text)])
        raise
    for line in introduced(contestants):
        log.info("%s", line)
    if config.simulated and not serve:
        # Nobody at a console answers for the simulated arm, and nobody has to.
        chair = msgspec.structs.replace(config.operator, lost="continue")
        return msgspec.structs.replace(config, operator=chair)
    return config


def _check_arm_free(config: Config) -> None:
    run_dir = evaluated_run(config.run_dir)
    other = read_lock(run_dir) if run_dir != config.run_dir else None
    if other is not None and other.socket:
        raise StationRefused(
            f"the run {run_dir.name} is alive (pid {other.pid}) and has the arm. Press e in its console to evaluate "
            f"its newest policy, or end it with `hilserl-tui down {run_dir.name}` and start this again."
        )


def _lay_ready(config: Config) -> tuple[Contestant, ...]:
    """In a process of its own: PyTorch and a whole checkpoint never enter the station."""
    from workers.evaluation.chosen import lay_ready

    return lay_ready(config)
