"""Recipes: what a run of each `mode` does, as orders to its workers."""

from workers.config import Config
from workers.station.recipes.recipe import Recipe, StationPort
from workers.station.recipes.record import RecordRecipe
from workers.station.recipes.replay import ReplayRecipe
from workers.station.recipes.train import TrainRecipe


def recipe_of(station: StationPort, config: Config, until_success: float | None) -> Recipe:
    """The recipe of the configuration's `mode`; only training looks at `until_success`."""
    match config.mode:
        case "record":
            return RecordRecipe(station, config)
        case "replay":
            return ReplayRecipe(station, config)
        case None:
            return TrainRecipe(station, config, until_success)


def demonstrations_wanted(config: Config) -> int:
    """How many demonstrations a run of the configuration's `mode` records."""
    wanted = {"record": config.dataset.num_episodes_to_record, "replay": 0}
    return config.operator.demonstrations if config.mode is None else wanted[config.mode]
