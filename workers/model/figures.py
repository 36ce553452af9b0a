"""Figures: the few numbers of a run that advice is made of, drawn from a ConsoleState. Pure."""

from collections.abc import Sequence
from statistics import fmean as mean

import msgspec

from workers.model import select
from workers.model.events import EpisodeKind, Phase
from workers.model.state import ConsoleState, Episode

WINDOW = select.WINDOW  # episodes in a recent figure
AT_ONCE_STEPS = 3  # an episode that succeeds within so many was won before anything could move


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """None: not known (yet)."""

    trains: bool = False
    """Whether the run is in training, and goes on."""
    task: str = ""
    steps: int = 0
    """Environment steps of training."""
    episodes: int = 0
    """Training episodes that came to an end of their own."""
    demonstrations: int = 0
    """Demonstrations recorded in this run."""
    rewarded: int = 0
    """Demonstrations and training episodes with a reward above 0."""
    rewarded_batch: float | None = None
    """Share of the transitions of a batch with a reward above 0."""
    alone: float | None = None
    """Share of the recent episodes that succeeded with no human step."""
    ever_alone: bool = False
    """Whether an episode of training ever succeeded with no human step."""
    at_once: float | None = None
    """Share of the recent episodes that succeeded within their first three steps."""
    reset_probability: float | None = None
    """What the reward classifier gave the first step of recent episodes, in the mean."""
    human: float | None = None
    """Human steps over all steps of the recent episodes."""
    human_before: float | None = None
    """The same of as many episodes before those."""
    intervention_steps: float | None = None
    """Mean length of a recent intervention."""
    interventions: int = 0
    """Recent ones."""
    episode_steps: float | None = None
    """Mean length of a recent episode."""
    fps: float = 10.0
    q: float | None = None
    q_possible: float = 1.0
    """The largest value that the rewards seen so far can add up to, the entropy's bonus included."""
    saturated: float | None = None
    """Share of the policy's motion components at the end of their range."""
    flaws: dict[str, str] = {}
    """Cameras whose picture is unfit to learn from."""
    learns: bool = False
    """Whether the learner makes updates now."""
    policy_here: int = 0
    """Version that the actor drives with."""
    policy_newest: int = 0
    policy_age_s: float | None = None


def figures_of(state: ConsoleState, now_s: float) -> Figures:
    """What there is to know of a run at `now_s`, on the robot PC's monotonic clock."""
    training = select.training_episodes(state)
    recent, before = training[-WINDOW:], training[-2 * WINDOW : -WINDOW]
    demonstrations = [ep for ep in state.episodes if ep.kind is EpisodeKind.DEMONSTRATION]
    metrics, learner, run = state.learner.metrics, state.learner, state.run
    return Figures(
        trains=state.progress.phase is Phase.TRAINING and not state.progress.ended,
        task=run.task if run else "",
        steps=learner.env_steps,
        episodes=len(training),
        demonstrations=len(demonstrations),
        rewarded=sum(ep.reward > 0 for ep in (*demonstrations, *training)),
        rewarded_batch=metrics.get("rewarded"),
        alone=select.autonomous_success(training),
        ever_alone=any(ep.success and ep.autonomous for ep in training),
        at_once=_share([ep.success and ep.steps <= AT_ONCE_STEPS for ep in recent]),
        reset_probability=_at_reset(state),
        human=select.intervention_rate(recent),
        human_before=select.intervention_rate(before) if len(before) == WINDOW else None,
        intervention_steps=select.intervention_steps(recent),
        interventions=sum(ep.interventions for ep in recent),
        episode_steps=select.episode_steps(recent),
        fps=run.fps if run else 10.0,
        q=metrics.get("q_policy", metrics.get("q_mean")),
        q_possible=_q_possible(state, (*demonstrations, *training)),
        saturated=metrics.get("saturated"),
        flaws=state.flaws,
        learns=learner.updates_per_s > 0,
        policy_here=state.policy_version,
        policy_newest=learner.policy_version,
        policy_age_s=select.policy_age_s(state, now_s),
    )


def _at_reset(state: ConsoleState) -> float | None:
    """One episode that begins with the object in place is no reason for advice: two at least."""
    seen = state.classifier.at_resets if state.classifier else ()
    return mean(seen) if len(seen) > 1 else None


def _share(held: Sequence[bool]) -> float | None:
    return sum(held) / len(held) if held else None


def _q_possible(state: ConsoleState, episodes: Sequence[Episode]) -> float:
    """max |return| seen, at least 1 (a success), + alpha |H| / (1 - gamma): no state's value can be above that."""
    most = max((abs(ep.reward) for ep in episodes), default=0.0)
    metrics, discount = state.learner.metrics, state.run.discount if state.run else 0.99
    bonus = metrics.get("temperature", 0.0) * abs(metrics.get("entropy", 0.0)) / (1.0 - discount)
    return max(1.0, most) + bonus
