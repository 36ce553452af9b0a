"""An episode as the log sees it: who drove, what was executed, how it ended. On the simulator, in process."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from workers.actor.chair import Chair
from workers.actor.environment import ArmEnv, ArmUnavailable
from workers.actor.episode import EpisodeRunner
from workers.actor.keys import jog_delta
from workers.actor.rules import EpisodeResult, Rules
from workers.actor.sim_env import InProcessArm, sim_env, without_cameras
from workers.config import load
from workers.config.ready import ready_config
from workers.model.commands import Axis, Command, Intervene, Jog, Mark, Verdict
from workers.model.events import GIVEN_BACK, Driver, DriverChanged, EndedBy, EpisodeKind, Event, StepTaken
from workers.teleop.scripted_operator import ScriptedOperator
from workers.teleop.scripts import Hand, PickLiftScript
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Step


class StillPolicy:
    """Does nothing; remembers what it was asked."""

    def __init__(self, version: int) -> None:
        self.version = version
        self.asked: list[bool] = []

    def act(self, observation, deterministic: bool) -> np.ndarray:
        self.asked.append(deterministic)
        return np.array([0, 0, 0, 1], np.float32)


class ScriptedKeys:
    """A period in which commands arrive: step number -> commands."""

    def __init__(
        self, port: InProcessArm, chair: Chair, keys: dict[int, list[Command]], until: int | None = None
    ) -> None:
        self._port, self._chair, self._keys, self._until = port, chair, keys, until
        self._step = -1
        self.stages_ms: dict[str, float] = {}

    def restart(self) -> None:
        self._step = -1

    def pass_by(self, on_input: Callable[[], None]) -> None:
        self._step += 1
        for command in self._keys.get(self._step, []):
            self._chair.take(command)
            on_input()
        self._port.wait_period()

    def interrupted(self) -> str:
        return "told to end" if self._until is not None and self._step + 1 >= self._until else ""


class Bench:
    def __init__(self, env: ArmEnv, port: InProcessArm) -> None:
        self.env, self.port = env, port

    def run(
        self,
        kind: EpisodeKind,
        keys: dict[int, list[Command]],
        scripted: bool = False,
        person: bool = False,
        version: int = 7,
        rules: Rules = Rules(),  # noqa: B008
        pressed: tuple[Command, ...] = (),
        until: int | None = None,
    ) -> EpisodeResult:
        self.records: list[Step | EpisodeEnd] = []
        self.events: list[Event] = []
        chair = Chair(scripted=scripted, jog_step=0.5)
        script = ScriptedOperator(6, PickLiftScript(Hand()), np.random.default_rng(0))
        chair.person_drives = person
        for command in pressed:
            chair.take(command)
        self.policy = StillPolicy(version)
        period = ScriptedKeys(self.port, chair, keys, until)
        runner = EpisodeRunner(
            self.env, self.policy, chair, script, period, self.records.append, self.events.append, rules
        )
        return runner.run(kind, episode=3, seed=5)

    @property
    def steps(self) -> list[Step]:
        return [record for record in self.records if isinstance(record, Step)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    made = Bench(*sim_env(without_cameras(load(ready_config()))))
    yield made
    made.env.close()


def test_a_demonstration_is_recorded_step_by_step_and_succeeds(bench: Bench) -> None:
    result = bench.run(EpisodeKind.DEMONSTRATION, {}, scripted=True)
    assert result.ended_by is EndedBy.SUCCESS
    assert all(step.is_demonstration and not step.is_intervention for step in bench.steps)
    assert [step.step for step in bench.steps] == list(range(result.steps))
    assert [step.reward for step in bench.steps] == [0.0] * (result.steps - 1) + [1.0]
    assert bench.steps[-1].terminated and not any(step.terminated for step in bench.steps[:-1])
    end = bench.records[-1]
    assert isinstance(end, EpisodeEnd) and end.outcome is Outcome.SUCCESS and end.state is not None


def test_a_still_policy_runs_into_the_time_limit(bench: Bench) -> None:
    result = bench.run(EpisodeKind.TRAINING, {})
    assert result.ended_by is EndedBy.TIME_LIMIT and result.steps == bench.env.step_limit
    assert bench.steps[-1].truncated and not bench.steps[-1].terminated
    assert result.steps_by_human == 0
    assert bench.policy.asked == [False] * result.steps


def test_the_scripted_person_takes_over_a_stuck_policy_and_it_counts_as_intervention(bench: Bench) -> None:
    result = bench.run(EpisodeKind.TRAINING, {}, scripted=True)
    assert result.interventions >= 1
    helped = [step.is_intervention for step in bench.steps]
    assert not any(helped[:6]), "it is patient first"
    assert sum(helped) == result.steps_by_human > 0
    drivers = [event.driver for event in bench.events if isinstance(event, StepTaken)]
    assert [driver is Driver.SCRIPTED for driver in drivers] == helped


def test_key_presses_move_the_arm_and_are_what_is_recorded(bench: Bench) -> None:
    keys = {
        2: [Intervene(True)],
        3: [Jog(Axis.X, 1), Jog(Axis.X, 1), Jog(Axis.Z, -1), Jog(Axis.GRIPPER, -1)],
        4: [Intervene(False)],
    }
    bench.run(EpisodeKind.TRAINING, keys)
    assert [step.is_intervention for step in bench.steps[:6]] == [False, False, False, True, True, False]
    assert bench.steps[3].action == pytest.approx([1.0, 0.0, -0.5, 0.0])
    assert bench.steps[3].discrete_penalty < 0
    assert bench.steps[4].action == pytest.approx([0, 0, 0, 1])
    drivers = [event.driver for event in bench.events if isinstance(event, DriverChanged)]
    assert drivers == [Driver.POLICY, Driver.HUMAN, Driver.NOBODY, Driver.POLICY, Driver.NOBODY]
    given_back = bench.events.index(DriverChanged(Driver.NOBODY, GIVEN_BACK))
    told = next(event for event in bench.events[given_back:] if isinstance(event, StepTaken))
    assert (told.step, told.driver) == (5, Driver.HUMAN), "at once, and the step is the person's all the same"


def test_more_key_presses_than_a_period_holds_are_bounded(bench: Bench) -> None:
    bench.run(
        EpisodeKind.TRAINING, {0: [Intervene(True)], 1: [Jog(Axis.Y, 1)] * 9, 2: [Mark(Verdict.FAILURE)]}
    )
    assert bench.steps[1].action[1] == pytest.approx(1.0)


def test_an_episode_is_no_longer_for_a_person_s_help(bench: Bench) -> None:
    result = bench.run(EpisodeKind.TRAINING, {0: [Intervene(True)], 10: [Intervene(False)]})
    assert result.ended_by is EndedBy.TIME_LIMIT
    assert result.steps_by_human == 10
    assert result.steps == bench.env.step_limit


@pytest.mark.parametrize(
    ("verdict", "ended_by", "reward"),
    [(Verdict.SUCCESS, EndedBy.SUCCESS, 1.0), (Verdict.FAILURE, EndedBy.FAILURE, 0.0)],
)
def test_the_persons_verdict_ends_the_episode(
    bench: Bench, verdict: Verdict, ended_by: EndedBy, reward: float
) -> None:
    result = bench.run(EpisodeKind.TRAINING, {4: [Mark(verdict)]})
    assert (result.ended_by, result.steps, result.reward) == (ended_by, 5, reward)
    assert bench.steps[-1].terminated and bench.steps[-1].reward == reward


def test_rerecord_discards_the_episode_in_the_log(bench: Bench) -> None:
    result = bench.run(EpisodeKind.DEMONSTRATION, {4: [Mark(Verdict.RERECORD)]}, scripted=True)
    end = bench.records[-1]
    assert result.ended_by is EndedBy.RERECORD
    assert isinstance(end, EpisodeEnd) and end.discard


def test_an_evaluation_is_the_policy_alone_and_leaves_no_training_data(bench: Bench) -> None:
    result = bench.run(EpisodeKind.EVALUATION, {}, scripted=True)
    assert bench.records == []
    assert result.steps_by_human == 0
    assert all(bench.policy.asked), "deterministic"


def test_jog_keys_become_partial_actions(bench: Bench) -> None:
    features = bench.env.features
    assert jog_delta(Jog(Axis.Y, -1), 0.5, features) == pytest.approx([0, -0.5, 0, 1])
    assert jog_delta(Jog(Axis.GRIPPER, 1), 0.5, features) == pytest.approx([0, 0, 0, 2])


def test_a_key_for_an_axis_that_is_not_there_moves_nothing() -> None:
    features = FeatureSpec(state_dim=1, cameras=(), height=0, width=0, motion_dim=1, gripper=False)
    assert jog_delta(Jog(Axis.X, 1), 0.5, features) == pytest.approx([0.5])
    assert jog_delta(Jog(Axis.Z, 1), 0.5, features) == pytest.approx([0.0])
    assert jog_delta(Jog(Axis.GRIPPER, 1), 0.5, features) == pytest.approx([0.0])


def test_a_person_demonstrates_with_the_keys(bench: Bench) -> None:
    keys: dict[int, list[Command]] = {0: [Jog(Axis.Y, 1)], 1: [Mark(Verdict.SUCCESS)]}
    result = bench.run(EpisodeKind.DEMONSTRATION, keys, person=True)
    assert result.ended_by is EndedBy.SUCCESS and result.steps_by_human == 2
    assert bench.steps[0].action[1] == pytest.approx(0.5)
    assert all(step.is_demonstration for step in bench.steps)


def test_letting_go_of_a_demonstration_discards_it(bench: Bench) -> None:
    result = bench.run(EpisodeKind.DEMONSTRATION, {2: [Intervene(False)]}, person=True)
    assert result.ended_by is EndedBy.STOP and "let go" in result.reason
    assert isinstance(bench.records[-1], EpisodeEnd) and bench.records[-1].discard


def test_a_demonstration_that_fails_is_not_cloned(bench: Bench) -> None:
    bench.run(EpisodeKind.DEMONSTRATION, {3: [Mark(Verdict.FAILURE)]}, scripted=True)
    assert isinstance(bench.records[-1], EpisodeEnd) and bench.records[-1].discard


def test_a_trial_that_somebody_takes_over_does_not_count(bench: Bench) -> None:
    result = bench.run(EpisodeKind.EVALUATION, {4: [Intervene(True)]})
    assert result.ended_by is EndedBy.STOP and result.steps == 5


def test_an_evaluation_cannot_be_pressed_to_success(bench: Bench) -> None:
    result = bench.run(EpisodeKind.EVALUATION, {4: [Mark(Verdict.SUCCESS)]})
    assert result.ended_by is EndedBy.TIME_LIMIT


def test_without_a_policy_the_arm_is_not_driven(bench: Bench) -> None:
    result = bench.run(EpisodeKind.TRAINING, {3: [Intervene(False)]}, person=True, version=0)
    assert result.ended_by is EndedBy.STOP and "no policy" in result.reason
    assert result.steps == 4 and bench.policy.asked == []


def test_an_arm_that_goes_away_ends_the_episode_with_what_was_done(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = iter(range(100))
    read = bench.port.read

    def failing() -> object:
        if next(reads) == 5:
            raise ArmUnavailable("camera front: no frame")
        return read()

    monkeypatch.setattr(bench.port, "read", failing)
    result = bench.run(EpisodeKind.TRAINING, {})
    assert result.ended_by is EndedBy.STOP and result.reason == "camera front: no frame"
    assert result.steps == len(bench.steps) == 4
    end = bench.records[-1]
    assert isinstance(end, EpisodeEnd) and end.state is None
    assert bench.events[-1] == DriverChanged(Driver.NOBODY), "the next episode tells its driver again"


def test_a_survey_waits_where_the_arm_is_until_somebody_drives_and_leaves_no_record(bench: Bench) -> None:
    last = bench.env.step_limit + 20
    keys: dict[int, list[Command]] = {
        5: [Jog(Axis.X, 1)],
        10: [Intervene(True), Jog(Axis.X, 1), Jog(Axis.X, 1)],
        20: [Intervene(False)],
        25: [Mark(Verdict.SUCCESS)],
    }
    result = bench.run(EpisodeKind.SURVEY, keys, version=0, until=last)
    assert result.steps == last and result.reason == "told to end", "no time limit and no verdict ends it"
    assert bench.records == [] and bench.policy.asked == []
    drivers = [(event.driver, event.reason) for event in bench.events if isinstance(event, DriverChanged)]
    waits = (Driver.NOBODY, "space takes the arm")
    given_back = (Driver.NOBODY, GIVEN_BACK)
    assert drivers == [waits, (Driver.HUMAN, ""), given_back, waits, (Driver.NOBODY, "")]
    driven = [
        event.step for event in bench.events if isinstance(event, StepTaken) and event.driver is Driver.HUMAN
    ]
    assert driven == list(range(12, 22))
    assert bench.port.read().joints_deg[1] > -2.0 + 3.0, "it stays where the person left it"
