"""A training from datasets to report: what it learns, what it tells, what it leaves on the disk."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from tests.reward.scenes import Scene, config, dimmed, with_mug
from workers.dataset.edit import relabel
from workers.dataset.reader import Dataset
from workers.model.classifier_events import (
    REPORT,
    ClassifierEvent,
    ClassifierProgress,
    ClassifierReported,
    ClassifierStarted,
    WrongFrame,
)
from workers.reward.checkpoint import load_classifier, read_description
from workers.reward.errors import ClassifierError
from workers.reward.job import train_classifier
from workers.reward.model import RewardClassifier

CAMERAS = {"front": (32, 32), "side": (32, 32)}


class Training:
    """One training, with all that it told."""

    def __init__(self, folder: Path, *roots: Path, **changes: Any) -> None:
        self.folder = folder / "classifier"
        self.events: list[ClassifierEvent] = []
        self.report = train_classifier(
            config(folder, **changes), [str(root) for root in roots], self.folder, self.events.append
        )

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def classifier(self) -> RewardClassifier:
        return load_classifier(self.folder, CAMERAS)


def pictures_of(root: Path) -> tuple[dict[str, torch.Tensor], np.ndarray]:
    """All pictures of a dataset, and whether they show success by their labels."""
    dataset = Dataset(root)
    found = [dataset.frames(number) for number in range(len(dataset.episodes))]
    seen = {
        name: torch.from_numpy(np.concatenate([of[f"observation.images.{name}"] for of in found]))
        for name in CAMERAS
    }
    return seen, np.concatenate([of["next.reward"] for of in found]) > 0


def accuracy(classifier: RewardClassifier, root: Path, threshold: float = 0.5) -> float:
    seen, success = pictures_of(root)
    return float(((classifier.success_probability(seen).numpy() >= threshold) == success).mean())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Scene().record(tmp_path_factory.mktemp("data") / "lift")


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Training:
    return Training(tmp_path_factory.mktemp("run"), data)


def test_it_tells_success_in_episodes_that_it_never_saw(trained: Training, tmp_path: Path) -> None:
    fresh = Scene(seed=99).record(tmp_path / "fresh")
    assert accuracy(trained.classifier(), fresh, trained.report.success_threshold) > 0.97
    row = trained.report.recommended
    assert row.frames.accuracy is not None and row.frames.accuracy > 0.95
    assert (row.episodes.precision, row.episodes.recall) == (1.0, 1.0)


def test_what_it_learns_from_is_told_first_and_adds_up(trained: Training, data: Path) -> None:
    (started,) = trained.of(ClassifierStarted)
    (of,) = started.datasets
    assert of.root == str(data)
    assert of.train.episodes + of.held_out.episodes == 8
    assert of.train.successes >= 1 and of.held_out.successes >= 1
    _, success = pictures_of(data)
    assert of.train.positives + of.held_out.positives == success.sum()
    assert of.train.negatives + of.held_out.negatives == (~success).sum()
    before = trained.events[: trained.events.index(started)]
    assert all(isinstance(event, ClassifierProgress) for event in before)


def test_its_progress_has_a_point_an_epoch_and_the_time_that_is_left(trained: Training) -> None:
    ends = [event for event in trained.of(ClassifierProgress) if event.epoch_ended]
    assert [event.epoch for event in ends] == list(range(1, trained.report.epochs + 1))
    assert ends[-1].best_epoch == trained.report.best_epoch
    assert ends[-1].held_out_loss is not None and ends[0].loss is not None
    assert ends[-1].held_out_loss < ends[0].loss
    assert all(event.left_s is not None and event.left_s >= 0 for event in ends)


def test_the_report_is_the_last_event_and_the_same_on_the_disk(trained: Training) -> None:
    assert trained.events[-1] == trained.report
    kept = msgspec.json.decode((trained.folder / REPORT).read_bytes(), type=ClassifierReported)
    assert kept == trained.report
    lines = [
        msgspec.json.decode(line) for line in (trained.folder / "metrics.jsonl").read_bytes().splitlines()
    ]
    assert [line["epoch"] for line in lines[:-1]] == list(range(1, trained.report.epochs + 1))
    assert lines[-1]["report_frame_accuracy"] == trained.report.recommended.frames.accuracy


def test_the_checkpoint_says_what_it_rests_on(trained: Training, data: Path) -> None:
    known = read_description(trained.folder)
    assert known.recommended is not None
    assert known.recommended.success_threshold == trained.report.success_threshold
    assert known.recommended.false_positive_rate == trained.report.recommended.frames.false_positive_rate
    assert known.sha256 == trained.report.sha256
    (of,) = known.datasets
    assert (of.dataset, of.episodes) == (str(data), 8)


def test_another_process_gets_the_same_probabilities(trained: Training, data: Path) -> None:
    seen, _ = pictures_of(data)
    few = {name: of[:40] for name, of in seen.items()}
    expected = trained.classifier().success_probability(few)
    script = (
        "import sys, torch; from pathlib import Path; from safetensors.torch import load_file\n"
        "from workers.reward.checkpoint import load_classifier\n"
        "seen = load_file(sys.argv[2]); torch.set_num_threads(1)\n"
        "one = load_classifier(sys.argv[1], {'front': (32, 32), 'side': (32, 32)})\n"
        "for number in range(40): print(one.success_probability({k: v[[number]] for k, v in seen.items()}).item())"
    )
    from safetensors.torch import save_file

    file = trained.folder / "seen.bin"
    save_file(few, file)
    said = subprocess.run(
        [sys.executable, "-c", script, str(trained.folder), str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    there = torch.tensor([float(line) for line in said.stdout.split()])
    torch.testing.assert_close(there, expected, atol=1e-5, rtol=0)


def test_the_same_seed_gives_the_same_classifier(data: Path, tmp_path: Path) -> None:
    first = Training(tmp_path / "a", data, max_epochs=2)
    second = Training(tmp_path / "b", data, max_epochs=2)
    assert first.report.sha256 == second.report.sha256
    assert first.report.recommended == second.report.recommended


def test_it_ends_early_where_nothing_is_gained_and_keeps_the_best(data: Path, tmp_path: Path) -> None:
    done = Training(tmp_path, data, learning_rate=1e-12, patience=2, max_epochs=12, dropout_rate=0.0)
    assert done.report.epochs < 12
    assert done.report.best_epoch <= done.report.epochs


def test_whoever_stops_it_gets_the_best_so_far(data: Path, tmp_path: Path) -> None:
    report = train_classifier(
        config(tmp_path), [str(data)], tmp_path / "classifier", lambda _: None, stopping=lambda: True
    )
    assert report.epochs == 1
    load_classifier(tmp_path / "classifier", CAMERAS)


def test_a_learning_rate_that_is_too_high_is_told_and_leaves_the_classifier_of_before(
    data: Path, tmp_path: Path
) -> None:
    before = Training(tmp_path, data, max_epochs=1)
    with pytest.raises(ClassifierError, match="learning_rate"):
        Training(tmp_path, data, learning_rate=1e30, grad_clip_norm=1e30)
    assert read_description(before.folder).sha256 == before.report.sha256


def test_wrong_labels_do_not_spoil_it_and_are_shown_to_be_relabelled(tmp_path: Path) -> None:
    """Labels of 3 % of the frames are wrong; one frame each, in learnt and held-out episodes alike."""
    flipped = [
        (episode, frame)
        for episode in range(8)
        for frame in ((5 * episode) % 5, 19 - episode)[: 1 + episode % 2]
    ]
    assert len(flipped) == 12 and 0.03 < 12 / (8 * 24) < 0.07
    noisy = Scene(flipped=flipped).record(tmp_path / "noisy")
    clean = Scene(seed=99).record(tmp_path / "clean")
    done = Training(tmp_path, noisy, max_epochs=25)
    assert accuracy(done.classifier(), clean, done.report.success_threshold) > 0.95
    shown = {(of.episode, of.frame) for of in (*done.report.false_positives, *done.report.false_negatives)}
    assert len(shown & set(flipped)) >= 10, "nearly all of them"
    _check_pictures(done.report, noisy)
    for of in (*done.report.false_positives, *done.report.false_negatives):
        if (of.episode, of.frame) in flipped:
            relabel(noisy, [of.episode], success=not of.label, frames=(of.frame, of.frame + 1))
    again = Training(tmp_path, noisy, max_epochs=25)
    assert len(again.report.false_positives) + len(again.report.false_negatives) <= 6


def _check_pictures(report: ClassifierReported, root: Path) -> None:
    """Each error names a frame of the dataset, with its pictures."""
    import cv2

    errors: tuple[WrongFrame, ...] = (*report.false_positives, *report.false_negatives)
    for of in errors[:4]:
        assert of.root == str(root) and of.dataset == str(root)
        shown = cv2.cvtColor(cv2.imread(of.pictures["side"]), cv2.COLOR_BGR2RGB)
        stored = next(Dataset(root).pictures(of.episode, "observation.images.side", of.frame))
        np.testing.assert_array_equal(shown, stored)
        assert (of.probability > 0.5) == (of.label == 0)
    listed = [of.probability for of in report.false_positives]
    assert listed == sorted(listed, reverse=True)


def test_less_light_and_a_new_thing_on_the_table_change_little(trained: Training, tmp_path: Path) -> None:
    for number, seen in enumerate((dimmed, with_mug)):
        root = Scene(seed=50 + number, seen=seen).record(tmp_path / str(number))
        assert accuracy(trained.classifier(), root, trained.report.success_threshold) > 0.93


def test_two_datasets_are_one_row_of_frames(data: Path, tmp_path: Path) -> None:
    other = Scene(outcomes=(False, False, True, True), seed=5).record(tmp_path / "other")
    done = Training(tmp_path, data, other, max_epochs=2)
    (started,) = done.of(ClassifierStarted)
    assert [of.train.episodes + of.held_out.episodes for of in started.datasets] == [8, 4]
    assert [of.episodes for of in read_description(done.folder).datasets] == [8, 4]


def test_three_classes_are_learnt_and_success_is_the_last(tmp_path: Path) -> None:
    rewards = lambda height: 2.0 if height > 0.5 else float(height > 0.1)  # noqa: E731
    root = Scene(frames=30, rewards=rewards).record(tmp_path / "d")
    done = Training(tmp_path, root, num_classes=3, least_frames=5, max_epochs=12)
    assert done.report.recommended.frames.accuracy is not None
    assert done.report.recommended.frames.accuracy > 0.9
    seen, _ = pictures_of(root)
    assert done.classifier()({name: of[:2] for name, of in seen.items()}).shape == (2, 3)


def test_a_second_training_into_the_same_folder_is_refused(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "classifier"
    refused = []

    def told(event: ClassifierEvent) -> None:
        if isinstance(event, ClassifierStarted):
            with pytest.raises(ClassifierError, match="another training"):
                train_classifier(config(tmp_path, max_epochs=1), [str(data)], folder, lambda _: None)
            refused.append(event)

    train_classifier(config(tmp_path, max_epochs=1), [str(data)], folder, told)
    assert refused
