"""The report of a training: figures of held-out episodes, the recommended threshold, the worst errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.config import Config, RewardClassifierConfig
from workers.model.classifier_events import ClassifierReported, Labelled, LearntDataset, SweepRow
from workers.reward.checkpoint import Recommended, Trained
from workers.reward.figures import (
    Judged,
    Probabilities,
    Rule,
    all_frames,
    believed_frames,
    frame_scores,
    recommended_threshold,
    reliability,
    roc,
    sweep,
    sweep_row,
)
from workers.reward.frames import Frames, Rows, Span
from workers.reward.labels import settled
from workers.reward.model import RewardClassifier
from workers.reward.sources import Material
from workers.reward.training import Fitted
from workers.reward.worst import worst_frames

_AT_ONCE = 64
_FEW_EPISODES = 5
_FOUND = 0.9  # of the held-out successes: when fewer are, it is told
Success = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """What the classifier makes of all frames."""

    frames: Frames
    probabilities: Probabilities  # [N]
    success: Success  # [N], what the labels say

    def held_out(self) -> list[Judged]:
        """The episodes that it never learnt from."""
        doubted = np.zeros(len(self.frames), np.bool_)
        doubted[self.frames.doubted] = True
        return [
            Judged(
                self.probabilities[span.start : span.stop],
                self.success[span.start : span.stop],
                doubted[span.start : span.stop],
            )
            for span in self.frames.spans
            if span.held_out
        ]


def probabilities_of(
    classifier: RewardClassifier, frames: Frames, told: Callable[[int, int], None]
) -> Probabilities:
    """Of all frames, float64 [N], from their pictures as an actor would have them."""
    device = next(classifier.parameters()).device
    found = np.empty(len(frames))
    for start in range(0, len(frames), _AT_ONCE):
        rows: Rows = np.arange(start, min(start + _AT_ONCE, len(frames)))
        images = {camera: of.to(device) for camera, of in frames.images(rows).items()}
        found[rows] = classifier.success_probability(images).cpu().numpy()
        told(start + len(rows), len(frames))
    return found


def rule_of(config: Config) -> Rule:
    """How many frames of how many end an episode: as configured, else as it would be by default."""
    classifier = config.env.processor.reward_classifier or RewardClassifierConfig(pretrained_path="simulated")
    return Rule(classifier.votes, classifier.window)


def report_of(
    measured: Measured,
    config: Config,
    folder: Path,
    fitted: Fitted,
    seconds: float,
    doubts: Sequence[str] = (),
) -> ClassifierReported:
    """All figures; pictures of the worst errors go into `folder`. Raises ClassifierError.

    `doubts`, of labels that were not believed, come first among the warnings; figures are by all labels as they are.
    """
    settings, rule, episodes = config.reward_classifier, rule_of(config), measured.held_out()
    asked = settings.false_positive_rate
    threshold = recommended_threshold(episodes, asked, rule, 1 - 2 * settings.label_smoothing)
    row = sweep_row(episodes, threshold, rule)
    probabilities, truth = all_frames(episodes)
    points, area = roc(probabilities, truth)
    bins, calibration_error = reliability(probabilities, truth)
    positives, negatives = worst_frames(
        measured.frames, measured.probabilities, measured.success, settings.worst_errors, folder
    )
    return ClassifierReported(
        folder=str(folder.absolute()),
        success_threshold=threshold,
        asked_false_positive_rate=asked,
        votes=rule.votes,
        window=rule.window,
        recommended=row,
        at_half=sweep_row(episodes, 0.5, rule),
        auc=area,
        roc=points,
        reliability=bins,
        calibration_error=calibration_error,
        sweep=sweep(episodes, rule, [threshold]),
        false_positives=positives,
        false_negatives=negatives,
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        seconds=seconds,
        sha256="",  # of weights that are not on the disk yet
        warnings=(*doubts, *_warnings(episodes, row, asked)),
    )


def _warnings(episodes: list[Judged], row: SweepRow, asked: float) -> list[str]:
    said = []
    failures = sum(not settled(episode.truth).any() for episode in episodes)
    if len(episodes) < _FEW_EPISODES:
        said.append(
            f"only {len(episodes)} episodes are held out: one more or less of them changes every figure by"
            f" {100 / len(episodes):.0f} %. Record more"
        )
    if not failures:
        said.append(
            "no held-out episode is without success: how often a failure would be taken for one is known from what came"
            " before the successes only. Record attempts that fail"
        )
    said += found_in_words(episodes, row)
    rate = frame_scores(*believed_frames(episodes), row.threshold).false_positive_rate
    if rate is not None and rate > asked:
        said.append(
            f"no threshold keeps to a false-positive rate of {asked:.1%} without missing many successes; at"
            f" {row.threshold:g} it is {rate:.1%}. Look at the worst errors: labels may be wrong; relabel, train again"
        )
    return said


def found_in_words(episodes: Sequence[Judged], row: SweepRow) -> list[str]:
    """What a person is told where many of the held-out successes are not found."""
    shown, found = sum(settled(episode.truth).any() for episode in episodes), row.episodes.right_positive
    if not found:
        return [
            f"it finds none of the {shown} held-out successes, and cannot stand in for a person. Look at the worst"
            " errors: are labels wrong, is the success to be seen on the pictures at all? Else record more successes"
        ]
    if found < _FOUND * shown:
        return [
            f"it finds {found} of the {shown} held-out successes at {row.threshold:g}. Look at the worst errors; record"
            " more successes like those that it misses"
        ]
    return []


def recommended_of(report: ClassifierReported) -> Recommended:
    """What goes with the weights."""
    of = report.recommended.frames
    return Recommended(
        success_threshold=report.success_threshold,
        false_positive_rate=of.false_positive_rate or 0.0,
        asked_false_positive_rate=report.asked_false_positive_rate,
        true_positive_rate=of.recall or 0.0,
    )


def held_out_figures(report: ClassifierReported) -> dict[str, float]:
    """The most telling figures, by name: for the checkpoint, and as a line of metrics."""
    row = report.recommended
    figures = {
        "success_threshold": report.success_threshold,
        "auc": report.auc,
        "calibration_error": report.calibration_error,
        "frame_accuracy": row.frames.accuracy,
        "frame_accuracy_at_half": report.at_half.frames.accuracy,
        "frame_precision": row.frames.precision,
        "frame_recall": row.frames.recall,
        "frame_false_positive_rate": row.frames.false_positive_rate,
        "episode_precision": row.episodes.precision,
        "episode_recall": row.episodes.recall,
    }
    return {name: float(value) for name, value in figures.items() if value is not None}


def learnt(material: Material, frames_of: tuple[Span, ...]) -> tuple[LearntDataset, ...]:
    """What there is to learn from, by dataset."""
    return tuple(
        LearntDataset(
            source.name,
            str(source.root.absolute()),
            *(
                _labelled(
                    material,
                    [span for span in frames_of if span.source is source and span.held_out is held_out],
                )
                for held_out in (False, True)
            ),
        )
        for source in material.sources
    )


def _labelled(material: Material, spans: list[Span]) -> Labelled:
    shown = [material.is_success(span.episode.classes) for span in spans]
    positives = sum(int(of.sum()) for of in shown)
    frames = sum(len(of) for of in shown)
    return Labelled(len(spans), sum(bool(of.any()) for of in shown), positives, frames - positives)


def trained_on(material: Material, frames: Frames) -> tuple[Trained, ...]:
    """The datasets with their digests, for the checkpoint."""
    found = []
    for block in frames.blocks:
        classes = frames.classes[block.start : block.stop]
        found.append(
            Trained(
                dataset=block.source.name,
                digest=block.labelled,
                episodes=len(block.source.episodes),
                frames=len(classes),
                positives=int(material.is_success(classes).sum()),
            )
        )
    return tuple(found)
