"""What an evaluation's trials say: success with its interval, cycle times, A against B. Pure."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median

from workers.model.evaluation import SHORT, SIDES, Contestant, Result, Trial, side_of
from workers.model.proportions import paired_difference_interval
from workers.model.select import wilson_interval

UNDECIDED = "not enough trials to tell them apart"


@dataclass(frozen=True, slots=True)
class Summary:
    """One policy's trials that count."""

    trials: int
    successes: int
    interval: tuple[float, float]
    """Wilson, 95 %."""
    mean_s: float | None
    """Cycle time: seconds of the trials that succeeded; None when none did."""
    median_s: float | None
    ends: tuple[tuple[str, int], ...]
    """(how a trial ended, how often), most often first."""
    uncounted: int
    """Trials that do not count: somebody took over, the arm failed, it was to be repeated."""

    @property
    def rate(self) -> float:
        return self.successes / self.trials if self.trials else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A against B, over the pairs of which both trials count."""

    both: int
    first: int
    """Pairs in which only A succeeded."""
    second: int
    neither: int
    difference: float
    """Success rate of A less that of B."""
    interval: tuple[float, float]
    """95 %, see `paired_difference_interval`."""

    @property
    def pairs(self) -> int:
        return self.both + self.first + self.second + self.neither

    @property
    def verdict(self) -> str:
        if not self.pairs:
            return "no pair is complete yet"
        low, high = self.interval
        if low > 0 or high < 0:
            return f"{SIDES[0] if low > 0 else SIDES[1]} succeeds more often"
        return UNDECIDED


def counted(result: Result, side: int) -> list[Trial]:
    return [trial for trial in result.trials if trial.counted and trial.side == side]


def summary(result: Result, side: int) -> Summary:
    trials = counted(result, side)
    good = [trial for trial in trials if trial.success]
    times_s = [trial.seconds for trial in good]
    ends = Counter(end_in_words(trial) for trial in trials)
    return Summary(
        trials=len(trials),
        successes=len(good),
        interval=wilson_interval(len(good), len(trials)),
        mean_s=mean(times_s) if times_s else None,
        median_s=median(times_s) if times_s else None,
        ends=tuple(ends.most_common()),
        uncounted=sum(trial.side == side and not trial.counted for trial in result.trials),
    )


def comparison(result: Result) -> Comparison | None:
    """None of an evaluation of one policy."""
    if len(result.contestants) < len(SIDES):
        return None
    pairs: dict[int, dict[int, bool]] = {}
    for trial in result.trials:
        if trial.counted:
            pairs.setdefault(trial.number // len(SIDES), {})[trial.side] = trial.success
    table = Counter((pair[0], pair[1]) for pair in pairs.values() if len(pair) == len(SIDES))
    both, first, second, neither = (
        table[outcome] for outcome in ((True, True), (True, False), (False, True), (False, False))
    )
    total = max(1, table.total())
    interval = paired_difference_interval(both, first, second, neither)
    return Comparison(both, first, second, neither, (first - second) / total, interval)


def end_in_words(trial: Trial) -> str:
    """How a trial ended, and who said so."""
    words = trial.ended_by.replace("_", " ")
    return words if trial.decided_by in ("", words) else f"{words} ({trial.decided_by})"


def outcome(trial: Trial) -> str:
    """How a trial ended, or why it does not count."""
    return end_in_words(trial) if trial.counted else f"not counted: {trial.why or trial.ended_by}"


def trial_line(result: Result, trial: Trial) -> str:
    """A trial in one line."""
    side = f" {SIDES[trial.side]}" if len(result.contestants) > 1 else ""
    of = f"trial {trial.number + 1} of {wanted(result)}{side}"
    return f"{of}: {outcome(trial)}, {trial.steps} steps, {trial.seconds:.1f} s, seed {trial.seed}"


def made(result: Result) -> int:
    """Trials that count."""
    return sum(trial.counted for trial in result.trials)


def wanted(result: Result) -> int:
    return result.wanted * len(result.contestants)


def next_side(result: Result) -> int | None:
    """Which policy drives the trial that runs; None after the last."""
    return None if result.ended else side_of(made(result), len(result.contestants))


def left_s(result: Result, now_s: float) -> float | None:
    """Seconds until the end as it has gone so far, `now_s` on the wall clock; None before the first trial counts.

    By the median trial, from end to end: an evaluation that was cut off may have gone on a day later.
    """
    done = made(result)
    if not done or result.ended:
        return None
    trials = sorted(result.trials, key=lambda trial: trial.ended_s)
    first, last_s = trials[0], trials[-1].ended_s
    # Some evaluations are written down after their first trial.
    began_s = min(result.began_s, first.ended_s - first.seconds)
    each_s = median(after - before for before, after in pairwise([began_s, *(one.ended_s for one in trials)]))
    left = (wanted(result) - done) * len(trials) / done  # those that do not count take time too
    return max(0.0, each_s * left - max(0.0, now_s - last_s))


def short(contestant: Contestant) -> str:
    """The digest as people are shown it."""
    return contestant.digest[:SHORT]


def introduced(contestants: Sequence[Contestant]) -> list[str]:
    """The policies before the first trial, a line for each."""
    names = SIDES if len(contestants) > 1 else ("policy",)
    return [
        f"{name}: {one.label}, weights {short(one)}, from {one.source}"
        for name, one in zip(names, contestants, strict=True)
    ]


def state_in_words(result: Result) -> str:
    """How far it got. A file cannot tell an evaluation that goes on from one whose machine went dark."""
    return result.ended or f"{made(result)} of {wanted(result)} trials so far"


def line(result: Result) -> str:
    """The result in one line, for a list: when, what, how it went."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(result.began_s))
    told = []
    for side, contestant in enumerate(result.contestants):
        one = summary(result, side)
        low, high = one.interval
        words = f"{contestant.label} ({short(contestant)}) {one.successes}/{one.trials}"
        told.append(
            words + (f" = {100 * one.rate:.0f} % [{100 * low:.0f} to {100 * high:.0f}]" if one.trials else "")
        )
    unfinished = "" if result.complete else f"  ({state_in_words(result)})"
    return f"{when}  {' against '.join(told)}{unfinished}"


def brief(result: Result) -> str:
    """How it went, in a few words."""
    told = []
    for side in range(len(result.contestants)):
        one = summary(result, side)
        low, high = one.interval
        name = f"{SIDES[side]} " if len(result.contestants) > 1 else ""
        told.append(f"{name}{one.successes} of {one.trials} ({100 * low:.0f} to {100 * high:.0f} %)")
    against = comparison(result)
    return ", ".join(told) + (f": {against.verdict}" if against is not None else " succeeded")


def lines(result: Result) -> list[str]:
    """The result for a terminal or a log: a line for each policy, and one that compares them."""
    told = []
    for side, contestant in enumerate(result.contestants):
        one = summary(result, side)
        low, high = one.interval
        head = f"{SIDES[side]} " if len(result.contestants) > 1 else ""
        text = f"{head}{contestant.label}, weights {short(contestant)}: {one.successes} of {one.trials}"
        if one.trials:
            text += f" = {100 * one.rate:.0f} % (95 % interval {100 * low:.0f} to {100 * high:.0f} %)"
        if one.mean_s is not None and one.median_s is not None:
            text += f", cycle time mean {one.mean_s:.1f} s, median {one.median_s:.1f} s"
        if one.uncounted:
            text += f", {one.uncounted} not counted"
        told.append(text)
    if (against := comparison(result)) is not None:
        low, high = against.interval
        told.append(
            f"A minus B over {against.pairs} pairs: {100 * against.difference:+.0f} points (95 % interval "
            f"{100 * low:+.0f} to {100 * high:+.0f}): {against.verdict}"
        )
    return told
