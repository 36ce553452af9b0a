"""What an evaluation's trials say, and when they say nothing."""

import pytest

from tests.evaluation.made import paired, result, trial
from workers.model import evaluation_events as e
from workers.model.evaluation import side_of
from workers.model.evaluation_figures import (
    UNDECIDED,
    brief,
    comparison,
    left_s,
    line,
    lines,
    made,
    next_side,
    state_in_words,
    summary,
    wanted,
)
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

STOPPED = {"counted": False, "ended_by": "stop", "decided_by": "", "why": "somebody took over"}


def test_the_sides_take_turns_in_pairs() -> None:
    assert [side_of(number, 2) for number in range(8)] == [0, 1, 1, 0, 0, 1, 1, 0]
    assert [side_of(number, 1) for number in range(4)] == [0, 0, 0, 0]


def test_a_trial_that_somebody_took_over_is_told_and_not_counted() -> None:
    one = summary(result(trial(0), trial(1, success=True, **STOPPED), trial(1, success=False)), 0)
    assert (one.trials, one.successes, one.uncounted) == (2, 1, 1)
    assert one.ends == (("success (task)", 1), ("time limit", 1))


def test_cycle_times_are_of_successes() -> None:
    one = summary(
        result(trial(0, seconds=3.0), trial(1, seconds=4.0), trial(2, seconds=8.0), trial(3, False)), 0
    )
    assert (one.mean_s, one.median_s) == (5.0, 4.0)
    assert summary(result(trial(0, False)), 0).mean_s is None


def test_few_trials_do_not_tell_two_policies_apart_and_many_do() -> None:
    few = comparison(result(*paired("110111", "011010"), against=True))
    assert few is not None
    assert (few.both, few.first, few.second, few.neither) == (2, 3, 1, 0)
    assert few.difference == pytest.approx(2 / 6) and few.verdict == UNDECIDED
    many = comparison(result(*paired("1" * 20, "10" * 10), against=True))
    assert many is not None and many.verdict == "A succeeds more often"
    turned = comparison(result(*paired("10" * 10, "1" * 20), against=True))
    assert turned is not None and turned.verdict == "B succeeds more often"


def test_only_whole_pairs_are_compared() -> None:
    against = comparison(result(*paired("11", "11")[:3], against=True))
    assert against is not None and against.pairs == 1
    nothing = comparison(result(against=True))
    assert nothing is not None and nothing.verdict == "no pair is complete yet"
    assert comparison(result(trial(0))) is None


def test_time_left_is_that_of_the_trials_so_far() -> None:
    running = result(trial(0), trial(1))  # ten seconds each
    assert left_s(running, running.began_s + 20.0) == pytest.approx(80.0)
    assert left_s(running, running.began_s + 25.0) == pytest.approx(75.0)
    assert left_s(result(), 0.0) is None


def test_time_left_is_right_after_the_first_trial_although_the_result_begins_with_its_end() -> None:
    running = result(trial(0, False), began_s=1_800_000_009.9)
    assert left_s(running, 1_800_000_010.0) == pytest.approx(90.0)


def test_time_left_does_not_count_the_night_before_an_evaluation_went_on() -> None:
    day_s = 86_400.0
    before = [trial(number) for number in range(3)]
    after = [trial(number, ended_s=1_800_000_000.0 + day_s + 10 * number) for number in (3, 4)]
    assert left_s(result(*before, *after), after[-1].ended_s) == pytest.approx(50.0)


def test_a_result_without_an_end_is_told_as_unfinished() -> None:
    assert state_in_words(result(trial(0))) == "1 of 10 trials so far"
    assert "(1 of 10 trials so far)" in line(result(trial(0)))
    assert (
        "("
        not in line(result(trial(0), complete=True, ended="10 of 10 trials")).partition("1f0c34ab9d77)")[2]
    )


def test_the_lines_give_success_its_interval_and_the_digest() -> None:
    told = lines(result(*[trial(n, n > 0) for n in range(10)]))
    assert told == [
        "step-00012000, weights 1f0c34ab9d77: 9 of 10 = 90 % (95 % interval 60 to 98 %), cycle time mean 4.2 s, "
        "median 4.2 s"
    ]
    *_, difference = lines(result(*paired("110111", "011010"), against=True))
    assert difference.startswith("A minus B over 6 pairs: +33 points") and difference.endswith(UNDECIDED)
    assert brief(result(trial(0))) == "1 of 1 (21 to 100 %) succeeded"


def test_consoles_fold_it_as_it_happens() -> None:
    state = reduce(ConsoleState(), e.EvaluationBegan(result(wanted=3)))
    for event in (
        e.TrialKept(trial(0)),
        e.TrialKept(trial(1, **STOPPED)),
        e.EvaluationEnded("cut off", False),
    ):
        state = reduce(state, event)
    kept = state.result
    assert kept is not None and len(kept.trials) == 2 and (kept.ended, kept.complete) == ("cut off", False)
    assert (made(kept), wanted(kept), next_side(kept)) == (1, 3, None)


def test_a_trial_without_its_beginning_changes_nothing() -> None:
    assert reduce(ConsoleState(), e.TrialKept(trial(0))) == ConsoleState()
