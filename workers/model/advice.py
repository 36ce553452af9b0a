"""Advice: why a run does not learn, by rule, each with what to do about it. Pure.

A rule looks at `Figures` and says something or nothing. While its advice is on the screen it gets `shown`, and
with it a laxer threshold, so that a figure near the threshold does not make the advice come and go.
The thresholds are judgement, not law: each is named, and stands beside its rule.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from workers.model.figures import Figures

EPISODES_TO_JUDGE = 10  # before that a rate says little
ENDLESS_Q = 3.0  # times the largest possible value; 2 while shown
SATURATED = 0.8  # of all motion components; 0.7 while shown
STALE_POLICY_S = 60.0  # 15 times the usual push period
POLICIES_BEHIND = 5
NOT_FALLING = 0.9  # of what the rate was before; 0.8 while shown
WORTH_FALLING = 0.15  # a rate below has little left to fall
LONG_SHARE = 0.5  # of an episode; 0.4 while shown
LONG_S = 3.0  # whatever the episode's length
ALL_HUMAN = 0.9  # 0.8 while shown
SURE_AT_RESET = 0.5  # 0.4 while shown
SUCCESS_AT_ONCE = 0.3  # of recent episodes; 0.2 while shown


Typical = tuple[int, str]
"""(environment steps, whose): when runs like this one first succeeded alone."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One finding. `id` names its rule."""

    id: str
    words: str  # what is wrong, with its figure
    do: str  # what to do


Rule = Callable[[Figures, bool], str]
"""(figures, shown) -> what is wrong, "" when nothing is."""


def frozen_camera(run: Figures, shown: bool) -> str:
    bad = ", ".join(f"{camera} is {flaw}" for camera, flaw in sorted(run.flaws.items()))
    return f"the picture of camera {bad}" if bad else ""


def diverging(run: Figures, shown: bool) -> str:
    if run.q is None:
        return ""
    if not math.isfinite(run.q):
        return "the critics give no number any more"
    most = (2.0 if shown else ENDLESS_Q) * run.q_possible
    return (
        f"Q diverges: {run.q:.3g}, where rewards allow {run.q_possible:.3g} at most"
        if abs(run.q) > most
        else ""
    )


def never_updated(run: Figures, shown: bool) -> str:
    behind = run.policy_newest - run.policy_here
    if not run.learns or not run.policy_newest:
        return ""
    if run.policy_here == 0:
        return f"the actor never took a policy, the learner is at {run.policy_newest}"
    old = run.policy_age_s or 0.0
    late = behind >= POLICIES_BEHIND or (behind > 0 and old > STALE_POLICY_S)
    return f"the actor drives with policy {run.policy_here}, {behind} behind, {old:.0f} s old" if late else ""


def no_reward(run: Figures, shown: bool) -> str:
    tried = run.demonstrations + run.episodes
    if run.rewarded or tried < EPISODES_TO_JUDGE // 2 or run.rewarded_batch:
        return ""
    return f"no reward in the buffer: none of {tried} episodes was a success"


def fires_at_reset(run: Figures, shown: bool) -> str:
    sure = run.reset_probability
    if sure is not None and sure >= (0.4 if shown else SURE_AT_RESET):
        return f"the classifier sees success at the reset, with {sure:.0%}"
    won = run.at_once or 0.0
    if run.episodes >= EPISODES_TO_JUDGE and won >= (0.2 if shown else SUCCESS_AT_ONCE):
        return f"{won:.0%} of the episodes succeed within three steps, before anything moved"
    return ""


def human_does_everything(run: Figures, shown: bool) -> str:
    if run.human is None or run.episodes < EPISODES_TO_JUDGE:
        return ""
    least = 0.8 if shown else ALL_HUMAN
    return (
        f"a person drives {run.human:.0%} of the steps: the policy tries nothing"
        if run.human >= least
        else ""
    )


def too_long(run: Figures, shown: bool) -> str:
    mean, whole = run.intervention_steps, run.episode_steps
    if mean is None or not whole or run.interventions < EPISODES_TO_JUDGE // 2:
        return ""
    long = mean > (0.4 if shown else LONG_SHARE) * whole and mean > LONG_S * run.fps
    return f"interventions last {mean / run.fps:.1f} s of {whole / run.fps:.1f} s episodes" if long else ""


def not_falling(run: Figures, shown: bool) -> str:
    now, before = run.human, run.human_before
    if now is None or before is None or now < WORTH_FALLING:
        return ""
    falls = now < (0.8 if shown else NOT_FALLING) * before
    return "" if falls else f"interventions do not fall: {before:.0%} of the steps before, {now:.0%} now"


def saturated(run: Figures, shown: bool) -> str:
    share = run.saturated
    if share is None or share < (0.7 if shown else SATURATED):
        return ""
    return f"actions are saturated: {share:.0%} of the policy's motions are at full speed"


RULES: tuple[tuple[str, Rule, str], ...] = (
    ("frozen-camera", frozen_camera, "pause (p), look at lens, light and cable; unplug it and plug it in"),
    ("diverging", diverging, "lower algorithm.critic_lr or discount, look for rewards out of proportion"),
    (
        "never-updated",
        never_updated,
        "look at the link and the log; the learner may be stuck or too far away",
    ),
    (
        "no-reward",
        no_reward,
        "mark successes with s, check the classifier's threshold; record demonstrations",
    ),
    ("fires-at-reset", fires_at_reset, "raise success_threshold, or train it with pictures of the reset"),
    ("human-does-everything", human_does_everything, "let the policy try a few seconds before you take over"),
    ("too-long", too_long, "correct briefly: take over, put it right, give back before the end"),
    (
        "not-falling",
        not_falling,
        "help in the same way each time and let it finish; more demonstrations of where it fails",
    ),
    (
        "saturated",
        saturated,
        "lower actor_lr, or widen end_effector_step_sizes if the demonstrations are too",
    ),
)
"""id, rule, what to do; the most important first."""


def not_started(run: Figures, typical: Typical) -> str:
    """When no episode succeeded alone yet: how far it is, beside when runs like it first did."""
    if run.ever_alone or not run.steps or run.episodes < EPISODES_TO_JUDGE:
        return ""
    steps, source = typical
    first = f"no success alone yet after {run.steps:,} steps"
    if run.steps <= steps:
        return f"{first}; {source} at about {steps:,}: this is normal"
    return f"{first}; {source} at about {steps:,}"


DO_WAIT = "go on: help it briefly, and let it end episodes by itself"
DO_CHECK = "look at the policy's pictures and the bounds; record more demonstrations, or begin with bc_weight"


def findings(run: Figures, typical: Typical, shown: frozenset[str] = frozenset()) -> list[Advice]:
    """All that is wrong now, the most important first. `shown`: ids that are on the screen."""
    if not run.trains:
        camera = frozen_camera(run, "frozen-camera" in shown)
        return [Advice("frozen-camera", camera, RULES[0][2])] if camera else []
    found = [Advice(name, words, do) for name, rule, do in RULES if (words := rule(run, name in shown))]
    if words := not_started(run, typical):
        found.append(Advice("not-started", words, DO_WAIT if run.steps <= typical[0] else DO_CHECK))
    return found


RAISE_AFTER_S = 5.0
CLEAR_AFTER_S = 20.0
REWORD_S = 10.0


class Adviser:
    """Keeps advice calm: what holds for `RAISE_AFTER_S` is shown, until it was gone for `CLEAR_AFTER_S`.

    Its figures are renewed every `REWORD_S`. Times are monotonic seconds handed in by the caller.
    """

    def __init__(self) -> None:
        self._since: dict[str, float] = {}  # when a rule began to hold
        self._seen: dict[str, float] = {}  # when it held last
        self._shown: dict[str, tuple[float, Advice]] = {}  # and when it was worded
        self._order = {name: rank for rank, (name, _, _) in enumerate(RULES)}

    def look(self, run: Figures, typical: Typical, now_s: float) -> tuple[Advice, ...]:
        """What should be on the screen now, the most important first."""
        holds = {advice.id: advice for advice in findings(run, typical, frozenset(self._shown))}
        for name in [name for name in self._since if name not in holds]:
            del self._since[name]
        for name, advice in holds.items():
            self._seen[name] = now_s
            if now_s - self._since.setdefault(name, now_s) < RAISE_AFTER_S:
                continue
            worded_s, _ = self._shown.get(name, (-math.inf, advice))
            if now_s - worded_s >= REWORD_S:
                self._shown[name] = (now_s, advice)
        for name in [name for name in self._shown if now_s - self._seen[name] > CLEAR_AFTER_S]:
            del self._shown[name]
        return tuple(advice for _, advice in sorted(self._shown.values(), key=self._rank))

    def _rank(self, shown: tuple[float, Advice]) -> int:
        return self._order.get(shown[1].id, len(self._order))
