"""The evaluation recipe: trials of one policy, or of two that take turns; each is kept when it ends."""

import time

from msgspec.structs import replace

from workers.config import Config
from workers.config.evaluation import evaluated_run
from workers.evaluation.contestants import read_contestants
from workers.evaluation.keeper import Keeper
from workers.evaluation.schedule import schedule
from workers.model.evaluation import Contestant, Result
from workers.model.evaluation_figures import brief, introduced, made, wanted
from workers.model.evaluation_files import CUT_OFF, new_folder, unfinished
from workers.model.events import EpisodeKind, Event, Phase, PhaseChanged, RunEnded, TrialEnded
from workers.model.orders import Collect
from workers.station.recipes.recipe import Recipe, StationPort


class EvaluateRecipe(Recipe):
    """Ends when every trial was made; what was made until then is kept, however it ends."""

    def __init__(self, station: StationPort, config: Config) -> None:
        super().__init__(station, config)
        self._keeper: Keeper | None = None
        self._wrong = ""

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        if not isinstance(event, TrialEnded) or self._keeper is None:
            return
        expected = self._keeper.result.contestants[event.side].digest
        if event.digest != expected:
            self._wrong = (
                f"the actor drove with weights {event.digest[:12]} where {expected[:12]} were laid ready"
            )
        else:
            self._keeper.take(event)

    def opened(self) -> None:
        for line in introduced(read_contestants(self._config.run_dir)):
            self._note(line)

    async def run(self) -> RunEnded:
        """As every recipe; one that is cut short keeps its trials."""
        ended: RunEnded | None = None
        try:
            ended = await super().run()
            return ended
        finally:
            if self._keeper is not None:
                result = self._keeper.result
                cut = f"{CUT_OFF} {made(result)} of {wanted(result)} trials"
                self._keeper.end(f"{cut}: {ended.reason}" if ended is not None else cut, complete=False)

    async def _work(self) -> RunEnded:
        if (refused := await self._examine()) is not None:
            return refused
        config, contestants = self._config, read_contestants(self._config.run_dir)
        self._keeper = keeper = Keeper(begun(config, contestants), self._station.emit)
        begins = keeper.result
        counted = {trial.number for trial in begins.trials if trial.counted}
        plans = schedule(begins.wanted, len(contestants), begins.seed)
        words = "the policy alone, deterministic" if len(contestants) == 1 else "A and B take turns, alone"
        for plan in (plan for plan in plans if plan.number not in counted):
            order = Collect(EpisodeKind.EVALUATION, 1, trial=plan)
            self._station.emit(PhaseChanged(Phase.EVALUATING, words, plan.number, len(plans)))
            await self._fulfilled(order)
            if self._wrong:
                return RunEnded(self._wrong, succeeded=False, failed=True)
        self._station.emit(PhaseChanged(Phase.EVALUATING, words, len(plans), len(plans)))
        keeper.end(f"{len(plans)} of {len(plans)} trials", complete=True)
        return RunEnded(brief(keeper.result), succeeded=True)

    async def _fulfilled(self, order: Collect) -> None:
        self._collected = None
        self._station.stand("actor", order)
        while True:
            await self._station.wait_for(lambda: self._collected is not None)
            seen, self._collected = self._collected, None
            if seen is not None and seen.kind is order.kind and seen.finished:
                return


def begun(config: Config, contestants: tuple[Contestant, ...]) -> Result:
    """The result that this evaluation goes on with, or a new one."""
    if config.evaluation.go_on and (result := unfinished(evaluated_run(config.run_dir))) is not None:
        return replace(result, ended="")
    return opened(config, contestants)


def opened(config: Config, contestants: tuple[Contestant, ...]) -> Result:
    """The result of an evaluation that begins now."""
    began_s, run_dir = round(time.time(), 2), evaluated_run(config.run_dir)
    return Result(
        folder=str(new_folder(run_dir, began_s, contestants[0].digest)),
        run=run_dir.name,
        task=config.env.task if config.env.id is None else config.env.id,
        began_s=began_s,
        wanted=config.evaluation.episodes,
        seed=config.run.seed,
        simulated=config.simulated,
        contestants=contestants,
    )
