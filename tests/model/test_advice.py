"""Each rule says its word on a run that deserves it, and nothing on one that does not."""

import msgspec
import pytest

from workers.model import events as e
from workers.model.advice import CLEAR_AFTER_S, RAISE_AFTER_S, REWORD_S, Adviser, findings
from workers.model.figures import Figures, figures_of
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

TYPICAL = (1_400, "others did")
OPENED = e.RunOpened(
    "r", "runs/r", "c.toml", "pick_lift", 10.0, ("front",), (0, 0, 0), (1, 1, 1), 100, 100, 0.5, 2.0, 20, True
)
GOOD = {
    "critic_loss": 0.01,
    "q_policy": 0.6,
    "temperature": 0.01,
    "entropy": 2.0,
    "saturated": 0.1,
    "rewarded": 0.02,
}
LEARNS = e.LearnerProgress(4_000, 2_000, 2.0, 20.0, 50, "training", GOOD)


def ended(
    success: bool, human: int = 0, interventions: int = 0, steps: int = 60, demo: bool = False
) -> e.EpisodeEnded:
    kind = e.EpisodeKind.DEMONSTRATION if demo else e.EpisodeKind.TRAINING
    by = e.EndedBy.SUCCESS if success else e.EndedBy.TIME_LIMIT
    return e.EpisodeEnded(0, kind, float(success), steps, human, interventions, by, 6.0)


def run_of(*events: e.Event) -> ConsoleState:
    """A run in training, with a learner that is well, and then what happened in it."""
    state = ConsoleState()
    for event in (OPENED, e.PhaseChanged(e.Phase.TRAINING), LEARNS, e.PolicySwapped(50, 95.0), *events):
        state = reduce(state, event)
    return state


def learner(**metrics: float) -> e.LearnerProgress:
    return e.LearnerProgress(4_000, 2_000, 2.0, 20.0, 50, "training", GOOD | metrics)


def told(*events: e.Event) -> dict[str, str]:
    figures = figures_of(run_of(*events), 100.0)
    return {advice.id: advice.words for advice in findings(figures, TYPICAL)}


def judged(*at_resets: float) -> list[e.Event]:
    """A run with a classifier that gives the first step of each episode such a probability, and every other 0.9."""
    used = e.ClassifierUsed("me/judge", 0.5, 3, 4)
    events: list[e.Event] = [msgspec.structs.replace(OPENED, classifier=used)]
    for episode, first in enumerate(at_resets):
        events.append(e.EpisodeStarted(episode, e.EpisodeKind.TRAINING))
        for step, probability in enumerate((first, 0.9)):
            events.append(e.StepTaken(episode, step + 1, 100, 0.0, e.Driver.POLICY, probability))
    return events


WELL = (
    [ended(True, demo=True)] * 20 + [ended(True, 12, 1)] * 20 + [ended(True)] * 10 + [ended(False, 6, 1)] * 10
)
HELPED = [ended(True, 20, 1)] * 20  # a third of the steps

FIRES: dict[str, list[e.Event]] = {
    "frozen-camera": [e.CameraJudged("front", "frozen")],
    "diverging": [learner(q_policy=400.0)],
    "never-updated": [e.PolicySwapped(0, 0.0)],
    "no-reward": [ended(False, demo=True)] * 6 + [learner(rewarded=0.0)],
    "fires-at-reset": [ended(True, steps=2)] * 12,
    "human-does-everything": [ended(True, 58, 1)] * 12,
    "too-long": [ended(True, 45, 1)] * 12,
    "not-falling": HELPED * 2,
    "saturated": [learner(saturated=0.93)],
    "not-started": [ended(False, 10, 2)] * 12,
}
DOES_NOT: dict[str, list[e.Event]] = {
    "frozen-camera": [e.CameraJudged("front", "frozen"), e.CameraJudged("front", "")],
    "diverging": [learner(q_policy=2.0)],
    "never-updated": [e.PolicySwapped(49, 95.0)],
    "no-reward": [ended(False, demo=True)] * 6 + [ended(True), learner(rewarded=0.0)],
    "fires-at-reset": [ended(True, steps=20)] * 12,
    "human-does-everything": [ended(True, 40, 2)] * 12,
    "too-long": [ended(True, 24, 2)] * 12,
    "not-falling": HELPED + [ended(True, 10, 1)] * 20,
    "saturated": [learner(saturated=0.5)],
    "not-started": [ended(False, 10, 2)] * 12 + [ended(True)],
}


@pytest.mark.parametrize("rule", FIRES)
def test_a_rule_speaks_of_a_run_that_deserves_it_and_of_no_other(rule: str) -> None:
    assert rule in told(*FIRES[rule])
    assert rule not in told(*DOES_NOT[rule])


def test_a_run_that_goes_well_gets_no_advice() -> None:
    assert told(*WELL) == {}


def test_the_classifiers_word_at_the_reset_counts_where_it_is_known() -> None:
    assert "97%" in told(*judged(0.97, 0.96, 0.98), *WELL)["fires-at-reset"]
    assert told(*judged(0.03, 0.04), *WELL) == {}
    assert told(*judged(0.97), *WELL) == {}, "one episode that begins with the object in place"
    assert told(*judged(*[0.97] * 5, *[0.02] * 5), *WELL) == {}, "it was mended"


def test_a_policy_that_is_far_behind_is_named_with_its_age() -> None:
    assert (
        told(e.PolicySwapped(12, 10.0))["never-updated"]
        == "the actor drives with policy 12, 38 behind, 90 s old"
    )


def test_a_q_that_is_no_number_diverges() -> None:
    assert "no number" in told(learner(q_policy=float("nan")))["diverging"]


def test_the_entropys_bonus_is_no_divergence() -> None:
    """alpha 0.1 x 3 nats / (1 - 0.99) = 30 nats of bonus."""
    assert "diverging" not in told(learner(q_policy=60.0, temperature=0.1, entropy=3.0))


def test_what_is_normal_so_early_is_called_so() -> None:
    early = e.LearnerProgress(400, 700, 0.6, 20.0, 50, "training", GOOD)
    fails = [ended(False, 10, 2)] * 12
    assert "this is normal" in told(*fails, early)["not-started"]
    assert "this is normal" not in told(*fails)["not-started"]


def test_a_run_that_does_not_train_is_left_alone() -> None:
    assert told(*[ended(False)] * 12, e.PhaseChanged(e.Phase.EVALUATING)) == {}


def figures(saturated: float) -> Figures:
    return Figures(trains=True, saturated=saturated)


def shown(adviser: Adviser, saturated: float, now_s: float) -> list[str]:
    return [advice.words for advice in adviser.look(figures(saturated), TYPICAL, now_s)]


def test_advice_neither_flickers_at_its_threshold_nor_vanishes_at_once() -> None:
    adviser, now_s = Adviser(), 0.0
    seen = []
    for tick in range(120):  # around 0.8, every second
        now_s = float(tick)
        seen.append(bool(shown(adviser, 0.81 if tick < 10 or tick % 2 else 0.79, now_s)))
    first = seen.index(True)
    assert first == RAISE_AFTER_S and all(seen[first:])
    gone = [second for second in range(60) if not shown(adviser, 0.1, now_s + second)]
    assert gone[0] == CLEAR_AFTER_S + 1


def test_a_passing_moment_is_no_advice() -> None:
    adviser = Adviser()
    assert not any(shown(adviser, 0.95 if tick % 4 else 0.1, float(tick)) for tick in range(40))


def test_a_figure_in_advice_is_renewed_now_and_then_only() -> None:
    adviser = Adviser()
    words = [tuple(shown(adviser, 0.85 + tick / 1000, float(tick))) for tick in range(46)]
    assert len(set(words[5:])) <= 41 / REWORD_S + 1


def test_the_most_important_comes_first() -> None:
    adviser = Adviser()
    both = Figures(trains=True, saturated=0.9, flaws={"front": "black"})
    adviser.look(both, TYPICAL, 0.0)
    assert [advice.id for advice in adviser.look(both, TYPICAL, 6.0)] == ["frozen-camera", "saturated"]
