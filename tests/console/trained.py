"""Trainings of a reward classifier as the console gets them, made up."""

from pathlib import Path

import cv2
import numpy as np

from workers.model import events as e
from workers.model.classifier_events import (
    Labelled,
    LearntDataset,
    ReliabilityBin,
    Scores,
    SweepRow,
    WrongFrame,
)

DATA = LearntDataset("data/lift", "/data/lift", Labelled(15, 14, 450, 151), Labelled(5, 4, 149, 50))
STARTED = e.ClassifierStarted("there", "cnn", {"front": (128, 128), "side": (128, 128)}, (DATA,), 40)
SCORES = Scores(147, 1, 49, 2, 0.985, 0.993, 0.987, 0.02)
EPISODES = Scores(4, 0, 1, 0, 1.0, 1.0, 1.0, 0.0)


def epoch(number: int, ended: bool = True) -> e.ClassifierProgress:
    share = 1.0 - 0.4 / number
    return e.ClassifierProgress(
        "training", number, 40, 12, 32, 0.7 / number, share, 0.8 / number, share - 0.02, number, 42.0, ended
    )


def row(threshold: float) -> SweepRow:
    return SweepRow(threshold, SCORES, EPISODES, 0, 2.0)


def wrong(folder: Path, episode: int, frame: int, probability: float, label: int) -> WrongFrame:
    """With a red picture of the front and a blue one of the side."""
    pictures = {}
    for camera, bgr in (("front", (0, 0, 255)), ("side", (255, 0, 0))):
        path = folder / f"{episode}-{frame}-{camera}.png"
        cv2.imwrite(str(path), np.full((32, 32, 3), bgr, np.uint8))
        pictures[camera] = str(path)
    return WrongFrame("data/lift", str(folder), episode, frame, probability, label, episode == 11, pictures)


def reported(*positives: WrongFrame, negatives: tuple[WrongFrame, ...] = ()) -> e.ClassifierReported:
    return e.ClassifierReported(
        folder="there",
        success_threshold=0.71,
        asked_false_positive_rate=0.01,
        votes=3,
        window=4,
        recommended=row(0.71),
        at_half=row(0.5),
        auc=0.9987,
        roc=(),
        reliability=(ReliabilityBin(0.0, 0.1, 48, 0.03, 0.0), ReliabilityBin(0.9, 1.0, 140, 0.94, 0.99)),
        calibration_error=0.021,
        sweep=tuple(row(at) for at in (0.1, 0.3, 0.5, 0.71, 0.9, 0.99)),
        false_positives=positives,
        false_negatives=negatives,
        epochs=20,
        best_epoch=12,
        seconds=67.0,
        sha256="ab",
        warnings=("5 held-out episodes: every figure is a rough one",),
    )
