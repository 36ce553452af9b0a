"""A training and its report in words, for a person at a plain terminal."""

from collections.abc import Iterator

from workers.model.classifier_events import (
    ClassifierProgress,
    ClassifierReported,
    ClassifierStarted,
    Labelled,
    Scores,
    SweepRow,
    WrongFrame,
)

_LISTED = 8
_WIDE_BAR = 20


def started_in_words(event: ClassifierStarted) -> list[str]:
    cameras = ", ".join(f"{name} {height}x{width}" for name, (height, width) in event.cameras.items())
    lines = [f"{event.model} on {cameras}"]
    for of in event.datasets:
        lines += [
            f"{of.dataset}",
            f"  learns from  {_labelled(of.train)}",
            f"  held out     {_labelled(of.held_out)}",
        ]
    return [*lines, *(f"better: {words}" for words in event.advice)]


def epoch_in_words(event: ClassifierProgress) -> str:
    kept = "  best so far" if event.best_epoch == event.epoch else ""
    return (
        f"epoch {event.epoch:3d} of at most {event.max_epochs}: loss {event.loss:.3f}, accuracy {event.accuracy:.1%};"
        f" held out: loss {event.held_out_loss:.3f}, accuracy {event.held_out_accuracy:.1%}{kept}"
    )


def report_in_words(report: ClassifierReported) -> list[str]:
    row, half = report.recommended, report.at_half
    lines = [
        "",
        f"On held-out episodes ({report.epochs} epochs, the {report.best_epoch}. is kept; {report.seconds:.0f} s):",
        f"  {'':26}{'threshold':>9}{'accuracy':>10}{'precision':>11}{'recall':>8}{'false positives':>17}",
        _row("frames", row.threshold, row.frames),
        _row("frames", half.threshold, half.frames),
        _row(f"episodes, {report.votes} of {report.window}", row.threshold, row.episodes),
        _row(f"episodes, {report.votes} of {report.window}", half.threshold, half.episodes),
        f"  area under the ROC curve {_number(report.auc)}, calibration error {report.calibration_error:.3f}"
        f"{_delay(row)}",
        "",
        "Reliability: what it says, and how often that is a success:",
        *(
            f"  {of.low:.1f} to {of.high:.1f}  {of.frames:6,} frames  says {of.mean_probability:.2f},"
            f" is {of.successes:.2f}  {'#' * round(_WIDE_BAR * of.successes)}"
            for of in report.reliability
        ),
        "",
        "Thresholds:",
        f"  {'':9}{'frames:':>10}{'':8}{'':8}{'episodes:':>12}",
        f"  {'':9}{'false pos.':>10}{'precision':>11}{'recall':>8}{'precision':>11}{'recall':>8}{'delay':>8}",
        *(_sweep_line(of, report.success_threshold) for of in report.sweep),
        "",
        *_worst("seen as success, labelled as none", report.false_positives),
        *_worst("labelled as success, not seen as one", report.false_negatives),
    ]
    return [*lines, *(f"note: {words}" for words in report.warnings)]


def _labelled(of: Labelled) -> str:
    return (
        f"{of.episodes:3d} episodes, {of.successes} with success; {of.positives:5,} frames with success,"
        f" {of.negatives:,} without"
    )


def _row(what: str, threshold: float, of: Scores) -> str:
    return (
        f"  {what:26}{threshold:9.3f}{_percent(of.accuracy):>10}{_percent(of.precision):>11}{_percent(of.recall):>8}"
        f"{_percent(of.false_positive_rate):>17}"
    )


def _sweep_line(row: SweepRow, recommended: float) -> str:
    delay = "-" if row.delay_frames is None else f"{row.delay_frames:+.0f}"
    here = "  recommended" if row.threshold == recommended else ""
    return (
        f"  {row.threshold:9.3f}{_percent(row.frames.false_positive_rate):>10}{_percent(row.frames.precision):>11}"
        f"{_percent(row.frames.recall):>8}{_percent(row.episodes.precision):>11}{_percent(row.episodes.recall):>8}"
        f"{delay:>8}{here}"
    )


def _worst(what: str, found: tuple[WrongFrame, ...]) -> Iterator[str]:
    if not found:
        return
    yield f"Frames {what} ({len(found)}, the worst first; with pictures in {_folder(found)}):"
    for of in found[:_LISTED]:
        side = "held out" if of.held_out else "learnt from"
        yield f"  {of.dataset} episode {of.episode} frame {of.frame}: p = {of.probability:.3f}, {side}"
    yield ""


def _folder(found: tuple[WrongFrame, ...]) -> str:
    picture = next(iter(found[0].pictures.values()), "")
    return picture.rpartition("/")[0]


def _delay(row: SweepRow) -> str:
    if row.delay_frames is None:
        return ""
    return f"; a success is decided {row.delay_frames:+.0f} frames after its label"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
