"""A training of the classifier as a console follows it."""

from workers.model import events as e
from workers.model import wire
from workers.model.classifier_events import Scores, SweepRow, WrongFrame
from workers.model.classifier_training import ClassifierTraining
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

STARTED = e.ClassifierStarted("there", "cnn", {"front": (128, 128)}, (), 60)
NO_SCORES = Scores(0, 0, 0, 0, None, None, None, None)
ROW = SweepRow(0.5, NO_SCORES, NO_SCORES, 0, None)
WRONG = WrongFrame("d", "/d", 3, 7, 0.99, 0, False, {"front": "/there/p.png"})
REPORTED = e.ClassifierReported(
    "there", 0.8, 0.01, 3, 4, ROW, ROW, None, (), (), 0.0, (ROW,), (WRONG,), (), 20, 8, 60.0, "ab"
)


def followed(*events: e.Event) -> ClassifierTraining | None:
    state = ConsoleState()
    for event in events:
        state = reduce(state, event)
    return state.classifier_training


def epoch(number: int, ended: bool) -> e.ClassifierProgress:
    return e.ClassifierProgress("training", epoch=number, loss=1 / number, epoch_ended=ended)


def test_its_curve_has_one_point_an_epoch_and_its_progress_is_the_newest() -> None:
    training = followed(STARTED, epoch(1, False), epoch(1, True), epoch(2, False))
    assert training is not None and not training.over
    assert (training.started, training.curve, training.progress) == (
        STARTED,
        (epoch(1, True),),
        epoch(2, False),
    )


def test_it_is_over_with_a_report_or_a_failure() -> None:
    done, failed = followed(STARTED, REPORTED), followed(e.ClassifierFailed("one class only"))
    assert done is not None and done.over and done.report == REPORTED
    assert failed is not None and failed.over and failed.failed == "one class only"


def test_a_new_training_forgets_the_one_before() -> None:
    reading = e.ClassifierProgress("reading pictures")
    assert followed(STARTED, epoch(1, True), REPORTED, reading) == ClassifierTraining(progress=reading)
    assert followed(STARTED, epoch(1, True), STARTED) == ClassifierTraining(started=STARTED)


def test_its_events_come_over_the_pipe_as_they_were_sent() -> None:
    batch = wire.Batch([STARTED, epoch(1, True), REPORTED, e.ClassifierFailed("x")])
    assert wire.decode_from_station(wire.frame(batch)[wire.HEAD_BYTES :]) == batch
