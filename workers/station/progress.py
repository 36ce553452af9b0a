"""Progress lines of a headless run."""

import sys
import time
from collections.abc import Callable

from workers.model import events as e
from workers.model.collecting import labelled, next_words
from workers.model.evaluation_figures import introduced, lines, trial_line
from workers.model.reduce import reduce
from workers.model.select import (
    all_success,
    autonomous_success,
    intervention_rate,
    training_episodes,
    wilson_interval,
)
from workers.model.state import ConsoleState
from workers.transport.text import printable


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class ProgressLines:
    """Prints what an operator wants to read of a run nobody looks at: phases, workers, figures every few seconds."""

    period_s = 10.0

    def __init__(
        self,
        started_s: float,
        state: ConsoleState,
        write: Callable[[str], None] | None = None,
    ) -> None:
        self._started_s = started_s
        self._write = write or _say
        self._state = state
        self._shown_s = started_s

    def on_event(self, event: e.Event) -> None:
        before = self._state
        self._state = reduce(before, event)
        match event:
            case e.PhaseChanged(phase, detail) if _is_news(before, phase, detail):
                self._line(f"{phase.value}: {detail}" if detail else phase.value)
            case e.WorkerChanged(worker, state, reason, restarts):
                again = f" (restart {restarts})" if restarts else ""
                self._line(f"{worker} {state.value}{again}" + (f": {reason}" if reason else ""))
            case e.LogLine(worker, level, text) if level in (e.Level.WARNING, e.Level.ERROR):
                self._line(f"{level.value} {worker}: {text}")
            case e.LogLine(worker, _, text) if before.progress.phase is e.Phase.REPLAYING:
                self._line(f"{worker}: {text}")  # what a replay came to is said by the actor
            case e.LinkChanged(state, learner, reason) if _link(before) != (state, reason):
                self._line(f"link to {learner} {state.value}" + (f": {reason}" if reason else ""))
            case e.ClassifierExamined(probabilities, threshold, folder):
                asked, figures = len(probabilities), f"highest p {event.highest:.2f}, threshold {threshold:g}"
                self._line(
                    f"the classifier on {asked} reset frames: {figures}, {event.fired} fired; see {folder}"
                )
            case e.SuccessSettled(episode, step, settled) if settled in e.OBJECTIONS:
                self._line(f"episode {episode}, step {step}: the classifier's success is {settled.value}")
            case e.HardNegativesSaved(_, frames, root, total):
                self._line(f"{frames} hard negatives saved, {total} in {root}")
            case e.EpisodeSaved(episode, index, frames, positives, episodes) if index is not None:
                words = f"{frames} frames, {positives} with reward"
                self._line(f"episode {episode} saved: {words}; the dataset has {episodes} now")
                if self._state.run is not None and not self._state.run.ends_on_success:
                    got = labelled(self._state)
                    self._line(f"{got.positives} positives, {got.negatives} negatives; {next_words(got)}")
            case e.EvaluationProgress(successes, trials, _, version, True):
                low, high = wilson_interval(successes, trials)
                self._line(
                    f"evaluation of policy {version}: {successes}/{trials} = {successes / max(trials, 1):.0%} "
                    f"(95 % interval {low:.0%} to {high:.0%})"
                )
            case e.EvaluationBegan(result):
                for line in introduced(result.contestants):
                    self._line(line)
            case e.TrialKept(trial) if self._state.result is not None:
                self._line(trial_line(self._state.result, trial))
            case e.EvaluationEnded() if self._state.result is not None:
                for line in (*lines(self._state.result), f"kept in {self._state.result.folder}"):
                    self._line(line)
            case e.RunEnded(reason, succeeded):
                self._line(f"{self._figures()}")
                self._line(("done: " if succeeded else "ended: ") + reason)
        if time.monotonic() - self._shown_s >= self.period_s:
            self._shown_s = time.monotonic()
            self._line(self._figures())

    def _line(self, text: str) -> None:
        elapsed = int(time.monotonic() - self._started_s)
        self._write(f"{elapsed // 60:02d}:{elapsed % 60:02d}  {printable(text)}")

    def _figures(self) -> str:
        state = self._state
        progress, learner = state.progress, state.learner
        episodes = training_episodes(state)
        parts = [progress.phase.value]
        if progress.total:
            parts.append(f"{progress.done}/{progress.total}")
        if state.evaluation and progress.phase is e.Phase.EVALUATING:
            parts.append(f"{state.evaluation.successes} of {state.evaluation.trials} succeeded")
        if episodes:
            parts.append(
                f"ep {len(episodes)}  autonomous {autonomous_success(episodes) or 0:.2f}  "
                f"all {all_success(episodes) or 0:.2f}  human {intervention_rate(episodes) or 0:.2f}"
            )
        rate = state.rates.get("actor")
        if state.run is None or state.run.trains:
            parts.append(
                f"steps {learner.env_steps}  updates {learner.updates}  UTD {learner.utd:.2f}  "
                f"policy {state.policy_version}  {learner.status}"
            )
        if rate:
            parts.append(f"actor {rate.hz:.1f} Hz p99 {rate.period_p99_ms:.0f} ms, {rate.overruns} overruns")
        if state.link:
            parts.append(_link_figures(state.link))
        return "  ".join(parts)


def _link_figures(link: e.LinkChanged) -> str:
    """How long it has not been up, and what waits."""
    since = "" if link.state is e.LinkState.UP else f" for {max(0.0, time.monotonic() - link.since_s):.0f} s"
    waits = f", {link.backlog} records ({link.backlog_bytes / 1e6:.1f} MB) wait" if link.backlog else ""
    return f"link {link.state.value}{since}{waits}"


def _link(state: ConsoleState) -> tuple[e.LinkState, str] | None:
    return (state.link.state, state.link.reason) if state.link else None


def _is_news(before: ConsoleState, phase: e.Phase, detail: str) -> bool:
    """A new phase; and how the end goes on, while people wait for it."""
    moves_on = phase is e.Phase.STOPPING and detail != before.progress.detail
    return phase is not before.progress.phase or moves_on
