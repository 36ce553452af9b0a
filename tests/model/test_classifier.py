"""What an operator sees of the reward classifier, and of the frames recorded for one."""

from msgspec.structs import replace

from tests.model.test_reduce import fold
from workers.model import events as e
from workers.model.collecting import NEGATIVES, POSITIVES, Labelled, labelled, next_words
from workers.model.reduce import reduce
from workers.model.state import PROBABILITIES_KEPT, Classifier, ConsoleState

USED = e.ClassifierUsed("me/judge", 0.5, 3, 4, veto_s=2.0)
DEMONSTRATION = e.EpisodeKind.DEMONSTRATION


def opened(classifier: e.ClassifierUsed | None = USED, **changes: object) -> e.RunOpened:
    run = e.RunOpened(
        "it", "runs/it", "it.toml", "lift", 10.0, ("front",), (0, 0, 0), (1, 1, 1), 100, 100, 0.5, None, 20, True
    )  # fmt: skip
    return replace(run, classifier=classifier, **changes)


def step(
    number: int, probability: float | None = None, votes: int = 0, reward: float = 0.0, episode: int = 3
) -> e.StepTaken:
    return e.StepTaken(episode, number, 100, reward, e.Driver.POLICY, probability, votes)


def ended(episode: int, by: e.EndedBy = e.EndedBy.SUCCESS, **figures: object) -> e.EpisodeEnded:
    done = e.EpisodeEnded(episode, e.EpisodeKind.TRAINING, 1.0, 10, 0, 0, by, 1.0)
    return replace(done, **figures)


def says(state: ConsoleState) -> Classifier:
    assert state.classifier is not None
    return state.classifier


def test_a_run_without_a_classifier_shows_none() -> None:
    state = fold(opened(None), e.EpisodeStarted(3, DEMONSTRATION), step(1))
    assert state.classifier is None


def test_probabilities_are_those_of_the_episode() -> None:
    state = fold(opened(), e.EpisodeStarted(3, DEMONSTRATION), step(1, 0.1), step(2, 0.7, votes=1))
    assert (says(state).probabilities, says(state).votes) == ((0.1, 0.7), 1)
    assert says(reduce(state, e.EpisodeStarted(4, DEMONSTRATION))).probabilities == ()


def test_a_long_episode_keeps_its_newest_probabilities() -> None:
    state = fold(opened(), *(step(number, number / 1000) for number in range(500)))
    kept = says(state).probabilities
    assert len(kept) == PROBABILITIES_KEPT and kept[-1] == 0.499


def test_a_decision_waits_until_it_is_settled_and_objections_are_counted() -> None:
    asked = e.SuccessDecided(3, 7, 0.9, 3, until_s=12.0)
    state = fold(opened(), e.EpisodeStarted(3, DEMONSTRATION), asked)
    assert says(state).pending == asked
    for settled, vetoes in (
        (e.Settled.STANDS, 0), (e.Settled.CONFIRMED, 0), (e.Settled.BROKEN_OFF, 0), (e.Settled.DROPPED, 0),
        (e.Settled.VETOED, 1), (e.Settled.FAILED, 1),
    ):  # fmt: skip
        said = e.SuccessSettled(3, 7, settled)
        after = says(reduce(state, said))
        assert (after.pending, after.settled, after.vetoes) == (None, said, vetoes), settled


def test_a_question_whose_actor_died_is_none_any_more() -> None:
    asked = e.SuccessDecided(3, 7, 0.9, 3, until_s=12.0)
    state = fold(opened(), asked, ended(3, e.EndedBy.STOP))
    assert says(state).pending is None


def test_vetoes_of_before_this_station_count_on() -> None:
    state = fold(ended(1, vetoes=2), ended(2, vetoes=1), opened())
    assert says(state).vetoes == 3


def test_who_decided_and_what_was_saved_is_kept() -> None:
    saved = e.HardNegativesSaved(3, 3, "runs/it/hard_negatives", 9)
    examined = e.ClassifierExamined((0.1, 0.6), 0.5, "runs/it/classifier_check")
    state = fold(opened(), examined, ended(3, decided_by=e.DecidedBy.CLASSIFIER), saved)
    assert state.episodes[-1].decided_by is e.DecidedBy.CLASSIFIER
    assert (says(state).hard_negatives, says(state).hard_negatives_root) == (9, "runs/it/hard_negatives")
    assert says(state).examined == examined and (examined.fired, examined.highest) == (1, 0.6)


def recording(*events: e.Event, positives: int = 20, frames: int = 100) -> ConsoleState:
    run = opened(None, mode="record", ends_on_success=False)
    return fold(run, e.DatasetOpened("set", 2, frames, through=5, positives=positives), *events)


def test_frames_are_counted_while_they_are_recorded_and_once() -> None:
    running = (
        e.EpisodeStarted(7, DEMONSTRATION),
        *(step(number, reward=reward, episode=7) for number, reward in ((1, 0.0), (2, 1.0), (3, 1.0))),
    )
    assert labelled(recording()) == (20, 80)
    assert labelled(recording(*running)) == (22, 81)
    over = ended(7, e.EndedBy.TIME_LIMIT, kind=DEMONSTRATION)
    saved = e.EpisodeSaved(7, 2, 3, 2, 3, 103)
    assert labelled(recording(*running, over)) == (22, 81), "between its end and the dataset"
    assert labelled(recording(*running, over, saved)) == (22, 81)


def test_an_episode_that_was_dropped_leaves_the_count_again() -> None:
    running = e.EpisodeStarted(7, DEMONSTRATION), step(1, reward=1.0, episode=7)
    dropped = ended(7, e.EndedBy.RERECORD, kind=DEMONSTRATION)
    assert labelled(recording(*running, dropped)) == (20, 80)


def test_an_episode_that_was_saved_before_the_recorder_restarted_is_not_counted_twice() -> None:
    again = e.EpisodeSaved(7, None, 3, 2, 3, 103)  # it was in the dataset that was opened
    assert labelled(recording(again, positives=22, frames=103)) == (22, 81)


def test_what_is_missing_is_said_positives_first() -> None:
    assert "50 more positives" in next_words(Labelled(POSITIVES - 50, 0))
    assert "until the time is up" in next_words(Labelled(POSITIVES - 50, 2_000))
    assert "100 more negatives" in next_words(Labelled(POSITIVES, NEGATIVES - 100))
    assert "train-classifier" in next_words(Labelled(POSITIVES, NEGATIVES))
    assert "positives gain more" in next_words(Labelled(POSITIVES, 5_000))


def test_the_newest_step_says_whether_success_is_marked_now() -> None:
    state = recording(e.EpisodeStarted(7, DEMONSTRATION), step(1, reward=1.0, episode=7))
    assert state.running.succeeds and state.running.positives == 1
    state = reduce(state, step(2, reward=0.0, episode=7))
    assert not state.running.succeeds and state.running.positives == 1
