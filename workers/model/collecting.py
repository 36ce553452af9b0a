"""Data for a reward classifier: the frames with success and without it that there are, and what is missing. Pure.

Counted in runs where success does not end an episode (`env.processor.reset.terminate_on_success = false`).
"""

from typing import NamedTuple

from workers.model.events import EndedBy, EpisodeKind
from workers.model.state import ConsoleState

POSITIVES, NEGATIVES = 200, 600
"""Frames that the HIL-SERL authors ask for: of success, and of anything else in one task."""
MOST_NEGATIVES = 1000
"""Beyond these they teach little more, and success becomes rare among them."""
KEPT = (EndedBy.SUCCESS, EndedBy.FAILURE, EndedBy.TIME_LIMIT)


class Labelled(NamedTuple):
    """Frames of a dataset by what they show."""

    positives: int
    negatives: int

    @property
    def missing(self) -> tuple[int, int]:
        """Positives and negatives that are still to be recorded."""
        return max(0, POSITIVES - self.positives), max(0, NEGATIVES - self.negatives)


def labelled(state: ConsoleState) -> Labelled:
    """What the dataset has, with the episode that runs now."""
    saved = (state.dataset.positives, state.dataset.frames) if state.dataset is not None else (0, 0)
    running = (state.running.positives, state.running.step) if _counts(state) else (0, 0)
    positives, frames = (sum(both) for both in zip(saved, running, strict=True))
    return Labelled(positives, frames - positives)


def next_words(frames: Labelled) -> str:
    """What the person does next."""
    positives, negatives = frames.missing
    if positives:
        return f"{positives} more positives: hold it after the success, success on (s), until the time is up"
    if negatives:
        return f"{negatives} more negatives: near misses and failures, everything that is no success"
    if frames.negatives > MOST_NEGATIVES:
        return f"enough: train-classifier can begin; beyond {MOST_NEGATIVES} negatives, positives gain more"
    return "enough: `hilserl-worker train-classifier` can begin; more of both does no harm"


def _counts(state: ConsoleState) -> bool:
    """Whether the newest episode will be in the dataset and is not yet."""
    running, dataset = state.running, state.dataset
    if running.episode < 0 or running.kind is not EpisodeKind.DEMONSTRATION:
        return False
    if dataset is not None and (running.episode in dataset.saved or running.episode <= dataset.through):
        return False
    ended = next((ep.ended_by for ep in reversed(state.episodes) if ep.episode == running.episode), None)
    return ended is None or ended in KEPT
