"""What a reward classifier learns from, and how its training goes."""

import re
from collections.abc import Callable, Sequence
from textwrap import wrap

from hilserl_tui.classifier_keys import caption
from hilserl_tui.panes.braille import Canvas
from hilserl_tui.panes.draw import Row, age, bar, count, elide_left, figure, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.classifier_events import ClassifierProgress, Labelled, LearntDataset
from workers.model.classifier_training import ClassifierTraining

LEARNT, HELD_OUT = "blue", "amber"  # styles of what it learns from, and of what it is measured on
_NAMED_IN = "reward_classifier.datasets, or [dataset]"
CURVE_ROWS = 3  # the fewest that say anything


class ClassifierData(Lines):
    """`names`, the datasets of the configuration, `training` and `relabelled` frames are set by the screen."""

    title = "data"
    names: tuple[str, ...] = ()
    training: ClassifierTraining | None = None
    relabelled = 0

    def watched(self, view: View) -> tuple[object, ...]:
        return self.names, self.training, self.relabelled, view.state.dataset

    def heading(self, view: View) -> tuple[str, str]:
        started = self.training.started if self.training is not None else None
        return self.title, started.model if started is not None else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        started = self.training.started if self.training is not None else None
        if started is None:
            return _named(self.names, self.relabelled, width)
        rows: list[Row] = [((f"{'':10}episodes positives negatives", "dim"),)]
        rows += [_labelled("learns", _sum([of.train for of in started.datasets]), LEARNT)]
        rows += [_labelled("held out", _sum([of.held_out for of in started.datasets]), HELD_OUT)]
        if self.relabelled:
            rows.append(_again(self.relabelled))
        if len(started.datasets) > 1:
            rows += [_dataset(of, width) for of in started.datasets]
        else:
            rows += [((elide_left(of.dataset, width), "dim"),) for of in started.datasets]
        advice = (line for words in started.advice for line in wrap(words, max(20, width)))
        return [*rows, *(((line, "amber"),) for line in advice)]


def _named(names: Sequence[str], relabelled: int, width: int) -> list[Row]:
    """Before a training has looked at them."""
    again = [_again(relabelled)] if relabelled else []
    if not names:
        how = wrap(f"name it in the file: {_NAMED_IN}; hilserl-tui record makes one", max(20, width))
        return [(("no dataset is named", "amber"),), *(((line, "dim"),) for line in how), *again]
    rows: list[Row] = [((elide_left(name, width), "text"),) for name in names]
    return [*rows, *again, (("its frames are counted when training begins", "dim"),)]


def _again(relabelled: int) -> Row:
    frames = "1 frame" if relabelled == 1 else f"{relabelled} frames"
    return ((f"{frames} relabelled: enter trains again", "amber"),)


def _sum(parts: Sequence[Labelled]) -> Labelled:
    return Labelled(
        sum(of.episodes for of in parts),
        sum(of.successes for of in parts),
        sum(of.positives for of in parts),
        sum(of.negatives for of in parts),
    )


def _labelled(name: str, of: Labelled, style: str) -> Row:
    counts = f"{of.episodes:8}{count(of.positives):>10}{count(of.negatives):>10}"
    return ((f"{name:10}", style), (counts, "bold"))


def _dataset(of: LearntDataset, width: int) -> Row:
    both = _sum([of.train, of.held_out])
    figures = f" {both.episodes} ep. {count(both.positives)}+ {count(both.negatives)}-"
    return spread(((elide_left(of.dataset, width - len(figures)), "dim"),), ((figures, "text"),), width)


class ClassifierProgressPane(Lines):
    """Epoch, step, time left, and the curves; before the first training, what to do. The screen sets `training`."""

    title = "training"
    training: ClassifierTraining | None = None
    ending = 0
    """How often the end was asked for."""

    def watched(self, view: View) -> tuple[object, ...]:
        return self.training, self.ending

    def heading(self, view: View) -> tuple[str, str]:
        if not self.ending or self.training is None or self.training.over:
            return self.title, ""
        soon = f"ends after this epoch; {caption('classifier-stop')} again: now"
        return self.title, soon if self.ending == 1 else "ends now"

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        training = self.training
        if training is None:
            return [
                ((caption("classifier-train"), "bold"), ("  trains a reward classifier", "text")),
                (("from the datasets above, held-out episodes", "dim"),),
                (("measure it", "dim"),),
            ]
        if training.failed:
            lines = [line for words in training.failed.splitlines() for line in _fitted(words, width)]
            again = ((f" {caption('classifier-train')} ", "key"), (" tries again", "dim"))
            return [(("no classifier was made", "red"),), *(((line, "text"),) for line in lines), again]
        if training.progress is None:
            return [(("it starts", "bold"),), (("and counts the frames of its datasets", "dim"),)]
        rows = _progress(training.progress, width)
        return rows + curves(training.curve, width, height - len(rows))


def _fitted(words: str, width: int) -> list[str]:
    """A line in as many as it needs; columns that are too wide come closer together first."""
    if len(words) > width:
        words = re.sub(" {2,}", "  ", words)
    return wrap(words, max(20, width)) or [""]


def _progress(now: ClassifierProgress, width: int) -> list[Row]:
    left = f"at most {age(now.left_s)} left" if now.left_s is not None else ""
    step = f"  {now.step:,} of {now.steps:,}" if now.steps else ""
    share = now.step / now.steps if now.steps else 0.0
    rows = [
        spread(((now.stage, "bold"), (step, "text")), ((left, "amber"),), width),
        bar(share, width, LEARNT),
    ]
    if not now.max_epochs:
        return rows
    best = f"best: {now.best_epoch}" if now.best_epoch else ""
    rows.append(
        spread(((f"epoch {now.epoch} of at most {now.max_epochs}", "text"),), ((best, "dim"),), width)
    )
    rows.append(((f"{'':10}{'loss':>7}{'accuracy':>10}", "dim"),))
    rows.append(_figures("learns", now.loss, now.accuracy, LEARNT))
    rows.append(_figures("held out", now.held_out_loss, now.held_out_accuracy, HELD_OUT))
    return rows


def _figures(name: str, loss: float | None, accuracy: float | None, style: str) -> Row:
    percent = None if accuracy is None else 100 * accuracy
    return ((f"{name:10}", style), (f"{figure(loss, 3, 7)}{figure(percent, 1, 8)} %", "bold"))


def curves(points: Sequence[ClassifierProgress], width: int, height: int) -> list[Row]:
    """Loss over accuracy, epoch by epoch; nothing where there is no room for both."""
    rows = (height - 2) // 2
    if rows < CURVE_ROWS or not points:
        return []
    losses = [value for of in points for value in (of.loss, of.held_out_loss) if value is not None]
    top = max(losses, default=0.0) or 1.0
    shares = [value for of in points for value in (of.accuracy, of.held_out_accuracy) if value is not None]
    low = min(shares, default=0.0)
    return [
        ((f"loss 0 to {top:.2f}", "dim"),),
        *_plot(points, lambda of: of.loss, lambda of: of.held_out_loss, (0.0, top), width, rows),
        ((f"accuracy {100 * low:.0f} to 100 %", "dim"),),
        *_plot(points, lambda of: of.accuracy, lambda of: of.held_out_accuracy, (low, 1.0), width, rows),
    ]


def _plot(
    points: Sequence[ClassifierProgress],
    learnt: Callable[[ClassifierProgress], float | None],
    held_out: Callable[[ClassifierProgress], float | None],
    span: tuple[float, float],
    width: int,
    height: int,
) -> list[Row]:
    """Two curves in one picture, what it is measured on above what it learns from."""
    canvas, (low, high) = Canvas(width, height), span
    for of, style in ((learnt, LEARNT), (held_out, HELD_OUT)):
        values = [value for point in points if (value := of(point)) is not None]
        canvas.curve([(value - low) / (high - low) if high > low else 1.0 for value in values], style)
    return [canvas.row(y) for y in range(height)]
