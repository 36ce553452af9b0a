"""Key bar: the keys that matter now, as many as fit; the rest is under `?`."""

from hilserl_tui.keymap import footer, footer_entry
from hilserl_tui.pace import Turn
from hilserl_tui.panes.draw import Row
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.step_bar import KEYS_TO, job_of
from hilserl_tui.view import View
from workers.model.events import COOLING, SET_UP, Driver, Phase
from workers.model.survey import Stage


class KeyBar(Lines):
    DEFAULT_CSS = "KeyBar { height: 1; dock: bottom; background: $bar; }"
    turn = Turn.FIRST
    greyed = False

    def watched(self, view: View) -> tuple[object, ...]:
        return (
            view.stopped,
            view.unconfirmed,
            view.human,
            view.holds,
            view.idle,
            view.over,
            view.paused,
            view.kept_waiting,
            _waits(view),
            view.veto_left_s is not None,
            view.stage,
            _writable(view),
            view.state.run,
            _judged_by_task(view),
            view.episode_runs,
            view.state.survey is None,
            view.watching,
            view.screen,
            _can_evaluate(view),
        )

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        row: list[tuple[str, str]] = []
        used = 0
        entries = footer(
            stopped=view.stopped,
            human=view.human and view.holds,
            idle=view.idle,
            over=bool(view.over),
            waits=_waits(view),
            unconfirmed=view.unconfirmed,
            vetoable=view.veto_left_s is not None,
            stage=view.stage,
            stale=view.stale,
            watching=view.watching,
        )
        for name, caption, label in entries:
            if name == "intervene" and view.human and view.holds:
                label = "Give back"
            elif name == "clear-stop" and view.unconfirmed:
                label = "Let it move"
            elif name == "pause" and view.paused:
                label = "Unpause" if view.kept_waiting else "Go on"
            elif name == "pause" and view.kept_waiting:
                if view.holds or view.watching:
                    continue  # the bar on top says what the arm waits for: no key here lifts that
                name, caption, label = footer_entry("control")
            elif name == "train":
                label = job_of(view.state.run)
            elif name == "survey-done" and view.stage is Stage.DONE:
                label = "Count on"
            elif name == "start" and view.stage is Stage.DONE:
                label = "Write"
            if name == "start" and view.stage is Stage.DONE and not _writable(view):
                continue
            if not _does_something(name, view):
                continue
            size = len(caption) + len(label) + 4
            if used + size > width:
                continue
            row += [(f" {caption} ", "key"), (f" {label} ", "red" if name == "stop" else "dim")]
            used += size
        return [tuple(row)]


def _waits(view: View) -> bool:
    """Whether the next episode waits for a person to set up the scene."""
    return view.state.control.driver is Driver.NOBODY and view.state.control.reason.startswith(
        (SET_UP, COOLING)
    )


def _does_something(name: str, view: View) -> bool:
    """Whether a key has any effect in a run like this one, on this screen."""
    run, runs = view.state.run, view.episode_runs
    leads_here = name in KEYS_TO and view.screen in KEYS_TO[name]
    if run is None or leads_here:
        return not leads_here
    surveys = view.state.survey is not None
    does = {
        "script": run.simulated,
        "by-hand": not run.simulated,
        "evaluate": _can_evaluate(view),
        "success": runs and not _judged_by_task(view),
        "fail": runs,
        "rerecord": runs,
        "survey-done": surveys,
        "start-over": surveys,
        "train": job_of(run).lower() != view.screen,
    }
    return does.get(name, True)


def _can_evaluate(view: View) -> bool:
    """Whether this run has a policy that could be tried, and does not try one now."""
    run, state = view.state.run, view.state
    policy = bool(state.learner.policy_version) and state.progress.phase is not Phase.EVALUATING
    return run is not None and run.trains and policy


def _judged_by_task(view: View) -> bool:
    """Whether the task alone says what is a success."""
    run = view.state.run
    return run is not None and run.simulated and view.state.progress.phase is Phase.EVALUATING


def _writable(view: View) -> bool:
    """Whether found bounds could be written."""
    return view.state.survey is not None and bool(view.state.survey.difference)
