"""The replay recipe: one recorded episode, driven once."""

from workers.model.events import EpisodeKind, Phase, RunEnded
from workers.model.orders import Collect
from workers.station.recipes.recipe import Recipe


class ReplayRecipe(Recipe):
    """Ends when the arm has been driven through `dataset.replay_episode`; one that was cut short is begun again."""

    async def _work(self) -> RunEnded:
        what = f"episode {self._config.dataset.replay_episode} of the dataset"
        await self._collect(Collect(EpisodeKind.REPLAY, 1), Phase.REPLAYING, f"replaying {what}")
        return RunEnded(f"{what} was replayed", succeeded=True)
