"""Bounds: where the task's workspace is, or is looked for."""

from enum import StrEnum

from textual import events
from textual.app import ComposeResult
from textual.geometry import Region

from hilserl_tui.panes.survey import SurveyAxes, SurveyJoints, SurveyPicture
from hilserl_tui.panes.survey_next import SurveyNext
from hilserl_tui.screens.arrange import BARS, KEYS, is_compact
from hilserl_tui.screens.base import ConsoleScreen
from hilserl_tui.view import View
from workers.model.survey import Stage

FIGURES = 7  # rows of axes and joints: six and a line above them
NEXT_ROWS = 5
RESULT = 80  # columns of LeRobot's longest line, and of most files' lines


class Content(StrEnum):
    """What there is most to say about."""

    ARM = "arm"  # where it is and has been
    PROBLEMS = "problems"  # what was seen cannot be written
    RESULT = "result"  # it can be, and this is what changes


def places(width: int, height: int, *, pushed: int = 0, content: Content = Content.ARM) -> dict[str, Region]:
    """Where each pane lies. A small screen gives up the picture for problems, and the figures too for the result."""
    top, body = BARS + pushed, max(0, height - BARS - KEYS - pushed)
    if not is_compact(width, height):
        return _roomy(width, top, body, content)
    if content is Content.RESULT:
        return {"next": Region(0, top, width, body)}
    figures, left = min(FIGURES, body), (width - 1) // 2
    picture = max(0, body - figures - NEXT_ROWS) if content is Content.ARM else 0
    found = {"picture": Region(0, top, width, picture)} if picture else {}
    y = top + picture
    return {
        **found,
        "axes": Region(0, y, left, figures),
        "joints": Region(left + 1, y, width - left - 1, figures),
        "next": Region(0, y + figures, width, body - picture - figures),
    }


def _roomy(width: int, top: int, body: int, content: Content) -> dict[str, Region]:
    figures = FIGURES + 2
    left = max(width // 3, width - RESULT) if content is Content.RESULT else width * 3 // 5
    y, half = top + body - figures, width // 2
    return {
        "picture": Region(0, top, left, body - figures),
        "next": Region(left, top, width - left, body - figures),
        "axes": Region(0, y, half, figures),
        "joints": Region(half, y, width - half, figures),
    }


def content_of(view: View) -> Content:
    if view.state.survey is not None and view.state.survey.difference:
        return Content.RESULT
    return Content.PROBLEMS if view.stage is Stage.DONE else Content.ARM


class Bounds(ConsoleScreen):
    name_in_view = "bounds"
    DEFAULT_CSS = """
    Bounds .pane {
        position: absolute;
        border: round $edge; border-title-color: $dim; border-subtitle-color: $faint; padding: 0 1;
        border-title-style: bold;
    }
    Bounds.-compact Lines.pane { border: none; border-top: solid $edge; padding: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._placed: tuple[int, int, int, Content] | None = None
        self._content = Content.ARM

    def body(self) -> ComposeResult:
        panes = (
            SurveyPicture(id="picture"),
            SurveyAxes(id="axes"),
            SurveyJoints(id="joints"),
            SurveyNext(id="next"),
        )
        for pane in panes:
            pane.add_class("pane")
            yield pane

    def on_mount(self) -> None:
        self._place()

    def on_resize(self, event: events.Resize) -> None:
        self._place()

    def show(self, view: View) -> None:
        self.set_class(view.stopped and not view.stale, "-stopped")
        self._content = content_of(view)
        self._place()
        super().show(view)

    def _place(self) -> None:
        width, height = self.size
        wanted = (width, height, 2 if self.has_class("-stopped") else 0, self._content)
        if wanted == self._placed:
            return
        self._placed = wanted
        self.set_class(is_compact(width, height), "-compact")
        found = places(width, height, pushed=wanted[2], content=self._content)
        self.put(found)
