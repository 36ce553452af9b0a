"""Figures derived from a ConsoleState: what panes and progress lines print. Pure."""

import math
from collections.abc import Sequence

from workers.model.events import EndedBy, EpisodeKind, LinkState, WorkerState
from workers.model.state import ConsoleState, Episode, Running

WINDOW = 20  # episodes in a rolling figure
_UNJUDGED = (EndedBy.STOP, EndedBy.RERECORD)
Z_95 = 1.959964  # two-sided 95 % quantile of the normal distribution


def training_episodes(state: ConsoleState) -> tuple[Episode, ...]:
    """Episodes of training that came to an end of their own: a stop or a rerecord says nothing of the policy."""
    return tuple(
        ep for ep in state.episodes if ep.kind is EpisodeKind.TRAINING and ep.ended_by not in _UNJUDGED
    )


def autonomous_success(episodes: Sequence[Episode], window: int = WINDOW) -> float | None:
    """Share of the last `window` episodes that succeeded with no human step; None without episodes.

    An episode a human helped in counts as not autonomous, whatever its end.
    """
    recent = episodes[-window:]
    if not recent:
        return None
    return sum(ep.success and ep.autonomous for ep in recent) / len(recent)


def autonomous_interval(episodes: Sequence[Episode], window: int = WINDOW) -> tuple[float, float]:
    """95 % interval of `autonomous_success`."""
    recent = episodes[-window:]
    return wilson_interval(sum(ep.success and ep.autonomous for ep in recent), len(recent))


def all_success(episodes: Sequence[Episode], window: int = WINDOW) -> float | None:
    """Share of the last `window` episodes that succeeded, helped or not."""
    recent = episodes[-window:]
    if not recent:
        return None
    return sum(ep.success for ep in recent) / len(recent)


def intervention_rate(episodes: Sequence[Episode], window: int = WINDOW) -> float | None:
    """Human steps over all steps of the last `window` episodes."""
    recent = episodes[-window:]
    steps = sum(ep.steps for ep in recent)
    return sum(ep.steps_by_human for ep in recent) / steps if steps else None


def intervention_steps(episodes: Sequence[Episode]) -> float | None:
    """Mean length of an intervention, in steps; None without any."""
    taken_over = sum(ep.interventions for ep in episodes)
    return sum(ep.steps_by_human for ep in episodes) / taken_over if taken_over else None


def interventions_each(episodes: Sequence[Episode]) -> float | None:
    """Mean number of interventions in an episode; None without any episode."""
    return sum(ep.interventions for ep in episodes) / len(episodes) if episodes else None


def episode_steps(episodes: Sequence[Episode]) -> float | None:
    """Mean length of an episode, in steps; None without any."""
    return sum(ep.steps for ep in episodes) / len(episodes) if episodes else None


def cycle_s(episodes: Sequence[Episode]) -> float | None:
    """Mean seconds from an episode's beginning, reset included, to its success; None without successes."""
    took = [ep.seconds for ep in episodes if ep.success]
    return sum(took) / len(took) if took else None


def running_intervention_rate(running: Running) -> float:
    """Human steps over all steps of the episode that runs now."""
    return running.steps_by_human / running.step if running.step else 0.0


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % score interval of a success probability (Wilson 1927)."""
    if trials == 0:
        return 0.0, 1.0
    p = successes / trials
    z2 = Z_95**2
    centre = p + z2 / (2 * trials)
    half = Z_95 * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2))
    scale = 1 + z2 / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def rolling(episodes: Sequence[Episode], window: int = WINDOW) -> list[tuple[float, float]]:
    """(autonomous success, all success) after each episode, over its last `window`."""
    return [
        (
            autonomous_success(episodes[: i + 1], window) or 0.0,
            all_success(episodes[: i + 1], window) or 0.0,
        )
        for i in range(len(episodes))
    ]


def policy_age_s(state: ConsoleState, now_s: float) -> float | None:
    """Seconds since the actor's policy was swapped in; None before the first."""
    return max(0.0, now_s - state.policy_at_s) if state.policy_version else None


def backlog_per_s(state: ConsoleState) -> float:
    """Records by which the link's backlog grows in a second, over its newest reports; negative: it catches up."""
    seen = state.link_backlogs
    return (seen[-1] - seen[0]) / (len(seen) - 1) if len(seen) > 1 else 0.0


def catches_up_s(state: ConsoleState) -> float | None:
    """Seconds until the backlog is gone: as it shrinks now, or after an outage at the best rate the link has shown.

    None where nothing tells: it does not shrink, or nothing was ever sent.
    """
    link = state.link
    if link is None:
        return None
    if link.state is LinkState.UP:
        grows = backlog_per_s(state)
        return link.backlog / -grows if grows < 0 else None
    best = state.link_best_bytes_per_s
    return link.backlog_bytes / best if best else None


def learner_is_away(state: ConsoleState) -> str:
    """How a learner that has worked before and does not now is to come back, "" while it works."""
    learner = state.workers.get("learner")
    if learner is None:
        return ""
    if learner.state is WorkerState.FAILED:
        return "failed"
    comes = learner.restarts and learner.state in (WorkerState.STARTING, WorkerState.RESTARTING)
    return "restarts" if comes else ""
