"""How good a classifier is: from probabilities and labels of held-out episodes to the figures of the report.

Frames are counted one by one; episodes as a run decides them, by `votes` of the newest `window` frames.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.model.classifier_events import ReliabilityBin, RocPoint, Scores, SweepRow
from workers.reward.labels import settled, sure

Probabilities = NDArray[np.float64]
"""[n] of success."""
Truth = NDArray[np.bool_]
"""[n] whether frames show success."""
BINS = 10
_THRESHOLDS = (*(round(0.05 * step, 2) for step in range(1, 20)), 0.97, 0.99)
_ROC_POINTS = 200
_WORTH = 0.1
"""Of the frames with success, what the threshold may cost: an episode shows many."""
_UPWARD = 2 / 3
"""How far up the gap: a wrong success teaches something else, a missed one costs a few steps."""
_LEAST_THRESHOLD, _MOST_THRESHOLD = 0.5, 0.999
"""What is rather seen as none is never a success, however few frames without success look like that."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Judged:
    """An episode with what the classifier said of it."""

    probabilities: Probabilities
    truth: Truth
    doubted: Truth | None = None
    """[n] frames whose labels are not believed: they are counted, but choose no threshold."""


@dataclass(frozen=True)
class Rule:
    """An episode ends when `votes` of its newest `window` frames are at or above the threshold."""

    votes: int
    window: int

    def strength(self, probabilities: Probabilities) -> Probabilities:
        """[n] the highest threshold at which an episode would have ended by each of its frames' votes."""
        before = np.concatenate([np.zeros(self.window - 1), probabilities])
        newest = np.lib.stride_tricks.sliding_window_view(before, self.window)
        strength: Probabilities = np.sort(newest, axis=1)[:, -self.votes]
        return strength

    def decided_at(self, hits: Truth) -> int | None:
        """The frame at which it ends, None where it never does."""
        counts = np.convolve(hits.astype(np.int64), np.ones(self.window, np.int64))[: len(hits)]
        found = np.flatnonzero(counts >= self.votes)
        return int(found[0]) if len(found) else None


def scores(right_positive: int, wrong_positive: int, right_negative: int, wrong_negative: int) -> Scores:
    """The rates of these counts."""
    positives, negatives = right_positive + wrong_negative, right_negative + wrong_positive
    return Scores(
        right_positive,
        wrong_positive,
        right_negative,
        wrong_negative,
        _share(right_positive + right_negative, positives + negatives),
        _share(right_positive, right_positive + wrong_positive),
        _share(right_positive, positives),
        _share(wrong_positive, negatives),
    )


def frame_scores(probabilities: Probabilities, truth: Truth, threshold: float) -> Scores:
    hits = probabilities >= threshold
    return scores(
        int((hits & truth).sum()),
        int((hits & ~truth).sum()),
        int((~hits & ~truth).sum()),
        int((~hits & truth).sum()),
    )


def sweep_row(episodes: Sequence[Judged], threshold: float, rule: Rule) -> SweepRow:
    """What a threshold would mean.

    A success that is decided more than `rule.window` frames before the first frame that shows one was decided by
    something else: it is a wrong positive, and the success is not found. Labels are not more exact than that.
    """
    right_positive = wrong_positive = right_negative = wrong_negative = early = 0
    delays = []
    for episode in episodes:
        at = rule.decided_at(episode.probabilities >= threshold)
        truth = settled(episode.truth)
        if not truth.any():
            wrong_positive += at is not None
            right_negative += at is None
            continue
        first = int(truth.argmax())
        if at is None:
            wrong_negative += 1
        elif at < first - rule.window:
            early += 1
        else:
            right_positive += 1
            delays.append(at - first)
    of = scores(right_positive, wrong_positive, right_negative, wrong_negative)
    whole = Scores(
        right_positive,
        wrong_positive + early,
        right_negative,
        wrong_negative,
        _share(right_positive + right_negative, len(episodes)),
        _share(right_positive, right_positive + wrong_positive + early),
        _share(right_positive, right_positive + wrong_negative + early),
        of.false_positive_rate,
    )
    frames = frame_scores(*all_frames(episodes), threshold)
    return SweepRow(threshold, frames, whole, early, float(np.median(delays)) if delays else None)


def sweep(episodes: Sequence[Judged], rule: Rule, also: Iterable[float] = ()) -> tuple[SweepRow, ...]:
    """Thresholds from 0.05 to 0.99, and those that are `also` wanted."""
    return tuple(sweep_row(episodes, threshold, rule) for threshold in sorted({*_THRESHOLDS, *also}))


def recommended_threshold(
    episodes: Sequence[Judged], false_positive_rate: float, rule: Rule, most: float = 1.0
) -> float:
    """The threshold that ends no episode wrongly, keeps to a false-positive rate, and finds the most success.

    Between what it must stay above and the frames with success that it finds there is often a gap; it is in the upper
    half of that, nearer to the successes. Where this would miss more than a tenth of what a threshold of 0.5 finds, it
    keeps to the rate alone; where that would too, as wrong labels bring about, it is the one that tells the frames
    apart best, and the report says so.

    Args:
        most: no threshold is higher. Of smoothed labels, what is said above it differs by chance only, and the next
            change of light would take the successes away.
    """
    probabilities, truth = believed_frames(episodes)
    negatives, positives = np.sort(probabilities[~truth])[::-1], np.sort(probabilities[truth])

    def without(share: float) -> float:
        """What all negative frames stay at or below, but a share."""
        left_out = int(share * len(negatives) + _ROUNDING)
        return float(negatives[left_out]) if left_out < len(negatives) else 0.0

    by_rate = without(false_positive_rate)
    for low in (max(by_rate, _wrong_strength(episodes, rule)), by_rate):
        strict = min(most, _in_gap(positives, low))
        if low < most and (positives >= strict).sum() >= (1 - _WORTH) * (positives >= 0.5).sum():
            return strict
    points, _ = roc(probabilities, truth)
    best = max(points, key=lambda point: point.true_positive_rate - point.false_positive_rate)
    return min(most, _in_gap(positives, without(best.false_positive_rate)))


def _wrong_strength(episodes: Sequence[Judged], rule: Rule) -> float:
    """The threshold above which none of the episodes would end without a success."""
    found = 0.0
    for episode in episodes:
        doubted = np.zeros(len(episode.truth), np.bool_) if episode.doubted is None else episode.doubted
        strength = rule.strength(np.where(doubted, 0.0, episode.probabilities))
        truth = settled(episode.truth)
        first = int(truth.argmax()) - rule.window if truth.any() else len(truth)
        found = max(found, float(strength[: max(0, first)].max(initial=0.0)))
    return found


def _in_gap(positives: Probabilities, low: float) -> float:
    """Between `low` and the positive frames above it, in rising order, but the lowest of them."""
    above = positives[positives > low]
    high = float(above[int(_WORTH * len(above))]) if len(above) else 1.0
    threshold = round(low + _UPWARD * (high - low), 3)
    if threshold <= low:  # the gap is narrower than the rounding
        threshold = float(np.nextafter(low, 1.0))
    return min(max(threshold, _LEAST_THRESHOLD), _MOST_THRESHOLD)


def roc(probabilities: Probabilities, truth: Truth) -> tuple[tuple[RocPoint, ...], float | None]:
    """The curve, from threshold 1 down, and the area under it; ([], None) where all frames are of one class."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return (), None
    order = np.argsort(-probabilities, kind="stable")
    falling, hits = probabilities[order], truth[order]
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # of frames of the same probability
    true_rates = np.append(0.0, np.cumsum(hits)[last] / positives)
    false_rates = np.append(0.0, np.cumsum(~hits)[last] / negatives)
    area = float(np.trapezoid(true_rates, false_rates))
    thresholds = np.append(1.0, falling[last])
    kept = np.unique(
        np.linspace(0, len(thresholds) - 1, min(_ROC_POINTS, len(thresholds))).round().astype(int)
    )
    points = (RocPoint(float(thresholds[at]), float(false_rates[at]), float(true_rates[at])) for at in kept)
    return tuple(points), area


def reliability(probabilities: Probabilities, truth: Truth) -> tuple[tuple[ReliabilityBin, ...], float]:
    """Bins that have frames, and the expected calibration error (Guo et al. 2017)."""
    numbers = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    bins = []
    for number in np.unique(numbers).tolist():
        here = numbers == number
        bins.append(
            ReliabilityBin(
                number / BINS,
                (number + 1) / BINS,
                int(here.sum()),
                float(probabilities[here].mean()),
                float(truth[here].mean()),
            )
        )
    error = sum(of.frames * abs(of.mean_probability - of.successes) for of in bins) / max(1, len(truth))
    return tuple(bins), float(error)


def all_frames(episodes: Sequence[Judged]) -> tuple[Probabilities, Truth]:
    """Probabilities and truth of all their frames whose labels can be relied on."""
    return _frames(episodes, [sure(episode.truth) for episode in episodes])


def believed_frames(episodes: Sequence[Judged]) -> tuple[Probabilities, Truth]:
    """Of these, the ones whose labels nothing contradicts; all, where nothing would be left of a class."""
    kept = [
        sure(episode.truth) if episode.doubted is None else sure(episode.truth) & ~episode.doubted
        for episode in episodes
    ]
    found = _frames(episodes, kept)
    return found if found[1].any() and not found[1].all() else all_frames(episodes)


def _frames(episodes: Sequence[Judged], kept: Sequence[Truth]) -> tuple[Probabilities, Truth]:
    return (
        np.concatenate([episode.probabilities[at] for episode, at in zip(episodes, kept, strict=True)]),
        np.concatenate([episode.truth[at] for episode, at in zip(episodes, kept, strict=True)]),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
