"""Success by k of n: how many of the newest steps must look like one, and how often that goes wrong.

A classifier errs on single pictures: a hand, a shadow, a frame torn on its way. Let every step be wrong with
probability q, independently of the others. A window of n steps holds k wrong ones with about C(n, k) q^k, and a
decision can begin at each of the T steps of an episode: some k - 1 of the n - 1 steps before a wrong one are wrong
too, so

    P(wrongly ended) <= T q C(n - 1, k - 1) q^(k - 1)

For q = 1 % and T = 100 (10 s at 10 Hz), the bound, the exact figure of `wrongly_ended`, and the mean number of
steps until a success is decided whose steps are seen with 90 %, `steps_to_decide`:

    k of n    bound    exact     steps
    1 of 1    100 %    63.4 %     1.11
    2 of 2    1.0 %    0.98 %     2.35
    2 of 3    2.0 %    1.90 %     2.23
    3 of 3    0.01 %   0.0097 %   3.72
    3 of 4    0.03 %   0.028 %    3.38
    3 of 5    0.06 %   0.056 %    3.34

Two votes are not enough, whatever the window; three are, and a third one costs one step. A window of 4 forgives the
one missed step that 3 of 3 does not; a fifth step gains nothing worth its risk. Hence 3 of 4.
"""

from collections import deque


class Votes:
    """The newest `window` steps; decided when `wanted` of them voted for success."""

    def __init__(self, wanted: int, window: int) -> None:
        self.wanted = wanted
        self._steps = deque[bool](maxlen=window)

    @property
    def count(self) -> int:
        return sum(self._steps)

    @property
    def steps(self) -> tuple[bool, ...]:
        """What each of the newest steps voted, oldest first."""
        return tuple(self._steps)

    def add(self, vote: bool) -> bool:
        """Count a step's vote; whether success is decided now."""
        self._steps.append(vote)
        return self.count >= self.wanted

    def clear(self) -> None:
        self._steps.clear()


def wrongly_ended(wrong: float, wanted: int, window: int, steps: int) -> float:
    """Probability that steps without success, each voting with probability `wrong`, are decided a success."""
    return 1.0 - sum(_undecided(wrong, wanted, window, steps)[-1].values())


def steps_to_decide(seen: float, wanted: int, window: int, limit: int = 10_000) -> float:
    """Mean number of steps until a success is decided of which each step is seen with probability `seen`."""
    return sum(sum(states.values()) for states in _undecided(seen, wanted, window, limit)[:-1])


def _undecided(vote: float, wanted: int, window: int, steps: int) -> list[dict[tuple[bool, ...], float]]:
    """Before every step and after the last: the probability of each row of the newest votes that decides nothing."""
    states: dict[tuple[bool, ...], float] = {(): 1.0}
    history = [states]
    for _ in range(steps):
        following: dict[tuple[bool, ...], float] = {}
        for row, probability in states.items():
            for voted, share in ((True, vote), (False, 1.0 - vote)):
                now = (*row, voted)[-window:]
                if sum(now) < wanted:
                    following[now] = following.get(now, 0.0) + probability * share
        states = following
        history.append(states)
        if sum(states.values()) < 1e-12:
            break
    return history
