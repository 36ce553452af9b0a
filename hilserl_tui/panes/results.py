"""Results: every evaluation that the run has kept, newest first, the one that is looked at in sight."""

import time

from hilserl_tui.panes.draw import Row, elide, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.tally import STYLES
from hilserl_tui.view import View
from workers.model.evaluation import SIDES, Result
from workers.model.evaluation_figures import summary

WIDE = 44  # columns from which there is room for the interval


class Results(Lines):
    """`results` and `chosen` are set by the screen; none is chosen at -1."""

    title = "results"
    results: tuple[Result, ...] = ()
    chosen = 0

    def watched(self, view: View) -> tuple[object, ...]:
        return self.results, self.chosen

    def heading(self, view: View) -> tuple[str, str]:
        many = len(self.results)
        return self.title, f"{self.chosen + 1} of {many}" if many > 1 and self.chosen >= 0 else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        if not self.results:
            return [(("none is kept yet", "dim"),)]
        blocks = [_block(result, at == self.chosen, width) for at, result in enumerate(self.results)]
        first = max(0, self.chosen)
        while first > 0 and sum(map(len, blocks[first - 1 : self.chosen + 1])) <= height:
            first -= 1
        return [row for block in blocks[first:] for row in block][:height]


def _block(result: Result, chosen: bool, width: int) -> list[Row]:
    """A row for each policy."""
    when = time.strftime("%m-%d %H:%M", time.localtime(result.began_s))
    rows: list[Row] = []
    for side, contestant in enumerate(result.contestants):
        one = summary(result, side)
        low, high = one.interval
        figures = f" {one.successes}/{one.trials}"
        if width >= WIDE and one.trials:
            figures += f"  {100 * low:3.0f} to {100 * high:3.0f} %"
        lead = f" {when} " if side == 0 else " " * (len(when) + 2)
        name = f"{SIDES[side]} " if len(result.contestants) > 1 else ""
        mark = "▶" if chosen and side == 0 else " "
        shape = " " if result.complete else "◐"
        words = elide(contestant.label, max(0, width - len(lead) - len(name) - len(figures) - 3)).rstrip()
        left: Row = (
            (mark, "amber"),
            (lead, "dim"),
            (f"{shape} " if side == 0 else "  ", "amber"),
            (name, STYLES[side]),
            (words, "bold" if chosen else "text"),
        )
        rows.append(spread(left, ((figures, "bold" if chosen else "dim"),), width))
    return rows
