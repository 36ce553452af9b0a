"""The training recipe: demonstrations, then training, with an evaluation whenever the policy looks ready.

Who explores looks worse than what is evaluated: the first one may be due after so many episodes whatever their success.
"""

from workers.config import Config
from workers.evaluation.keeper import Keeper
from workers.model.evaluation import Contestant
from workers.model.evaluation_figures import made
from workers.model.events import (
    EpisodeEnded,
    EpisodeKind,
    EpisodeStarted,
    Event,
    Phase,
    PhaseChanged,
    RunEnded,
    StepTaken,
    TrialEnded,
)
from workers.model.orders import Attend, Collect, Learn
from workers.model.select import WINDOW, autonomous_success, training_episodes
from workers.runtime.episode_book import EpisodeBook
from workers.station.recipes.evaluate import opened
from workers.station.recipes.recipe import Recipe, StationPort

EPISODES_BETWEEN_EVALUATIONS = 20
EPISODES_AFTER_A_PASS = 100  # a console run goes on training; it need not be examined all the time
LEAST_ATTENDANCE = 0.1  # the scripted person looks in now and then, however good the policy is
FIRST_ATTENDANCE = 0.8


class TrainRecipe(Recipe):
    """Runs until `until_success` is proven in an evaluation (None: never), or `policy.online_steps` are done."""

    def __init__(self, station: StationPort, config: Config, until_success: float | None) -> None:
        super().__init__(station, config)
        self._until_success = until_success
        self._evaluation_asked = False
        self._trained = 0  # episodes of training since the run was opened
        self._next_evaluation_at = 0
        self._keeper: Keeper | None = None  # of the evaluation that runs
        done = EpisodeBook(config.run_dir).read()
        self._steps = sum(ep.steps for ep in done if ep.kind is EpisodeKind.TRAINING)  # in finished episodes
        self._steps_running = 0  # in the episode of training that runs now

    def on_event(self, event: Event) -> None:
        super().on_event(event)
        match event:
            case TrialEnded():
                self._keep(event)
            case EpisodeStarted():
                self._steps += self._steps_running  # of an episode whose actor died
                self._steps_running = 0
            case StepTaken(_, step) if self._station.state.running.kind is EpisodeKind.TRAINING:
                self._steps_running = step
            case EpisodeEnded(kind=EpisodeKind.TRAINING, steps=steps):
                self._trained += 1
                self._steps += steps
                self._steps_running = 0

    def evaluate_now(self) -> None:
        self._evaluation_asked = True

    async def run(self) -> RunEnded:
        """As every recipe; an evaluation that is cut short keeps its trials."""
        try:
            return await super().run()
        finally:
            self._close_evaluation("cut off with the run", complete=False)

    async def _work(self) -> RunEnded:
        if (refused := await self._examine()) is not None:
            return refused
        station, demonstrations = self._station, self._config.operator.demonstrations
        station.stand("learner", Learn(True))
        if demonstrations:
            order = Collect(EpisodeKind.DEMONSTRATION, demonstrations)
            await self._collect(order, Phase.RECORDING, "recording demonstrations")
        station.stand("learner", Learn(True, all_demonstrated=True))
        while not self._exhausted():
            await self._train()
            if self._exhausted():
                break
            passed, rate = await self._evaluate()
            if passed and self._until_success is not None:
                return RunEnded(f"autonomous success {rate:.0%} in the evaluation", succeeded=True)
        limit = self._config.policy.online_steps
        return RunEnded(f"policy.online_steps reached: {limit} steps of training", succeeded=False)

    def _exhausted(self) -> bool:
        """Whether the run has made all the environment steps of training it is to make."""
        return self._steps + self._steps_running >= self._config.policy.online_steps

    async def _train(self) -> None:
        station = self._station
        station.emit(PhaseChanged(Phase.TRAINING, "learning on the arm"))
        station.stand("actor", Attend(self._attendance()))
        station.stand("actor", Collect(EpisodeKind.TRAINING))
        while not (self._evaluation_asked or self._ready() or self._exhausted()):
            await self._next_episode(self._trained)
            station.stand("actor", Attend(self._attendance()))
        self._evaluation_asked = False

    async def _next_episode(self, seen: int) -> None:
        """Until one more episode of training ended, somebody asked for an evaluation, or all steps are done."""
        await self._station.wait_for(
            lambda: self._evaluation_asked or self._trained > seen or self._exhausted()
        )

    def _ready(self) -> bool:
        state = self._station.state
        episodes = training_episodes(state)
        rate = autonomous_success(episodes)
        evaluation = self._config.evaluation
        succeeds = len(episodes) >= WINDOW and rate is not None and rate >= evaluation.start_at_success
        if not self._next_evaluation_at and 0 < evaluation.start_after_episodes <= self._trained:
            return True
        return succeeds and self._trained >= self._next_evaluation_at

    def _attendance(self) -> float:
        """How often the scripted person supervises: as often as the policy needs it."""
        episodes = training_episodes(self._station.state)
        if len(episodes) < WINDOW // 2:
            return FIRST_ATTENDANCE
        return min(FIRST_ATTENDANCE, max(LEAST_ATTENDANCE, 1.0 - (autonomous_success(episodes) or 0.0)))

    async def _evaluate(self) -> tuple[bool, float]:
        """(passed, success rate) of the newest policy, alone and deterministic."""
        total = self._config.evaluation.episodes
        target = self._until_success if self._until_success is not None else 0.9
        failures_allowed = int(total * (1.0 - target) + 1e-9)
        give_up = failures_allowed + 1 if self._until_success is not None else 0
        order = Collect(EpisodeKind.EVALUATION, total, give_up_after=give_up)
        await self._collect(order, Phase.EVALUATING, "the policy alone, deterministic")
        result = self._station.state.evaluation
        rate = result.successes / result.trials if result and result.trials else 0.0
        if result is not None:
            of = f"{result.successes} of {result.trials} succeeded"
            self._note(f"evaluation of policy {result.policy_version}: {of}")
        complete = result is not None and result.trials == total
        self._close_evaluation("all trials made" if complete else "given up: too many failures", complete)
        passed = result is not None and result.trials == total and rate >= target
        pause = EPISODES_AFTER_A_PASS if passed else EPISODES_BETWEEN_EVALUATIONS
        self._next_evaluation_at = self._trained + pause
        return passed, rate

    def _keep(self, trial: TrialEnded) -> None:
        """Keep a trial of the evaluation that runs; one of other weights, or a second first one, begins another."""
        kept = self._keeper
        if kept is not None and (
            kept.result.contestants[0].digest != trial.digest or trial.number < made(kept.result)
        ):
            self._close_evaluation("cut off: the actor was started again", complete=False)
        if self._keeper is None:
            contestant = Contestant(
                label=f"policy {trial.policy_version}",
                source=str(self._config.run_dir / "policy"),
                run=self._config.run.name,
                policy_version=trial.policy_version,
                digest=trial.digest,
            )
            self._keeper = Keeper(opened(self._config, (contestant,)), self._station.emit)
        self._keeper.take(trial)

    def _close_evaluation(self, ended: str, complete: bool) -> None:
        if self._keeper is not None:
            count = made(self._keeper.result)
            self._keeper.end(f"{count} {'trial' if count == 1 else 'trials'}, {ended}", complete)
            self._keeper = None
