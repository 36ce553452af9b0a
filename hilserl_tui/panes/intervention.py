"""Intervention: who drives, and how much of the work is a human's."""

from hilserl_tui.panes.draw import Row, bar, elide, figure, row_width
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model import select
from workers.model.events import Driver

_WHO: dict[Driver, Row] = {
    Driver.POLICY: (("▶ policy", "blue"),),
    Driver.HUMAN: (("▲ you", "amber"),),
    Driver.SCRIPTED: (("▲ scripted person", "amber"),),
    Driver.NOBODY: (("‖ nobody", "dim"),),
}


class Intervention(Lines):
    title = "intervention"

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.control, view.state.running, view.state.episodes, view.state.run

    def heading(self, view: View) -> tuple[str, str]:
        return self.title, "operator: scripted" if view.state.control.scripted else "operator: you"

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        state = view.state
        control, running = state.control, state.running
        recent = select.training_episodes(state)[-select.WINDOW :]
        now = select.running_intervention_rate(running)
        last = select.intervention_rate(recent)
        each = _each(select.intervention_steps(recent), state.run.fps if state.run else None)
        each += " each" if each and width >= 37 else ""
        wide = max(6, width - 20 - len(each))
        rows: list[Row] = [
            (("this episode ", "dim"), (figure(now), "text"), (" ", "text"), *bar(now, wide, "amber")),
            (
                ("last 20      ", "dim"),
                (figure(last), "text"),
                (" ", "text"),
                *bar(last or 0.0, wide, "amber"),
                (each, "dim"),
            ),
        ]
        if height < 3:
            return rows
        reason = f"  {control.reason}" if control.reason else ""
        who: Row = (("drives       ", "dim"), *_WHO[control.driver], (reason, "dim"))
        if control.paused:
            who = (("drives       ", "dim"), ("‖ paused", "bold"), (f"  {control.pause_reason}", "dim"))
        *head, (why, style) = who
        rows.insert(0, (*head, (elide(why, max(0, width - row_width(tuple(head)))), style)))
        mean = select.interventions_each(recent)
        rows.append(
            (
                ("taken over   ", "dim"),
                (f"{running.interventions:4d}", "text"),
                ("×", "dim"),
                ("" if mean is None else f", mean{figure(mean, 1)}×", "dim"),
                (" an episode" if mean is not None and width >= 42 else "", "dim"),
            )
        )
        return rows


def _each(steps: float | None, fps: float | None) -> str:
    """How long one intervention lasts."""
    return "" if steps is None or not fps else f" {steps / fps:.1f} s"
