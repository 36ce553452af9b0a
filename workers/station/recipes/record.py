"""The recording recipe: episodes for a dataset, each of which is saved before the run ends."""

from workers.config import Config
from workers.model.events import EndedBy, EpisodeEnded, EpisodeKind, Event, Phase, RunEnded
from workers.model.orders import Collect
from workers.runtime.episode_book import EpisodeBook
from workers.station.recipes.recipe import Recipe, StationPort

_KEPT = (EndedBy.SUCCESS, EndedBy.FAILURE, EndedBy.TIME_LIMIT)


class RecordRecipe(Recipe):
    """Ends when `dataset.num_episodes_to_record` episodes were recorded since it began, and all of them are saved."""

    def __init__(self, station: StationPort, config: Config) -> None:
        super().__init__(station, config)
        self._unsaved: set[int] = set()
        self._before = EpisodeBook(config.run_dir).demonstrations(failures_too=True)

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        if isinstance(event, EpisodeEnded) and event.ended_by in _KEPT:
            self._unsaved.add(event.episode)
        if (dataset := self._station.state.dataset) is not None:
            self._unsaved = {n for n in self._unsaved - dataset.saved.keys() if n > dataset.through}

    async def _work(self) -> RunEnded:
        wanted = self._config.dataset.num_episodes_to_record
        order = Collect(EpisodeKind.DEMONSTRATION, self._before + wanted)
        await self._collect(order, Phase.RECORDING, "recording demonstrations", self._before)
        await self._station.wait_for(lambda: not self._unsaved)
        dataset = self._station.state.dataset
        where = f" in {dataset.root}, which has {dataset.episodes} now" if dataset is not None else ""
        return RunEnded(f"{wanted} episodes recorded{where}", succeeded=True)
