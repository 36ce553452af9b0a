"""Recipes: what a run of each `mode` does, as orders to its workers."""

from workers.config import Config
from workers.station.recipes.evaluate import EvaluateRecipe
from workers.station.recipes.find_limits import FindLimitsRecipe
from workers.station.recipes.recipe import Recipe, StationPort
from workers.station.recipes.record import RecordRecipe
from workers.station.recipes.replay import ReplayRecipe
from workers.station.recipes.train import TrainRecipe
from workers.station.survey import SurveyJob


def recipe_of(
    station: StationPort, config: Config, until_success: float | None, survey: SurveyJob | None = None
) -> Recipe:
    """The recipe of the configuration's `mode`.

    Only training looks at `until_success`, only find-limits at `survey`.
    """
    match config.mode:
        case "record":
            return RecordRecipe(station, config)
        case "replay":
            return ReplayRecipe(station, config)
        case "evaluate":
            return EvaluateRecipe(station, config)
        case "find-limits":
            assert survey is not None, "whoever opens such a run says how it is to go"
            return FindLimitsRecipe(station, config, survey)
        case None:
            return TrainRecipe(station, config, until_success)


def demonstrations_wanted(config: Config) -> int:
    """How many demonstrations a run of the configuration's `mode` records."""
    wanted = {None: config.operator.demonstrations, "record": config.dataset.num_episodes_to_record}
    return wanted.get(config.mode, 0)
