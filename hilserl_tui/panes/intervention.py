"""Intervention: who drives, and how much of the work is a human's."""

from hilserl_tui.panes.draw import Row, bar, figure
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
        return view.state.control, view.state.running, view.state.episodes

    def heading(self, view: View) -> tuple[str, str]:
        return self.title, "operator: scripted" if view.state.control.scripted else "operator: you"

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        state = view.state
        control, running = state.control, state.running
        now = select.running_intervention_rate(running)
        last = select.intervention_rate(select.training_episodes(state))
        wide = max(6, width - 20)
        rows: list[Row] = [
            (("this episode ", "dim"), (figure(now), "text"), (" ", "text"), *bar(now, wide, "amber")),
            (
                ("last 20      ", "dim"),
                (figure(last), "text"),
                (" ", "text"),
                *bar(last or 0.0, wide, "amber"),
            ),
        ]
        if height < 3:
            return rows
        reason = f"  {control.reason}" if control.reason else ""
        who: Row = (("drives       ", "dim"), *_WHO[control.driver], (reason, "dim"))
        if control.paused:
            who = (("drives       ", "dim"), ("‖ paused", "bold"), (f"  {control.pause_reason}", "dim"))
        rows.insert(0, who)
        rows.append(
            (("taken over   ", "dim"), (f"{running.interventions:4d}", "text"), ("× this episode", "dim"))
        )
        return rows
