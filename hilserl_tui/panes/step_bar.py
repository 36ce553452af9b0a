"""Step bar: the screens, and what the run does now."""

from hilserl_tui.panes.draw import Row, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import Phase
from workers.model.state import ConsoleState

SCREENS = (("1", "home", "Home"), ("2", "train", "Train"))


def doing(state: ConsoleState) -> str:
    """The phase in a few words, with its progress where it has one."""
    progress = state.progress
    if progress.ended:
        return f"{'done' if progress.succeeded else 'ended'}: {progress.ended}"
    words = progress.phase.value if progress.phase is Phase.IDLE else progress.detail or progress.phase.value
    return f"{words} {progress.done}/{progress.total}" if progress.total else words


class StepBar(Lines):
    DEFAULT_CSS = "StepBar { height: 1; background: $background; }"

    def watched(self, view: View) -> tuple[object, ...]:
        control = view.state.control
        return view.state.progress, view.state.run, control.holder, control.attached, view.screen, view.me

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        left: list[tuple[str, str]] = []
        for key, name, label in SCREENS:
            here = name == view.screen
            left += [
                ("  ", "text"),
                (f"{key} ", "dim" if here else "faint"),
                (label, "tab" if here else "dim"),
            ]
        if view.watching:
            left += [
                ("   watching, ", "amber"),
                (f"{view.state.control.holder} has the controls (g)", "amber"),
            ]
        run = view.state.run
        name = f"{run.run} · " if run else ""
        return [spread(tuple(left), ((name, "dim"), (doing(view.state) + " ", "text")), width)]
