"""The replay recipe: one recorded episode, driven once."""

from workers.model.events import REPLAYED, EpisodeKind, Event, LogLine, Phase, RunEnded
from workers.model.orders import Collect
from workers.station.recipes.recipe import Recipe


class ReplayRecipe(Recipe):
    """Ends when the arm has been driven through `dataset.replay_episode`; one that was cut short is begun again."""

    _went = ""

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        if isinstance(event, LogLine) and REPLAYED in event.text:
            self._went = "; " + event.text.partition(REPLAYED)[2]

    async def _work(self) -> RunEnded:
        what = f"episode {self._config.dataset.replay_episode} of the dataset"
        await self._collect(Collect(EpisodeKind.REPLAY, 1), Phase.REPLAYING, f"replaying {what}")
        return RunEnded(f"{what} was replayed{self._went}", succeeded=True)
