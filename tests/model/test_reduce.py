"""The state an operator sees follows from the events, and from nothing else."""

import pytest

from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.select import (
    all_success,
    autonomous_success,
    intervention_rate,
    policy_age_s,
    rolling,
    training_episodes,
    wilson_interval,
)
from workers.model.state import LOG_LINES_KEPT, ConsoleState


def fold(*events: e.Event) -> ConsoleState:
    state = ConsoleState()
    for event in events:
        state = reduce(state, event)
    return state


def ended(
    episode: int, success: bool, by_human: int = 0, kind: e.EpisodeKind = e.EpisodeKind.TRAINING
) -> e.EpisodeEnded:
    by = e.EndedBy.SUCCESS if success else e.EndedBy.TIME_LIMIT
    return e.EpisodeEnded(episode, kind, float(success), 10, by_human, int(by_human > 0), by, 1.0)


def test_a_helped_success_is_not_autonomous() -> None:
    episodes = training_episodes(
        fold(ended(0, True), ended(1, True, by_human=4), ended(2, False), ended(3, False))
    )
    assert autonomous_success(episodes) == 0.25
    assert all_success(episodes) == 0.5
    assert intervention_rate(episodes) == 0.1


def test_demonstrations_and_evaluations_do_not_count_as_training() -> None:
    state = fold(
        ended(0, True, kind=e.EpisodeKind.DEMONSTRATION),
        ended(1, True, kind=e.EpisodeKind.EVALUATION),
        ended(2, False),
    )
    assert [ep.episode for ep in training_episodes(state)] == [2]
    assert autonomous_success(training_episodes(state)) == 0.0


def test_no_episode_gives_no_figure_instead_of_zero() -> None:
    assert autonomous_success(()) is None
    assert all_success(()) is None
    assert intervention_rate(()) is None
    assert rolling(()) == []


def test_human_steps_and_takeovers_of_the_running_episode_are_counted() -> None:
    step = e.StepTaken(0, 1, 30, 0.0, e.Driver.POLICY)
    state = fold(
        e.EpisodeStarted(0, e.EpisodeKind.TRAINING),
        e.DriverChanged(e.Driver.POLICY),
        step,
        e.DriverChanged(e.Driver.HUMAN),
        e.StepTaken(0, 2, 30, 0.0, e.Driver.HUMAN),
        e.DriverChanged(e.Driver.SCRIPTED),  # a change among people is no second takeover
        e.StepTaken(0, 3, 30, 0.0, e.Driver.SCRIPTED),
    )
    assert (state.running.step, state.running.steps_by_human, state.running.interventions) == (3, 2, 1)


def test_stop_stays_until_it_is_cleared() -> None:
    latched = fold(e.StopLatched("keyboard"), e.DriverChanged(e.Driver.POLICY), e.PauseChanged(False))
    assert latched.control.stopped and latched.control.stopped_by == "keyboard"
    assert not reduce(latched, e.StopCleared("keyboard")).control.stopped


def test_an_event_leaves_unrelated_slices_identical() -> None:
    state = fold(ended(0, True), e.LogLine("actor", e.Level.INFO, "hello"))
    moved = reduce(state, e.ArmMoved((0.2, 0.0, 0.1), 40.0, e.GateMode.ENGAGED))
    assert moved.arm is not state.arm
    assert moved.episodes is state.episodes and moved.log is state.log and moved.control is state.control


def test_the_log_keeps_the_newest_lines() -> None:
    state = fold(*(e.LogLine("actor", e.Level.INFO, str(i)) for i in range(LOG_LINES_KEPT + 5)))
    assert len(state.log) == LOG_LINES_KEPT
    assert state.log[-1].text == str(LOG_LINES_KEPT + 4)


def test_policy_age_counts_from_the_swap() -> None:
    assert policy_age_s(fold(), 10.0) is None
    assert policy_age_s(fold(e.PolicySwapped(3, at_s=4.0)), 10.0) == 6.0


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(45, 50, 0.786, 0.957), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0)],  # R: prop.test(..., correct = FALSE)
)
def test_wilson_interval_matches_published_values(
    successes: int, trials: int, low: float, high: float
) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=1e-3)
