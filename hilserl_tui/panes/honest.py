"""Every figure by which a run is judged, each with what it is a figure of: nothing that flatters. Pure."""

from collections.abc import Iterator

from hilserl_tui.panes.draw import Row, age, count, elide, figure, size
from hilserl_tui.view import View
from workers.model import select
from workers.model.state import ConsoleState, Episode

NAME_CELLS = 17
Figure = tuple[str, str]
"""What it is called, and what it is."""


def figures(view: View, width: int) -> list[Row]:
    """A figure a row; one that there is nothing to say of yet has none."""
    state = view.state
    training = select.training_episodes(state)
    told = [*_success(state, training), *_human(state, training), *_learning(view), *_machine(state)]
    return [
        ((elide(name, NAME_CELLS), "dim"), (elide(words, max(0, width - NAME_CELLS)), "text"))
        for name, words in told
    ]


def _success(state: ConsoleState, training: tuple[Episode, ...]) -> Iterator[Figure]:
    recent = training[-select.WINDOW :]
    if recent:
        alone = sum(ep.success and ep.autonomous for ep in recent)
        low, high = select.autonomous_interval(recent)
        among = f"{alone} of {len(recent)} episodes, 95 % interval {low:.2f} to {high:.2f}"
        yield "success alone", f"{figure(select.autonomous_success(recent))}  {among}"
        yield "success, all", f"{figure(select.all_success(recent))}  helped or not"
    if state.evaluation is not None:
        successes, trials = state.evaluation.successes, state.evaluation.trials
        low, high = select.wilson_interval(successes, trials)
        version = state.evaluation.policy_version
        yield (
            "evaluation",
            f"{successes} of {trials}, interval {low:.2f} to {high:.2f}, of policy {version} alone",
        )
    steps, cycle = select.episode_steps(recent), select.cycle_s(recent)
    if steps is not None and state.run is not None:
        yield "episode length", f"{steps / state.run.fps:.1f} s"
    if cycle is not None:
        yield "cycle time", f"{cycle:.1f} s from the reset to a success"


def _human(state: ConsoleState, training: tuple[Episode, ...]) -> Iterator[Figure]:
    recent, before = training[-select.WINDOW :], training[-2 * select.WINDOW : -select.WINDOW]
    rate, was = select.intervention_rate(recent), select.intervention_rate(before)
    if rate is not None:
        yield "human-driven", f"{rate:.0%} of the steps" + ("" if was is None else f", {was:.0%} before")
    mean, steps = select.interventions_each(recent), select.intervention_steps(recent)
    if mean is not None:
        each = "" if steps is None or state.run is None else f", {steps / state.run.fps:.1f} s each"
        yield "interventions", f"{mean:.1f} an episode{each}"


def _learning(view: View) -> Iterator[Figure]:
    state, learner = view.state, view.state.learner
    metrics = learner.metrics
    if state.run is not None and learner.env_steps:
        target = f"{learner.utd:.2f} updates per step received, of {state.run.utd_target:.2f} wanted"
        yield "update-to-data", f"{target}; {learner.updates_per_s:.1f}/s"
    old = select.policy_age_s(state, view.now_s)
    if old is not None:
        behind = max(0, learner.policy_version - state.policy_version)
        yield "policy", f"{state.policy_version}, {age(old)} old, {behind} behind the learner's"
    if {"q_demonstrations", "q_policy"} <= metrics.keys():
        shown, tried = metrics["q_demonstrations"], metrics["q_policy"]
        yield "Q", f"{shown:.3g} of demonstrated actions, {tried:.3g} of the policy's"
    if {"entropy", "temperature"} <= metrics.keys():
        yield "entropy", f"{metrics['entropy']:.2f} nats, at temperature {metrics['temperature']:.3g}"
    if "saturated" in metrics:
        yield "saturation", f"{metrics['saturated']:.0%} of the policy's motions are at full speed"
    if state.run is not None and state.run.trains:
        mix = f"{state.run.online_ratio:.0%} online, {1 - state.run.online_ratio:.0%} offline"
        rewarded = f"; {metrics['rewarded']:.1%} with reward" if "rewarded" in metrics else ""
        yield "batch", mix + rewarded
    if state.buffer.online or state.buffer.offline:
        buffer = state.buffer
        parts = f"{count(buffer.demonstrations)} demonstrated, {count(buffer.interventions)} human"
        yield "replay", f"{count(buffer.online)} online; {parts}; {size(buffer.bytes_used)}"


def _machine(state: ConsoleState) -> Iterator[Figure]:
    link, actor = state.link, state.rates.get("actor")
    if link is not None:
        rate = f"{link.bytes_per_s * 8 / 1e6:.1f} Mbit/s, {link.round_trip_ms:.0f} ms round trip"
        waits = f"{count(link.backlog)} records ({size(link.backlog_bytes)}) wait"
        yield "link", f"{link.state.value}, {rate}, {waits}"
    if actor is not None and actor.stages_ms and state.run is not None:
        parts = ", ".join(f"{name} {ms:.1f}" for name, ms in actor.stages_ms.items())
        used, period = sum(actor.stages_ms.values()), 1000 / state.run.fps
        yield "step", f"{parts}: {used:.0f} of {period:.0f} ms; {actor.overruns} late"
