"""Opening a survey: what becomes of a configuration whose workspace is looked for."""

import msgspec

from workers.config import Config, ConfigError, Document
from workers.config.survey import FIND_LIMITS, surveying
from workers.model.places import read_lock
from workers.station.opening import StationRefused
from workers.station.survey import DURATION_S, Ending, SurveyJob, Wanted


def for_survey(
    document: Document, config: Config, wanted: Wanted | None, serve: bool
) -> tuple[Config, SurveyJob | None]:
    """The survey's configuration and job, where `wanted` or the file's `mode` ask for one; else `config`, None.

    Raises StationRefused where there is no arm, or a run of this file has it.
    """
    if wanted is None and config.mode != FIND_LIMITS:
        return config, None
    if config.env.robot is None:
        try:
            document.refuse(
                [(("env", "type"), f'"{config.env.type}" has no arm whose limits could be found')]
            )
        except ConfigError as error:
            raise StationRefused(str(error)) from error
    if wanted is None:
        wanted = Wanted() if serve else Wanted(duration_s=DURATION_S, ending=Ending.PRINT)
    survey = surveying(config, wanted.floor_m)
    other = read_lock(config.run_dir)
    if survey.run_dir != config.run_dir and other is not None:
        raise StationRefused(
            f"the run {config.run.name} is alive (pid {other.pid}) and has the arm. "
            f"End it with `hilserl-tui down {config.run.name}` and start this again."
        )
    if config.operator.scripted and not serve:
        # Nobody at a console answers for the simulated arm, and nobody has to.
        chair = msgspec.structs.replace(config.operator, lost="continue")
        survey = msgspec.structs.replace(survey, operator=chair)
    return survey, SurveyJob(wanted, document)
