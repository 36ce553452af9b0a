"""The recording recipe: demonstrations, for the dataset that is written when the run is over."""

from workers.dataset.layout import dataset_folder
from workers.model.events import EpisodeKind, Phase, RunEnded
from workers.model.orders import Collect
from workers.station.recipes.recipe import Recipe


class RecordRecipe(Recipe):
    """Ends when the run has `dataset.num_episodes_to_record` demonstrations that succeeded."""

    async def _work(self) -> RunEnded:
        wanted = self._config.dataset.num_episodes_to_record
        order = Collect(EpisodeKind.DEMONSTRATION, wanted)
        await self._collect(order, Phase.RECORDING, "recording demonstrations")
        folder = dataset_folder(self._config.dataset)
        return RunEnded(f"{wanted} demonstrations recorded; the dataset goes to {folder}", succeeded=True)
