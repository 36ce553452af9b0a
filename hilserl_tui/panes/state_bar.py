"""State bar: who has the arm, always the top row; three rows while stopped. Shape, word and colour."""

import re
from textwrap import wrap
from typing import NamedTuple

from hilserl_tui.keymap import hint
from hilserl_tui.pace import Turn
from hilserl_tui.panes.draw import Row, age, count, elide, figure, fit, row_width, size, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import Link, View
from workers.model import select
from workers.model.events import Driver, GateMode, LinkState, Phase, WorkerState


class Condition(NamedTuple):
    """What the arm does, in one shape, one word, one hue and a sentence."""

    word: str
    style: str
    text: str


LEFT_OUT = ("rate", "reward", "step", "jog", "episode")
"""Figures beside which a sentence may not be cut off, the least important first."""
STOP_KEY = "stop key"  # the arm's own word for it, of which the bar knows more
_CLEARS = re.compile(r"[;,.]?( then)? ctrl\+e, then y .*$", re.IGNORECASE)


def condition(view: View) -> Condition:
    """The one thing to know; the most serious one wins."""
    control, arm = view.state.control, view.state.arm
    if view.link is not Link.UP and not (view.link is Link.ENDED and view.state.run is not None):
        return _no_link(view)
    if view.stopped:
        holds = "the arm holds" if view.has_arm else "no step is taken"
        why = _why(view)
        by = f"by {control.stopped_by}" if control.stopped_by else why or holds
        return Condition("■ STOPPED", "red_block", by)
    if _robot_is_restarting(view):
        return Condition("‖ HOLD", "amber_block", "the robot worker died and is started again")
    if arm.mode is GateMode.LIMP:
        return Condition("▽ LIMP", "red_block", arm.reason or "torque is off")
    if arm.mode is GateMode.PARK:
        counted = view.state.progress.detail if view.state.progress.phase is Phase.STOPPING else ""
        return Condition("▼ PARK", "grey_block", counted or arm.reason or "going to the rest pose")
    if view.unconfirmed:
        return Condition("‖ HOLD", "amber_block", arm.reason)
    if control.paused and not view.over:
        return Condition("‖ HOLD", "grey_block", control.pause_reason or "paused")
    if (left := view.veto_left_s) is not None:
        return Condition("? SUCCESS", "amber_block", f"{hint('veto')} vetoes: {left:.1f} s left")
    if view.over:
        return Condition("‖ HOLD", "grey_block", _waiting(view))
    if control.driver is Driver.HUMAN:
        what = "the arm" if view.has_arm else "the controls"
        text = f"you have {what}" if view.holds else f"{control.holder or 'nobody'} has {what}"
        return Condition("▲ HUMAN", "amber_block", text)
    if view.has_arm and arm.mode is GateMode.HOLD:
        return Condition("‖ HOLD", "grey_block", _waiting(view))
    if control.driver is Driver.SCRIPTED:
        return Condition("▲ SCRIPT", "amber_block", "scripted person drives")
    if control.driver is Driver.POLICY:
        return Condition("▶ POLICY", "blue_block", "the policy drives")
    if view.dataset:
        words = "choose what the policy sees" if view.screen == "crop" else "play, label, delete its episodes"
        return Condition("▤ DATASET", "grey_block", words)
    return Condition("‖ HOLD", "grey_block", _waiting(view))


def _why(view: View) -> str:
    """What stopped the arm by itself, with what to do as far as the robot worker said it; "" after the stop key."""
    why = view.state.arm.reason
    if not why or why == STOP_KEY:
        return ""
    said = (line.text for line in reversed(view.state.log) if line.worker == "robot")
    text = next((text for text in said if text.startswith(why)), why)
    return _CLEARS.sub("", text)  # how it is cleared stands beside it


def _robot_is_restarting(view: View) -> bool:
    """What the arm said last is old then, and a guardian holds it."""
    robot = view.state.workers.get("robot")
    return (
        robot is not None and robot.restarts > 0 and robot.state is not WorkerState.RUNNING and not view.over
    )


def _no_link(view: View) -> Condition:
    if view.link is Link.CONNECTING:
        return Condition("◌ NO LINK", "violet_block", "waiting for the station")
    return Condition("◌ NO LINK", "violet_block", "no answer; the last state is shown")


def _waiting(view: View) -> str:
    state = view.state
    if view.over:
        return f"run over: {view.over}"
    if view.idle:
        return (
            "choose what the policy sees"
            if view.screen == "crop"
            else f"ready: {hint('start')} starts the run"
        )
    if state.control.driver is Driver.NOBODY and state.control.reason:
        return state.control.reason
    return state.arm.reason or state.progress.detail or state.progress.phase.value


class StateBar(Lines):
    """One row; three while stopped, until the stop is cleared."""

    DEFAULT_CSS = """
    StateBar { height: 1; background: $bar; }
    StateBar.-stopped { height: 3; }
    """
    turn = Turn.FIRST
    greyed = False

    def watched(self, view: View) -> tuple[object, ...]:
        state = view.state
        rate = state.rates.get("actor")
        return (
            state.run,
            state.control,
            state.running,
            state.arm.mode,
            state.arm.reason,
            state.arm.unconfirmed,
            _why(view) if view.stopped else "",
            _robot_is_restarting(view),
            state.progress,
            rate,
            view.link,
            None if view.link_ms is None else round(view.link_ms),
            view.jog,
            view.clearing,
            view.watching,
            None if state.link is None else state.link.state,
            outage(view),
            -1.0 if view.veto_left_s is None else round(view.veto_left_s, 1),
            _survey_words(view),
        )

    def show(self, view: View) -> None:
        self.set_class(view.stopped and not view.stale, "-stopped")
        super().show(view)

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        now = condition(view)
        word = f" {now.word} ".ljust(11)
        if height >= 3:
            return _stopped_rows(view, now, width)
        if lost := outage(view):
            refused = state_of_link(view) is LinkState.REFUSED
            block = (" ✗ REFUSED ", "red_block") if refused else (" ◌ NO LINK ", "violet_block")
            figures = _figures(view, width, short=width < 140)
            room = width - len(word) - len(block[0]) - row_width(figures) - 3
            text = lost if len(lost) <= room else lost.rpartition(", ")[0]  # without the last of them
            left = ((word, now.style), ("▏", "faint"), block, (" " + elide(text, room), "bold"))
            return [spread(left, figures, width)]
        room = 0
        for leave_out in range(len(LEFT_OUT) + 1):
            figures = _figures(view, width, leave_out=leave_out)
            room = width - len(word) - row_width(figures) - 2  # a space on either side
            if len(now.text) <= room:
                break
        return [spread(((word, now.style), (" " + elide(now.text, room), "bold")), figures, width)]


def _stopped_rows(view: View, now: Condition, width: int) -> list[Row]:
    blank = ((" " * width, now.style),)
    slowly = "; the arm starts slowly" if view.has_arm and width >= 100 else ""
    how = f"{hint('clear-stop')}, then y clears the stop{slowly}"
    if view.clearing:
        how = "y clears it now, any other key does not"
    word = f"  {now.word}  "
    if len(word) + len(now.text) + len(how) + 4 <= width:
        middle = spread(((word, now.style), (now.text, now.style)), ((how + "  ", now.style),), width)
        return [blank, fit(tuple((text, now.style) for text, _ in middle), width, now.style), blank]
    lines = wrap(now.text, max(1, width - len(word) - 1), max_lines=2, placeholder=" …") or [""]
    rows = [word + lines[0], " " * len(word) + "".join(lines[1:]), (how + "  ").rjust(width)]
    return [fit(((text, now.style),), width, now.style) for text in rows]


def state_of_link(view: View) -> LinkState | None:
    """How the link to a learner elsewhere is; None of a learner here."""
    return view.state.link.state if view.state.link else None


def outage(view: View) -> str:
    """How long the learner is out of reach, what waits for it, and for how long then; "" while all is well."""
    link = view.state.link
    if link is None or link.state is LinkState.UP or view.over:
        return ""
    since = age(max(0.0, view.now_s - link.since_s))
    if not link.backlog:
        return since
    words = f"{since}, {count(link.backlog)} wait, {size(link.backlog_bytes)}"
    catches_up = select.catches_up_s(view.state)
    return words if catches_up is None else f"{words}, {age(catches_up)} to send"


def _survey_words(view: View) -> str:
    """How far the search for the workspace is, "" where there is none."""
    survey = view.state.survey
    if view.stage is None or survey is None:
        return view.stage.value if view.stage else ""
    left = "" if survey.left_s is None else f" {survey.left_s:3.0f} s left"
    return f"{survey.stage.value}{left}"


def _figures(view: View, width: int, short: bool = False, leave_out: int = 0) -> Row:
    """Episode, step, reward, loop rate, link; fewer on a narrow screen. Widths are fixed: nothing jitters.

    `leave_out`: so many of `LEFT_OUT` make room for words that matter more.
    """
    running, rate = view.state.running, view.state.rates.get("actor")
    link = "link   – ms" if view.link_ms is None else f"link {min(view.link_ms, 999):3.0f} ms"
    wide = width >= 100
    parts: dict[str, str] = {}
    if view.stage is not None:
        parts["stage"] = _survey_words(view)
    elif running.episode >= 0:
        parts["episode"] = f"ep {running.episode:3d}"
        begun = f"{running.step:3d}/{running.step_limit:<3d}"
        parts["step"] = f"step {begun if running.step_limit else '  –    '}"
        if short:
            return (("  ".join(parts.values()) + " ", "text"),)
        if wide:
            parts["reward"] = f"reward {running.reward:5.2f}"
    jogs = view.human and view.holds and not view.recorded
    if jogs:
        parts["jog"] = f"jog: {view.jog}"
    if not (jogs and width < 120):  # no room for both
        parts["rate"] = f"{figure(rate.hz if rate else None, 1)} Hz"
    parts["link"] = "recording" if view.recorded else link
    if state_of_link(view) is LinkState.UP:
        parts["learner"] = "learner ●" if wide else "net ●"
    told = [text for name, text in parts.items() if name not in LEFT_OUT[:leave_out]]
    return ((("   " if wide else "  ").join(told) + " ", "text"),)
