"""The frames about which classifier and label disagree most, as pictures for a person to judge.

Of all episodes, not of the held-out ones alone: a wrong label in a training episode is one worth mending.
"""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.dataset.durable import write_whole
from workers.dataset.pictures import png_of
from workers.model.classifier_events import WrongFrame
from workers.reward.errors import ClassifierError
from workers.reward.figures import Probabilities
from workers.reward.frames import Frames

FOLDER = "worst"
_MOST_OF_EPISODE = 6  # of a kind: a whole episode with wrong labels leaves room for others
_DISAGREE = 0.5


def worst_frames(
    frames: Frames, probabilities: Probabilities, success: NDArray[np.bool_], count: int, folder: Path
) -> tuple[tuple[WrongFrame, ...], tuple[WrongFrame, ...]]:
    """At most `count` false positives and as many false negatives, worst first; their pictures go to `folder`.

    Args:
        probabilities: of all frames, by the classifier.
        success: what their labels say.
    Raises ClassifierError where the pictures cannot be written.
    """
    sides = {
        "positive": (~success & (probabilities >= _DISAGREE), -probabilities),
        "negative": (success & (probabilities < _DISAGREE), probabilities),
    }
    place = folder / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    found: list[tuple[WrongFrame, ...]] = []
    for kind, (wrong, order) in sides.items():
        there = np.flatnonzero(wrong)
        rows = _spread(frames, there[np.argsort(order[there], kind="stable")], count)
        found.append(
            tuple(
                _told(frames, row, float(probabilities[row]), place / f"{kind}-{number:03d}")
                for number, row in enumerate(rows)
            )
        )
    return found[0], found[1]


def _spread(frames: Frames, rows: NDArray[np.int64], count: int) -> list[int]:
    """The first `count`, no more than a few of one episode."""
    taken: list[int] = []
    of_episode = Counter[int]()
    for row in rows.tolist():
        start = frames.span_of(row).start
        if of_episode[start] < _MOST_OF_EPISODE and len(taken) < count:
            of_episode[start] += 1
            taken.append(row)
    return taken


def _told(frames: Frames, row: int, probability: float, path: Path) -> WrongFrame:
    span = frames.span_of(row)
    files = {camera: path.with_name(f"{path.name}-{_plain(camera)}.png") for camera in frames.pictures}
    try:
        for camera, file in files.items():
            write_whole(file, png_of(np.ascontiguousarray(frames.pictures[camera][row])))
    except OSError as error:
        raise ClassifierError(f"pictures of errors cannot be written: {error}") from error
    return WrongFrame(
        span.source.name,
        str(span.source.root.absolute()),
        span.episode.number,
        row - span.start,
        round(probability, 5),
        int(frames.classes[row]),
        span.held_out,
        {camera: str(file.absolute()) for camera, file in files.items()},
    )


def _plain(camera: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in camera)
