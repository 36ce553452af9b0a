"""Episodes that somebody marked wrongly are found by others that never saw them, left out, and told."""

from pathlib import Path

import numpy as np
import pytest

from tests.reward.scenes import Scene
from tests.reward.test_job import Training, accuracy
from workers.model.classifier_events import ClassifierProgress
from workers.reward.doubts import Said, believed, contradicted, drawn, flickers_of
from workers.reward.frames import Frames, Span
from workers.reward.sources import Episode

OUTCOMES = (True, True, True, False) * 5
FRAMES = 24
MISSED = {(4, frame) for frame in range(FRAMES)}  # a success that nobody marked
CLAIMED = {
    (7, frame) for frame in range(FRAMES // 2, FRAMES)
}  # a failure of which somebody marked the second half


def heights(root: Path) -> list[np.ndarray]:
    """Whether each frame of each episode shows success, whatever its label."""
    from workers.dataset.reader import Dataset

    dataset = Dataset(root)
    return [
        np.asarray(dataset.frames(number, ["observation.state"])["observation.state"]).reshape(-1) > 0.5
        for number in range(len(OUTCOMES))
    ]


def labelled(*episodes: str) -> Frames:
    """Episodes with labels like "0011", the second of which is held out."""
    classes = [np.array([int(label) for label in labels]) for labels in episodes]
    stops = np.cumsum([len(of) for of in classes]).tolist()
    spans = tuple(
        Span(None, Episode(number, of), stop - len(of), stop, number == 1)  # type: ignore[arg-type]
        for number, (of, stop) in enumerate(zip(classes, stops, strict=True))
    )
    return Frames({}, np.concatenate(classes), spans, ())


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Training, Path, Path]:
    folder = tmp_path_factory.mktemp("doubts")
    true = heights(Scene(OUTCOMES, FRAMES).record(folder / "true"))
    wrong = {(episode, frame) for episode, frame in MISSED if true[episode][frame]} | CLAIMED
    root = Scene(OUTCOMES, FRAMES, flipped=wrong).record(folder / "wrong")
    return Training(folder, root, max_epochs=12), root, folder


def test_both_kinds_of_wrong_episodes_are_told_and_no_other(done: tuple[Training, Path, Path]) -> None:
    training, root, _ = done
    told = [words for words in training.report.warnings if "contradict" in words]
    assert len(told) == 2
    assert f"{root} episode 4, frames" in told[0] and "marked as no success" in told[0]
    assert f"{root} episode 7, frames" in told[1] and "marked as success" in told[1]
    assert all("relabel or delete, train again" in words for words in told)


def test_what_was_marked_wrongly_is_not_learnt(done: tuple[Training, Path, Path]) -> None:
    training, _, folder = done
    fresh = Scene(seed=99).record(folder / "fresh")
    assert accuracy(training.classifier(), fresh, training.report.success_threshold) > 0.97
    shown = {of.episode for of in (*training.report.false_positives, *training.report.false_negatives)}
    assert {4, 7} <= shown, "and is among the worst errors, to be mended"
    assert any(event.stage == "cross-checking labels" for event in training.of(ClassifierProgress))


def test_of_right_labels_none_is_in_doubt(tmp_path: Path) -> None:
    root = Scene(OUTCOMES, FRAMES, seed=3).record(tmp_path / "right")
    done = Training(tmp_path, root, max_epochs=2)
    assert not any("contradict" in words for words in done.report.warnings)


def test_frames_in_doubt_are_on_neither_side() -> None:
    left = believed(labelled("00001111", "00001111"), np.array([5, 6]), np.array([8]))
    assert left.rows(held_out=False).tolist() == [0, 1, 2, 3, 7], "4 is the first after a change"
    assert left.rows(held_out=True).tolist() == [9, 10, 11, 13, 14, 15]


def test_single_frames_whose_label_changes_back_at_once_are_in_doubt() -> None:
    frames = labelled("00100000", "00001101", "01110111")
    assert flickers_of(frames).tolist() == [2, 14, 20]


def test_of_a_class_that_is_marked_by_single_frames_none_is_in_doubt() -> None:
    """As LeRobot's key for success does it."""
    assert flickers_of(labelled("00100000", "00000010")).tolist() == []


def test_single_frames_that_are_marked_wrongly_are_not_learnt_and_told(tmp_path: Path) -> None:
    flipped = {(1, 2), (3, 20), (6, 12)}
    few = OUTCOMES[:8]  # of whom no stranger is asked: that takes longest
    root = Scene(few, FRAMES, flipped=flipped).record(tmp_path / "flipped")
    (told,) = (of for of in Training(tmp_path, root, max_epochs=2).report.warnings if "single frames" in of)
    assert told.startswith("3 single frames have a label that changes back at once")


def test_parts_share_successes_and_failures_of_the_episodes_that_are_learnt_from() -> None:
    frames = labelled(*["0011", "0000", "0011", "0000", "0000"] * 6)  # the second is held out
    thirds = drawn(frames, 3, parts=3, rounds=2)
    assert len(thirds) == 6 and thirds[:3] != thirds[3:]
    learnt = sorted(span.start for span in frames.spans if not span.held_out)
    for round_ in (thirds[:3], thirds[3:]):
        assert sorted(span.start for part in round_ for span in part) == learnt
        assert [sum(bool(span.episode.classes.any()) for span in part) for part in round_] == [4, 4, 4]


def doubted(label: int, seen_as: float) -> list[list[int]]:
    """Rows that are in doubt where all strangers see a success with the probability `seen_as`."""
    frames = labelled(str(label) * 12)
    said = Said(np.full(12, seen_as), np.ones(12, bool))
    nobody = Said(np.full(12, 0.5), np.zeros(12, bool))
    by_label = (nobody, said) if label else (said, nobody)
    return [doubt.rows.tolist() for doubt in contradicted(frames, by_label)]


def test_a_success_is_given_up_sooner_than_a_failure_that_looks_like_one() -> None:
    assert doubted(1, seen_as=0.4) == [list(range(12))]
    assert doubted(1, seen_as=0.6) == []
    assert doubted(0, seen_as=0.75) == []
    assert doubted(0, seen_as=0.9) == [list(range(12))]
