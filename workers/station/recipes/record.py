"""The recording recipe: episodes for a dataset, each of which is saved before the run ends."""

from workers.config import Config
from workers.model.events import EndedBy, EpisodeEnded, EpisodeKind, Event, Phase, RunEnded
from workers.model.orders import Collect
from workers.station.recipes.recipe import Recipe, StationPort

_KEPT = (EndedBy.SUCCESS, EndedBy.FAILURE, EndedBy.TIME_LIMIT)


class RecordRecipe(Recipe):
    """Ends when the run has recorded `dataset.num_episodes_to_record` episodes and all of them are saved."""

    def __init__(self, station: StationPort, config: Config) -> None:
        super().__init__(station, config)
        self._unsaved: set[int] = set()

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        if isinstance(event, EpisodeEnded) and event.ended_by in _KEPT:
            self._unsaved.add(event.episode)
        dataset = self._station.state.dataset
        self._unsaved -= dataset.saved.keys() if dataset is not None else set()

    async def _work(self) -> RunEnded:
        wanted = self._config.dataset.num_episodes_to_record
        await self._collect(
            Collect(EpisodeKind.DEMONSTRATION, wanted), Phase.RECORDING, "recording demonstrations"
        )
        await self._station.wait_for(lambda: not self._unsaved)
        dataset = self._station.state.dataset
        where = f" in {dataset.root}, which has {dataset.episodes} now" if dataset is not None else ""
        return RunEnded(f"{wanted} episodes recorded{where}", succeeded=True)
