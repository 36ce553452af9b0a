"""Labels that all other episodes contradict: whole stretches of an episode that somebody marked wrongly.

A network learns a wrong episode by heart within an epoch or two, so that it cannot tell by itself. So strangers are
asked: each is trained for a little while on a part of the episodes, and judges those that it did not see (Northcutt et
al. 2021, confident learning). Parts are drawn several times: one stranger knows little and is often wrong. A stretch of
frames with one label, most of which the strangers see otherwise on average, is left out of the training, and a person
is told.

For a success it is enough that they rather see none: one that is learnt wrongly spoils more than one that is missing.
Two wrong ones that look alike vouch for each other where one of them is learnt from: so those are asked of a success
who learnt from a third of the episodes, and seldom from the other one. A failure must look like a success to nearly all
who know more, from a half: those that look like one a little are what is worth most in a training.

Single frames need no stranger: a label that changes back at once contradicts the frames beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from workers.config import ClassifierConfig
from workers.reward.features import features_of
from workers.reward.frames import Frames, Rows, Span, Told
from workers.reward.labels import flickers, settled, sure
from workers.reward.model import RewardClassifier
from workers.reward.training import Fitting

_AT_ONCE = 64
_LISTED = 6
_EPOCHS = 4
_HALVES, _THIRDS = (2, 4), (3, 3)  # parts, and how often they are drawn: 8 strangers, and 9
_LEAST_EPISODES = 6  # of each part, success among them: with fewer, strangers know too little
_LEAST_FRAMES = 8  # of a stretch
# Of a stretch without success, and of one with it:
_CONTRADICTED = (0.3, 0.6)  # more of its frames; those before a success that nobody marked are marked rightly
_FAR = (0.8, 0.5)  # how far from its label a frame is seen that is contradicted
_LONE = 0.5  # of the frames of a class: where as many change back at once, they were marked so
_MOST = 0.2  # of the frames with a label: where more are in doubt, it is the strangers who are wrong


@dataclass(frozen=True)
class Doubt:
    """A stretch of an episode whose label is not believed."""

    span: Span
    rows: NDArray[np.int64]
    label: int


def cross_checked(
    classifier: RewardClassifier,
    frames: Frames,
    config: ClassifierConfig,
    folder: Path,
    seed: int,
    told: Told,
    stopping: Callable[[], bool],
) -> tuple[Frames, list[str]]:
    """The same frames without the labels that are in doubt, and what a person is told of these.

    `classifier` is not trained: it only says what the strangers are made of. `stopping` is asked after every epoch of
    theirs, and true ends it there.
    """
    lone = flickers_of(frames)
    frames = believed(frames, lone)
    doubts = _doubts(_Strangers(classifier, frames, config, folder, seed, told, stopping))
    said = [*_in_words(doubts), *_flickers_in_words(lone)]
    return believed(frames, *(doubt.rows for doubt in doubts)), said


def _doubts(strangers: "_Strangers") -> tuple[Doubt, ...]:
    """Stretches of any episode, held-out ones too, that strangers contradict; none where there is too little to go by.

    Only of two classes.
    """
    frames = strangers.frames
    halves, thirds = (drawn(frames, strangers.seed, *asked) for asked in (_HALVES, _THIRDS))
    if strangers.config.num_classes != 2 or not all(_enough(frames, half) for half in halves):
        return ()
    if not all(_enough(frames, third) for third in thirds):
        thirds = ()
    strangers.count = len(halves) + len(thirds)
    none = strangers.ask(halves)
    by_label = (none, strangers.ask(thirds) if thirds else none)
    found = tuple(contradicted(frames, by_label))
    return found if all(_few(found, frames, label) for label in (0, 1)) else ()


class Said(NamedTuple):
    """Of each frame, by those who did not learn from its episode."""

    success: NDArray[np.float64]
    """[N] its probability, on average."""
    asked: NDArray[np.bool_]
    """[N] whether there was anybody."""


@dataclass
class _Strangers:
    """Networks that are trained for a moment, one after the other."""

    classifier: RewardClassifier
    frames: Frames
    config: ClassifierConfig
    folder: Path
    seed: int
    told: Told
    stopping: Callable[[], bool]
    count: int = 0
    """How many there will be."""
    asked: int = 0

    def ask(self, parts: tuple[tuple[Span, ...], ...]) -> Said:
        """What those say on average that learn from one of `parts` each."""
        said, judges = np.zeros(len(self.frames)), np.zeros(len(self.frames), np.int64)
        for part in parts:
            self.told(self.asked, self.count)
            self.asked += 1
            strange = _only(self.frames, part)
            rows = strange.rows(held_out=True)
            said[rows] += _probabilities(self._stranger(strange), self.frames, rows)
            judges[rows] += 1
        self.told(self.asked, self.count)
        return Said(said / np.maximum(judges, 1), judges > 0)

    def _stranger(self, learnt: Frames) -> RewardClassifier:
        quick = msgspec.structs.replace(self.config, max_epochs=_EPOCHS, patience=_EPOCHS)
        seed = self.seed + self.asked
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            stranger = RewardClassifier(self.classifier.architecture)
            stranger.to(next(self.classifier.parameters()).device)
            stranger.encoder.load_state_dict(self.classifier.encoder.state_dict())
            features = features_of(stranger, self.frames, self.config, self.folder, self.seed, _untold)
            Fitting(stranger, learnt, features, quick, seed, _untold, self.stopping).run()
        return stranger


def _only(frames: Frames, half: tuple[Span, ...]) -> Frames:
    """The same frames, to be learnt from `half` alone."""
    starts = {span.start for span in half}
    return replace(
        frames, spans=tuple(replace(span, held_out=span.start not in starts) for span in frames.spans)
    )


def _untold(*_: object) -> None:
    """Nobody is told."""


def _few(doubts: tuple[Doubt, ...], frames: Frames, label: int) -> bool:
    """Whether what is in doubt is a small part of all frames with a label."""
    rows = sum(len(doubt.rows) for doubt in doubts if doubt.label == label)
    return rows <= _MOST * int((frames.classes == label).sum())


def flickers_of(frames: Frames) -> Rows:
    """Single frames whose label changes back at once.

    Of a class that is mostly marked so, none: LeRobot's key for success marks a single frame.
    """
    lone = np.concatenate([span.rows[flickers(frames.classes[span.rows])] for span in frames.spans])
    found, every = (np.bincount(of) for of in (frames.classes[lone], frames.classes))
    few = np.pad(found, (0, len(every) - len(found))) < _LONE * every
    doubted: Rows = lone[few[frames.classes[lone]]]
    return doubted


def believed(frames: Frames, *rows: Rows) -> Frames:
    """The same frames, without the labels of `rows`, which are in doubt."""
    return replace(frames, doubted=np.concatenate([frames.doubted, *rows]))


def _in_words(doubts: tuple[Doubt, ...]) -> list[str]:
    """What a person is told of them."""
    said = [
        f"{doubt.span.source.name} episode {doubt.span.episode.number}, frames {doubt.rows[0] - doubt.span.start} to"
        f" {doubt.rows[-1] - doubt.span.start}: marked as {'success' if doubt.label else 'no success'}, which the other"
        " episodes contradict. They were left out of the training: look at them, relabel or delete, train again"
        for doubt in doubts[:_LISTED]
    ]
    more = len(doubts) - len(said)
    if more > 0:
        said.append(f"so it is with {more} more stretches: mend these first")
    if doubts:
        said.append(
            "where you looked at all these and their labels are right, train with reward_classifier.cross_check ="
            " false: then they count"
        )
    return said


def _flickers_in_words(lone: Rows) -> list[str]:
    """What a person is told of single frames."""
    if not len(lone):
        return []
    return [
        f"{len(lone)} single frames have a label that changes back at once, as no success does: they were left out of"
        " the training. Those that it sees otherwise are among its worst errors: relabel them"
    ]


def drawn(frames: Frames, seed: int, parts: int, rounds: int) -> tuple[tuple[Span, ...], ...]:
    """Of the episodes that are learnt from, each of `parts` equal parts, of those with success and of those without.

    They are drawn `rounds` times anew.
    """
    learnt = [span for span in frames.spans if not span.held_out]
    found: list[tuple[Span, ...]] = []
    for round_ in range(rounds):
        order = np.random.default_rng([seed, round_]).permutation(len(learnt))
        mixed = sorted(
            (learnt[number] for number in order),
            key=lambda span: bool(settled(frames.classes[span.rows] > 0).any()),
        )
        found += [tuple(mixed[part::parts]) for part in range(parts)]
    return tuple(found)


def _enough(frames: Frames, half: tuple[Span, ...]) -> bool:
    shown = [bool(settled(frames.classes[span.rows] > 0).any()) for span in half]
    return len(half) >= _LEAST_EPISODES and sum(shown) >= 2


def _probabilities(
    stranger: RewardClassifier, frames: Frames, rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    device = next(stranger.parameters()).device
    found = []
    for start in range(0, len(rows), _AT_ONCE):
        images = {
            camera: of.to(device) for camera, of in frames.images(rows[start : start + _AT_ONCE]).items()
        }
        found.append(stranger.success_probability(images).cpu().numpy())
    return np.concatenate(found).astype(np.float64)


def contradicted(frames: Frames, by_label: tuple[Said, Said]) -> Iterator[Doubt]:
    """Stretches of one label, most frames of which are far from it; of these, the frames that are."""
    for span in frames.spans:
        classes = settled(frames.classes[span.rows] > 0)
        for stretch in np.split(span.rows, np.flatnonzero(np.diff(classes)) + 1):
            label = int(classes[stretch[0] - span.start])
            said = by_label[label]
            known = stretch[said.asked[stretch] & sure(classes)[stretch - span.start]]
            against = known[np.abs(said.success[known] - label) > _FAR[label]]
            if len(known) >= _LEAST_FRAMES and len(against) > _CONTRADICTED[label] * len(known):
                yield Doubt(span, against, label)
