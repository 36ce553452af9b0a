"""Trials: a cell for each, a strip for each policy; then what is known of the newest ones."""

from hilserl_tui.panes.draw import Row, elide, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.tally import STYLES
from hilserl_tui.view import View
from workers.model.evaluation import SIDES, Result, Trial
from workers.model.evaluation_figures import made, outcome, wanted

WIDE = 56  # columns from which there is room for steps and seed


def cell(trial: Trial) -> tuple[str, str]:
    """● success, ○ none, × does not count."""
    if not trial.counted:
        return "×", "faint"
    return ("●", "green") if trial.success else ("○", "red")


class Trials(Lines):
    """`result` is set by the screen."""

    title = "trials"
    result: Result | None = None

    def watched(self, view: View) -> tuple[object, ...]:
        return (self.result,)

    def heading(self, view: View) -> tuple[str, str]:
        if self.result is None:
            return self.title, ""
        return (
            f"{self.title}  {made(self.result)} of {wanted(self.result)}",
            "● success  ○ none  × not counted",
        )

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        result = self.result
        if result is None or not result.trials:
            return [(("no trial has ended yet", "dim"),)]
        of_two = len(result.contestants) > 1
        rows = [_strip(result, side, width) for side in range(len(result.contestants))]
        shown = result.trials[-max(0, height - len(rows)) :] if height > len(rows) else ()
        return rows + [_row(trial, of_two, width) for trial in shown]


def _strip(result: Result, side: int, width: int) -> Row:
    """The newest trials of a policy, oldest first."""
    name = f"{SIDES[side]} " if len(result.contestants) > 1 else ""
    trials = [trial for trial in result.trials if trial.side == side]
    room = max(0, width - len(name))
    return ((name, STYLES[side]), *(cell(trial) for trial in trials[max(0, len(trials) - room) :]))


def _row(trial: Trial, of_two: bool, width: int) -> Row:
    side = ((f"{SIDES[trial.side]} ", STYLES[trial.side]),) if of_two else ()
    figures = f" {trial.steps:>4} steps {trial.seconds:5.1f} s"
    if width >= WIDE:
        figures += f"  seed {trial.seed:>10}"
    head: Row = ((f"{trial.number + 1:>3} ", "dim"), *side, cell(trial), (" ", "text"))
    used = 4 + 2 * of_two + 2
    words = elide(outcome(trial), max(0, width - used - len(figures))).rstrip()
    return spread((*head, (words, "text" if trial.counted else "faint")), ((figures, "dim"),), width)
