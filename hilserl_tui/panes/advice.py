"""Advice: the most important finding in one line on Train; all of them, and the figures, behind a key."""

from textwrap import wrap

from hilserl_tui.panes.draw import Row, elide
from hilserl_tui.panes.honest import figures
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.advice import Advice


class AdviceLine(Lines):
    """One row, empty while there is nothing to say."""

    DEFAULT_CSS = "AdviceLine { height: 1; }"

    def watched(self, view: View) -> tuple[object, ...]:
        return (view.advice,)

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        return [line(view.advice, width)] if view.advice else []


def line(advice: tuple[Advice, ...], width: int) -> Row:
    """What is wrong and, where there is room, what to do; how many more there are stands at the end."""
    first = advice[0]
    more = f" +{len(advice) - 1}" if len(advice) > 1 else ""
    tail = f"{more}  w " if width >= 40 else more
    words, room = first.words, width - 2 - len(tail)
    left = room - len(words) - 3
    do = f" → {first.do}" if left >= 20 else ""
    return (
        ("▲ ", "amber"),
        (elide(words, min(room, len(words))), "bold"),
        (elide(do, room - min(room, len(words))), "text"),
        (tail, "dim"),
    )


def whole(advice: tuple[Advice, ...], width: int) -> list[Row]:
    """Every finding with what to do."""
    if not advice:
        return [(("● ", "green"), ("the rules find nothing wrong with this run", "text"))]
    rows: list[Row] = []
    for one in advice:
        mark = "▲ "
        for text in wrap(one.words, max(8, width - 2)):
            rows.append(((mark, "amber"), (text, "bold")))
            mark = "  "
        rows += [(("  ", "text"), (text, "text")) for text in wrap(one.do, max(8, width - 2))]
        rows.append(())
    return rows


class AdviceList(Lines):
    """As high as it needs to be: whatever holds it scrolls."""

    DEFAULT_CSS = "AdviceList { height: auto; }"
    greyed = False

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._all(self._view, width)) if self._view is not None else 1

    def show(self, view: View) -> None:
        before, self._view = self._view, view
        width = self.content_size.width
        if width and (before is None or len(self._all(before, width)) != len(self._all(view, width))):
            self.refresh(layout=True)
        super().show(view)

    def watched(self, view: View) -> tuple[object, ...]:
        return view.advice, view.state, int(view.now_s)

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        return self._all(view, width)

    def _all(self, view: View | None, width: int) -> list[Row]:
        if view is None:
            return []
        rows = whole(view.advice, width)
        if shown := figures(view, width):
            rows += [(), (("figures", "amber"),), *shown] if rows[-1] else [(("figures", "amber"),), *shown]
        return rows
