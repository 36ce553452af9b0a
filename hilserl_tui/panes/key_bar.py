"""Key bar: the keys that matter now, as many as fit; the rest is under `?`."""

from hilserl_tui.keymap import footer
from hilserl_tui.panes.draw import Row
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View


class KeyBar(Lines):
    DEFAULT_CSS = "KeyBar { height: 1; dock: bottom; background: #1b232d; }"
    greyed = False

    def watched(self, view: View) -> tuple[object, ...]:
        return view.stopped, view.human, view.idle, view.state.control.paused

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        row: list[tuple[str, str]] = []
        used = 0
        for key in footer(stopped=view.stopped, human=view.human, idle=view.idle):
            label = "Give back" if key.id == "intervene" and view.human else key.label
            label = "Go on" if key.id == "pause" and view.state.control.paused else label
            size = len(key.caption) + len(label) + 4
            if used + size > width:
                continue
            row += [(f" {key.caption} ", "key"), (f" {label} ", "red" if key.id == "stop" else "dim")]
            used += size
        return [tuple(row)]
