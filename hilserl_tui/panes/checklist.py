"""Checklist: the steps from nothing to a policy that does the task, and what is next."""

from textwrap import wrap
from typing import NamedTuple

from hilserl_tui.keymap import hint
from hilserl_tui.panes.draw import Row, bar, count, elide, figure
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import Link, View
from workers.model import select
from workers.model.collecting import KEPT
from workers.model.events import EpisodeKind, LinkChanged, LinkState, Phase, WorkerState
from workers.model.state import Classifier, ConsoleState
from workers.model.survey import Stage

_ORDER = (Phase.IDLE, Phase.STARTING, Phase.RECORDING, Phase.TRAINING, Phase.EVALUATING, Phase.FINISHED)


class Step(NamedTuple):
    """One line: ● done, ◐ under way, ○ to come, ✗ in trouble."""

    shape: str
    style: str
    name: str
    text: str
    share: float | None = None  # drawn as a bar


def steps(state: ConsoleState) -> list[Step]:
    """What this run has, in the order of the work."""
    run = state.run
    if run is None:
        return []
    rows = [Step("●", "green", "configuration", run.config_path), _machines(state)]
    if state.link is not None:
        rows.append(_link(state.link))
    if run.finds_limits:
        rows.append(_workspace(state))
    if state.classifier is not None:
        rows.append(_judge(state.classifier))
    if run.mode == "record":
        rows.append(_recording(state))
    elif run.mode == "evaluate":
        rows.append(_trials(state))
    elif run.trains or run.demonstrations_wanted:
        rows.append(_demonstrations(state))
    if run.trains:
        rows += [_training(state), _evaluation(state)]
    return rows


def _machines(state: ConsoleState) -> Step:
    workers = state.workers.values()
    assert state.run is not None
    name = "simulator" if state.run.simulated else "robot"
    name = name if state.run.has_arm else "environment"
    bad = [worker for worker in workers if worker.state is WorkerState.FAILED]
    if bad:
        return Step("✗", "red", name, f"{bad[0].name}: {bad[0].reason or 'failed'}")
    ill = [worker for worker in workers if worker.state is WorkerState.RESTARTING and worker.reason]
    if ill:
        return Step("◐", "yellow", name, f"{ill[0].name} restarts: {ill[0].reason}")
    up = sum(worker.state is WorkerState.RUNNING for worker in workers)
    seen = " and ".join(state.run.cameras) or "none"
    pictures = "cameras" if state.run.has_arm else "pictures"
    rates = ((camera, state.rates.get(f"camera-{camera}")) for camera in state.run.cameras)
    if silent := [camera for camera, rate in rates if rate is not None and rate.hz == 0.0]:
        return Step(
            "◐", "yellow", name, f"no pictures of {' and '.join(silent)}: its plug, its address? see the log"
        )
    if workers and up == len(workers):
        return Step("●", "green", name, f"{up} workers up, {pictures} {seen}")
    return Step("◐", "yellow", name, f"starting: {up} of {len(workers) or '?'} workers up")


def _link(link: LinkChanged) -> Step:
    """Of a learner elsewhere."""
    match link.state:
        case LinkState.UP:
            return Step("●", "green", "learner", f"linked at {link.learner}")
        case LinkState.REFUSED:
            return Step("✗", "red", "learner", f"{link.learner} is out of reach:")
    return Step("◌", "violet", "learner", f"{link.state.value} at {link.learner}, tried again by itself")


def _why_down(link: LinkChanged | None, width: int) -> list[Row]:
    """The whole reason, which says what to do."""
    if link is None or link.state is LinkState.UP:
        return []
    style = "red" if link.state is LinkState.REFUSED else "violet"
    return [((" " * 19, "text"), (line, style)) for line in wrap(link.reason, max(20, width - 19))]


def _workspace(state: ConsoleState) -> Step:
    """Of a run that looks for it."""
    survey = state.survey
    if survey is None or survey.stage is Stage.WAITING:
        return Step("○", "dim", "workspace", "drive the arm through all the space that the task needs")
    if survey.stage is Stage.WRITTEN:
        return Step("●", "green", "workspace", f"written; the file as it was is in {survey.written}")
    wide = ", ".join(f"{100 * axis.width:.0f}" for axis in survey.axes or ())
    words = f"{survey.stage.value}, {wide} cm along x, y, z so far" if wide else survey.stage.value
    return Step("◐", "amber", "workspace", words)


def _judge(says: Classifier) -> Step:
    """The reward classifier, and what it says of reset frames."""
    name, seen = says.used.name, says.examined
    if seen is not None and seen.fired:
        words = f"fires in {seen.fired} of {len(seen.probabilities)} reset frames: {name}"
        return Step("✗", "red", "classifier", words)
    if says.used.stand_in:
        return Step("●", "green", "classifier", "none: the simulator's own verdict stands in")
    if not says.used.decides:
        return Step("●", "green", "classifier", f"{name}, shown only")
    if seen is None:
        return Step("○", "dim", "classifier", f"{name}; looks at reset frames first")
    return Step("●", "green", "classifier", f"calm after a reset (p up to {seen.highest:.2f}): {name}")


def _demonstrations(state: ConsoleState) -> Step:
    assert state.run is not None
    wanted = state.run.demonstrations_wanted
    recorded = sum(ep.success for ep in state.episodes if ep.kind == "demonstration")
    if state.progress.phase is Phase.RECORDING:
        recorded = max(recorded, state.progress.done)
    who = "the scripted operator" if state.control.scripted else "the operator"
    if recorded >= wanted or select.training_episodes(state) or _past(state, Phase.RECORDING):
        held = f", {count(state.buffer.demonstrations)} transitions" if state.run.trains else ""
        shown = max(recorded, wanted)  # 0 where a dataset has all of them
        words = f"{shown} recorded" if shown else "none to record"
        return Step("●", "green", "demonstrations", words + held)
    if state.progress.phase is Phase.RECORDING:
        return Step(
            "◐", "amber", "demonstrations", f"{recorded} of {wanted}, by {who}", recorded / max(1, wanted)
        )
    first = " first" if state.run.trains else ""
    words = f"{recorded} of {wanted} recorded" if state.progress.ended else f"{who} records {wanted}{first}"
    return Step("○", "dim", "demonstrations", words)


def _recording(state: ConsoleState) -> Step:
    """Of a run that is there to record."""
    assert state.run is not None
    wanted, dataset = state.run.demonstrations_wanted, state.dataset
    kept = sum(ep.kind is EpisodeKind.DEMONSTRATION and ep.ended_by in KEPT for ep in state.episodes)
    if state.progress.phase is Phase.RECORDING:
        kept = max(kept, state.progress.done)
    where = f"; the dataset {dataset.root} has {dataset.episodes}" if dataset is not None else ""
    who = "the scripted operator" if state.control.scripted else "you"
    if kept >= wanted:
        return Step("●", "green", "episodes", f"{kept} recorded{where}")
    if state.progress.phase is Phase.RECORDING:
        return Step("◐", "amber", "episodes", f"{kept} of {wanted} by {who}{where}", kept / max(1, wanted))
    return Step("○", "dim", "episodes", f"{kept} of {wanted} recorded{where}")


def _training(state: ConsoleState) -> Step:
    assert state.run is not None
    training = select.training_episodes(state)
    alone = select.autonomous_success(training)
    if state.progress.phase is Phase.TRAINING:
        does = select.learner_is_away(state) or state.learner.status
        text = f"{len(training)} episodes, alone {figure(alone).strip()}, {does}"
        return Step("◐", "blue", "training", text, alone)
    if training:
        return Step(
            "●", "green", "training", f"{len(training)} episodes, {count(state.learner.updates)} updates"
        )
    return Step("○", "dim", "training", "begins after the demonstrations; you take over any time")


def _evaluation(state: ConsoleState) -> Step:
    evaluation = state.evaluation
    if evaluation is None:
        asks = state.learner.policy_version and not state.progress.ended
        how = f"; {hint('evaluate')} asks for one" if asks else ""
        return Step("○", "dim", "evaluation", f"the policy alone, deterministic{how}")
    low, high = select.wilson_interval(evaluation.successes, evaluation.trials)
    interval = f"95 %: {low:.2f} to {high:.2f}"
    text = f"{evaluation.successes} of {evaluation.trials} ({interval}), policy {evaluation.policy_version}"
    if evaluation.finished:
        return Step("●", "green", "evaluation", text)
    return Step("◐", "violet", "evaluation", text, evaluation.trials / max(1, evaluation.total))


def _trials(state: ConsoleState) -> Step:
    """Of a run that is there to evaluate."""
    result = state.result
    if result is None:
        return Step("○", "dim", "evaluation", "a policy alone, deterministic")
    from workers.model.evaluation_figures import made, summary, wanted  # of no other run

    told = [
        f"{one.successes} of {one.trials}"
        for one in (summary(result, n) for n in range(len(result.contestants)))
    ]
    if result.ended:
        return Step(
            "●" if result.complete else "○", "green", "evaluation", f"{' and '.join(told)}: {result.ended}"
        )
    text = f"{' and '.join(told)} succeeded; 6 shows more"
    return Step("◐", "violet", "evaluation", text, made(result) / max(1, wanted(result)))


def _past(state: ConsoleState, phase: Phase) -> bool:
    """False of a run that is over: it may have ended anywhere."""
    now = state.progress.phase
    return not state.progress.ended and now in _ORDER and _ORDER.index(now) > _ORDER.index(phase)


def _over(state: ConsoleState, width: int) -> list[Row]:
    """The whole reason of the end, which may be advice of several lines; then what may come after it."""
    progress = state.progress
    mark = ("●  ", "green") if progress.succeeded else ("○  ", "dim")
    first, *rest = wrap(f"run over: {progress.ended}", max(20, width - 3), break_on_hyphens=False)
    return [
        (mark, (first, "bold")),
        *((("   ", "text"), (line, "bold")) for line in rest),
        (("   ", "text"), (f" {hint('quit')} ", "key"), (" leaves and ends the station", "dim")),
        *_then(state, width - 3),
    ]


def _then(state: ConsoleState, width: int) -> list[Row]:
    """A command for afterwards."""
    run = state.run
    if run is None or run.finds_limits or not (run.trains or run.mode == "record"):
        return []
    if run.mode == "record":
        if state.dataset is None or not state.dataset.episodes:
            return []
        command, does = f"hilserl-tui episodes {state.dataset.root}", "looks through them"
    elif state.progress.succeeded:
        command, does = f"hilserl-tui evaluate {run.config_path}", "tries the policy"
    else:
        command, does = f"hilserl-tui {run.config_path}", "goes on where it stopped"
    tail = (f"  {does}", "dim") if len(command) + len(does) + 2 <= width else ("", "dim")
    return [(("   ", "text"), (elide(command, width).rstrip(), "text"), tail)]


class Checklist(Lines):
    def watched(self, view: View) -> tuple[object, ...]:
        state = view.state
        return (
            state.run,
            state.workers,
            state.progress,
            state.episodes,
            state.buffer,
            state.learner,
            state.evaluation,
            state.result,
            state.control,
            state.link,
            state.dataset,
            state.survey,
            state.classifier and state.classifier.examined,
            view.link,
            view.stopped,
            view.unconfirmed,
        )

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        state = view.state
        run = state.run
        if run is None:
            return _waiting(view)
        kind = "simulated SO-101" if run.simulated else "SO-101"
        task = run.task.replace("_", " ")
        if not run.has_arm:
            kind, task = "Gymnasium environment", run.task
        rows: list[Row] = [
            (
                (task, "bold"),
                (f"   {kind}", "dim"),
                (f"   {run.fps:.0f} steps/s", "dim"),
            ),
            ((run.run_dir, "faint"),),
        ]
        if not view.over:  # the reason of the end may need every row
            rows.append(())
        airy = height >= 16 and not view.over and state.link is None
        for step in steps(state):
            rows.append(_step_row(step, width))
            if step.name == "learner":
                rows += _why_down(state.link, width)
            if airy:
                rows.append(())
        if not airy and not view.over:
            rows.append(())
        rows += _next(view, width)
        return rows


def _step_row(step: Step, width: int) -> Row:
    head: Row = (
        (f"{step.shape}  ", step.style),
        (f"{step.name:<16}", "bold" if step.style != "dim" else "dim"),
    )
    style = "text" if step.style != "dim" else "dim"
    room = width - 19
    if step.share is None or room < 40:
        return (*head, (elide(step.text, room), style))
    wide = 20
    return (
        *head,
        (elide(step.text, room - wide - 1), style),
        (" ", "text"),
        *bar(step.share, wide, step.style),
    )


def _waiting(view: View) -> list[Row]:
    if view.link is Link.CONNECTING:
        return [
            (("◌  ", "violet"), ("waiting for the station", "bold")),
            (),
            (("   it is starting its workers", "dim"),),
        ]
    return [(("◌  ", "violet"), ("no run yet", "bold"))]


def _next(view: View, width: int) -> list[Row]:
    """What to do now, with its key."""
    state, progress = view.state, view.state.progress
    rule: Row = (("─" * width, "faint"),)
    if progress.ended:
        return [rule, *_over(state, width)]
    if (first := _first(view)) is not None:
        return [rule, first]
    if progress.phase is Phase.IDLE:
        held = state.buffer.online + state.buffer.offline
        if not held:
            return [rule, _do("start", "start the run")]
        words = f"this run already has {count(held)} transitions and policy {state.learner.policy_version}"
        return [rule, _do("start", "go on where it stopped"), (("      ", "text"), (words, "amber"))]
    if progress.phase is Phase.EVALUATING:
        return [rule, _do("evaluations", "watch the trials: whoever takes the arm makes one not count")]
    finds, trains = (state.run.finds_limits, state.run.trains) if state.run else (False, False)
    words = "watch and help it train" if trains else "watch and take part"
    return [rule, (*_do("bounds" if finds else "train", words), (f"   {progress.detail}", "dim"))]


def _do(key: str, words: str) -> Row:
    return ("next  ", "dim"), (f" {hint(key)} ", "key"), (f" {words}", "bold")


def _first(view: View) -> Row | None:
    """What comes before anything else: the console has no link, or no controls, or the arm waits."""
    if view.stale:
        return ("next  ", "dim"), ("wait: the console comes back by itself when the station answers", "bold")
    if view.watching:
        return _do("control", f"take the controls from {view.state.control.holder}")
    if view.stopped:
        return _do("clear-stop", "then y: clear the stop")
    return _do("clear-stop", "then y: let the arm move, slowly at first") if view.unconfirmed else None
