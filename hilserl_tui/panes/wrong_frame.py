"""A frame about which classifier and label disagree: what each says, and what a person made of it."""

from textwrap import wrap

from hilserl_tui.classifier_keys import classifier_footer
from hilserl_tui.panes.draw import Row, elide_left
from hilserl_tui.panes.key_bar import KeyBar
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.classifier_events import WrongFrame


class WrongFrameFigures(Lines):
    """`shown` is the frame, `label` the one it has now, `said` what became of relabelling: set by the screen."""

    title = "error"
    shown: WrongFrame | None = None
    label = 0
    at = total = 0
    said = ""
    reported = False

    def watched(self, view: View) -> tuple[object, ...]:
        return self.shown, self.label, self.at, self.total, self.said, self.reported

    def heading(self, view: View) -> tuple[str, str]:
        return self.title, f"{self.at + 1} of {self.total}" if self.total else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        of = self.shown
        if of is None:
            words = (
                "it sees every frame as labelled" if self.reported else "after a training: the worst errors"
            )
            return [*_wrapped(words, "dim", width), *_wrapped(self.said, "red", width)]
        changed = self.label != of.label
        rows: list[Row] = [
            (("p(success) ", "dim"), (f"{of.probability:.3f}", "bold"), (_side(of), "dim")),
            (
                ("label ", "dim"),
                (_label(self.label), "amber" if changed else "bold"),
                (", relabelled" if changed else "", "amber"),
            ),
            ((f"episode {of.episode} frame {of.frame}", "text"),),
            ((elide_left(of.dataset, width), "dim"),),
        ]
        said = _wrapped(self.said, "red", width)
        return [*rows[: max(2, height - len(said))], *said]


def _wrapped(words: str, style: str, width: int) -> list[Row]:
    return [((line, style),) for line in wrap(words, max(20, width))]


def _side(of: WrongFrame) -> str:
    return "  held out" if of.held_out else "  learnt"


def _label(label: int) -> str:
    return {0: "no success", 1: "success"}.get(label, f"class {label}")


class ClassifierKeyBar(KeyBar):
    """The keys of this screen; the screen sets what there is to do."""

    training = errors = report = False

    def watched(self, view: View) -> tuple[object, ...]:
        return *super().watched(view), self.training, self.errors, self.report

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        arm = view.stopped or view.unconfirmed or view.veto_left_s is not None or (view.human and view.holds)
        if arm or view.stale:
            return super().rows(view, width, height)  # the arm's keys matter more
        row: list[tuple[str, str]] = []
        used = 0
        for name, caption, label in classifier_footer(self.training, self.errors, self.report):
            size = len(caption) + len(label) + 4
            if used + size <= width:
                row += [(f" {caption} ", "key"), (f" {label} ", "red" if name == "stop" else "dim")]
                used += size
        return [tuple(row)]
