"""Findings of the doctor: what is well in a line, what is not with why and what to do."""

from collections.abc import Sequence
from textwrap import wrap

from hilserl_tui.panes.draw import Row, elide
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.check import Check

_STYLES = {True: ("● ", "green"), None: ("◐ ", "yellow"), False: ("✗ ", "red")}
NAME_CELLS = 17


def finding_rows(findings: Sequence[Check], running: bool, width: int) -> list[Row]:
    rows: list[Row] = []
    for check in findings:
        shape = _STYLES[check.ok]
        head = (
            (shape[0], shape[1]),
            (elide(check.name, NAME_CELLS), "bold" if check.ok is not True else "dim"),
        )
        room = max(10, width - 2 - NAME_CELLS)
        first, *rest = wrap(check.found, room) or [""]
        rows.append((*head, (first, "text")))
        rows += [((" " * (2 + NAME_CELLS), "text"), (line, "text")) for line in rest]
        if check.ok is not True:
            rows += [((" " * (2 + NAME_CELLS), "text"), (line, "dim")) for line in wrap(check.why, room)]
            rows += _advice(check.do, room)
    if running:
        words = "looking at devices, memory, GPU, rendering …"
        rows.append((("◌ ", "violet"), (elide(words, min(len(words), width - 2)), "dim")))
    return rows


def _advice(do: str, room: int) -> list[Row]:
    rows: list[Row] = []
    mark = "→ "
    for line in wrap(do, room - 2):
        rows.append(((" " * (2 + NAME_CELLS), "text"), (mark, "amber"), (line, "text")))
        mark = "  "
    return rows


class Findings(Lines):
    """As high as it needs to be: whatever holds it scrolls."""

    DEFAULT_CSS = "Findings { height: auto; padding: 0 1; }"
    greyed = False
    findings: tuple[Check, ...] = ()
    running = False

    def tell(self, findings: tuple[Check, ...], running: bool, view: View) -> None:
        """Show these."""
        if (findings, running) != (self.findings, self.running):
            self.findings, self.running = findings, running
            self.refresh(layout=True)
        self.show(view)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return max(1, len(finding_rows(self.findings, self.running, width)))

    def watched(self, view: View) -> tuple[object, ...]:
        return self.findings, self.running

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        return finding_rows(self.findings, self.running, width)
