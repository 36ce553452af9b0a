"""How good a trained reward classifier is, on held-out episodes: figures, thresholds, reliability, curves."""

from collections.abc import Callable
from textwrap import wrap

from hilserl_tui.panes.classifier_training import curves
from hilserl_tui.panes.draw import Row, bar, count, elide_left, figure
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.classifier_events import ClassifierReported, Scores, SweepRow
from workers.model.classifier_training import ClassifierTraining

SWEEP_ROWS = 10  # of a sweep, and the recommended one: as many as 80x24 has room for
CURVES_HIGH = 12  # rows of both curves at least, below the other parts


class ClassifierReport(Lines):
    """All parts that fit, the one that was asked for first. `training` and `first` are set by the screen."""

    title = "report"
    training: ClassifierTraining | None = None
    first = 0

    def watched(self, view: View) -> tuple[object, ...]:
        return self.training, self.first

    def heading(self, view: View) -> tuple[str, str]:
        report = self.training.report if self.training is not None else None
        if report is None:
            return self.title, ""
        return self.title, f"{report.epochs} epochs, {report.best_epoch} kept, {report.seconds:.0f} s"

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        report = self.training.report if self.training is not None else None
        if report is None or self.training is None:
            return []
        first = self.first % len(PARTS)
        rows: list[Row] = []
        for part in (*PARTS[first:], *PARTS[:first]):
            rows += [*([()] if rows else []), *part(report, width)]
        if (room := height - len(rows) - 1) >= CURVES_HIGH:
            rows += [(), *curves(self.training.curve, width, room)]
        return rows


def figures(report: ClassifierReported, width: int) -> list[Row]:
    """Precision and recall of frames and episodes at the recommended threshold, and what to be careful about."""
    row, half = report.recommended, report.at_half
    episodes = f"ep. {report.votes}/{report.window}"
    rows: list[Row] = [
        (("threshold ", "dim"), (f"{report.success_threshold:.3f}", "green"), (_asked(report), "dim")),
        ((f"{'':10}precision   recall  wrong", "dim"),),
        _scores("frames", row.frames),
        _scores(episodes, row.episodes),
        (
            (
                f"at a threshold of 0.5: {_percent(half.frames.precision)} and {_percent(half.frames.recall)}",
                "dim",
            ),
        ),
        (
            ("AUC ", "dim"),
            (figure(report.auc, 4, 6), "bold"),
            ("  calibration error ", "dim"),
            (f"{report.calibration_error:.3f}", "bold"),
        ),
    ]
    notes = (line for words in report.warnings for line in wrap(words, max(20, width)))
    return [*rows, *(((line, "amber"),) for line in notes)]


def _asked(report: ClassifierReported) -> str:
    return f"  for {report.asked_false_positive_rate:.1%} false positives"


def _scores(name: str, of: Scores) -> Row:
    wrong = of.wrong_positive + of.wrong_negative
    figures = f"{_percent(of.precision):>9}{_percent(of.recall):>9}"
    return ((f"{name:10}", "dim"), (figures, "bold"), (f"{count(wrong):>7}", "red" if wrong else "dim"))


def thresholds(report: ClassifierReported, width: int) -> list[Row]:
    """What other thresholds would mean: false-positive rate and recall of frames, both rates of episodes, the delay."""
    rows: list[Row] = [((" threshold f.pos. recall  ep.p.  ep.r. delay", "dim"),)]
    step = max(1, -(-len(report.sweep) // SWEEP_ROWS))
    for at, row in enumerate(report.sweep):
        recommended = row.threshold == report.success_threshold
        if recommended or at % step == 0:
            rows.append(_sweep(row, recommended))
    return rows


def _sweep(row: SweepRow, recommended: bool) -> Row:
    rates = (row.frames.false_positive_rate, row.frames.recall, row.episodes.precision, row.episodes.recall)
    delay = "–" if row.delay_frames is None else f"{row.delay_frames:+.0f}"
    words = f"{row.threshold:9.3f}" + "".join(f"{_short(rate):>7}" for rate in rates) + f"{delay:>6}"
    return (("▶" if recommended else " ", "green"), (words, "bold" if recommended else "text"))


def reliability(report: ClassifierReported, width: int) -> list[Row]:
    """Of the frames to which it gives such a probability, how many are a success."""
    rows: list[Row] = [((f"{'it says':>8}{'frames':>8}{'it is':>7}", "dim"),)]
    for of in report.reliability:
        if of.frames:
            words = f"{of.mean_probability:8.2f}{count(of.frames):>8}{of.successes:7.2f} "
            rows.append(((words, "text"), *bar(of.successes, max(4, width - len(words)), "green")))
    return rows


def use(report: ClassifierReported, width: int) -> list[Row]:
    """What hands the reward over to it, as it stands in the configuration."""
    room = max(8, width - len('pretrained_path = ""'))
    return [
        (("[env.processor.reward_classifier]", "dim"),),
        ((f'pretrained_path = "{elide_left(report.folder, room)}"', "text"),),
        ((f"success_threshold = {report.success_threshold:g}", "text"),),
    ]


PARTS: tuple[Callable[[ClassifierReported, int], list[Row]], ...] = (figures, thresholds, reliability, use)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _short(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}" if share == 1 else f"{share:.1%}"
