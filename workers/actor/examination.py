"""Before a run is judged by a classifier: what does it say right after a reset, where there is no success?

A classifier that fires there takes doing nothing for success. Its numbers are kept in the run's directory, with the
pictures in which it fired.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from workers.actor.environment import InterventionEnv
from workers.actor.pictures import Observation, stack_pictures
from workers.config import Config
from workers.dataset.pictures import png_of
from workers.model.events import ClassifierExamined
from workers.model.places import examination_path

MOST_PICTURES = 5  # the worst are enough to see what they have in common
SCORES_NAME = "scores.json"
log = logging.getLogger(__name__)


class Scores(msgspec.Struct, frozen=True):
    """Contents of scores.json."""

    classifier: str
    success_threshold: float
    probabilities: tuple[float, ...]  # of the reset frames, in order
    pictures: tuple[str, ...]  # files of those that fired, the highest first


def examine(
    config: Config, env: InterventionEnv, frames: int, seed_of: Callable[[int], int]
) -> ClassifierExamined:
    """Reset `frames` times and ask the classifier each time. Raises ArmUnavailable."""
    classifier = config.env.processor.reward_classifier
    assert classifier is not None, "a run with a classifier"
    seen: list[tuple[float, Observation]] = []
    for number in range(frames):
        observation, info = env.reset(seed=seed_of(number))
        seen.append((round(float(info["success_probability"]), 4), observation))
    folder = examination_path(config.run_dir)
    said = ClassifierExamined(tuple(p for p, _ in seen), classifier.success_threshold, str(folder))
    try:
        _keep(folder, classifier.pretrained_path, said, seen)
    except OSError as error:
        log.warning("what the classifier said of reset frames cannot be kept in %s: %s", folder, error)
    log.info(
        "the classifier on %d reset frames: highest p(success) %.2f, threshold %.2f, %d fired; see %s",
        len(seen),
        said.highest,
        said.threshold,
        said.fired,
        folder,
    )
    return said


def _keep(folder: Path, name: str, said: ClassifierExamined, seen: list[tuple[float, Observation]]) -> None:
    """Replace what is in the folder by this examination. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("reset-*.png"):
        old.unlink()
    fired = [(p, number) for number, (p, _) in enumerate(seen) if p >= said.threshold]
    names = []
    for p, number in sorted(fired, reverse=True)[:MOST_PICTURES]:
        views = stack_pictures(seen[number][1])
        if views.size:
            names.append(f"reset-{number:02d}-p{p:.2f}.png")
            (folder / names[-1]).write_bytes(png_of(np.concatenate(views, axis=1)))
    scores = Scores(name, said.threshold, said.probabilities, tuple(names))
    (folder / SCORES_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(scores), indent=1))
