"""Episodes: one cell each, and the rolling success, autonomous (S) apart from all (H)."""

from hilserl_tui.panes.braille import Canvas
from hilserl_tui.panes.draw import Row, figure, row_width, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model import select
from workers.model.events import EpisodeKind
from workers.model.state import ConsoleState, Episode


def cell(episode: Episode) -> tuple[str, str]:
    """● success, ○ not; underlined when a human helped; ◆ ◇ for demonstrations, ■ □ for evaluation, ▶ ▷ for replay."""
    full, empty = {
        EpisodeKind.DEMONSTRATION: ("◆", "◇"),
        EpisodeKind.TRAINING: ("●", "○"),
        EpisodeKind.EVALUATION: ("■", "□"),
        EpisodeKind.REPLAY: ("▶", "▷"),
    }[episode.kind]
    style = "green" if episode.success else "red"
    if episode.kind is EpisodeKind.TRAINING and not episode.autonomous:
        style += "_helped"
    return (full if episode.success else empty), style


def strip(episodes: tuple[Episode, ...], width: int, rows: int) -> list[Row]:
    """The newest episodes, oldest first, row by row."""
    shown = episodes[-width * rows :] if width > 0 else ()
    return [tuple(cell(ep) for ep in shown[i : i + width]) for i in range(0, len(shown), width)]


class Rewards(Lines):
    title = "episodes"

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.episodes, view.state.progress, view.state.evaluation, view.state.run

    def heading(self, view: View) -> tuple[str, str]:
        training = select.training_episodes(view.state)
        if not training:
            return self.title, ""
        return (
            f"{self.title}  {len(training)} trained",
            "" if self.content_size.height < 8 else "success, last 20",
        )

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        state = view.state
        if not state.episodes:
            return _empty(state)
        training = select.training_episodes(state)
        tall = height >= 8
        rows = [_summary(training, width), _times(state, training, width)]
        strips = strip(state.episodes, width, 2 if tall else 1)
        rows += strips
        if tall:
            rows.append(())
        rows += self._plot(training, width, height - len(rows))
        return rows

    def _plot(self, training: tuple[Episode, ...], width: int, height: int) -> list[Row]:
        if height < 2:
            return []
        if len(training) < 2:
            return [(("curve: from the second training episode", "faint"),)]
        points = select.rolling(training)
        canvas = Canvas(width - 6, height)
        row_all = canvas.curve([both for _, both in points], "amber")
        row_auto = canvas.curve([auto for auto, _ in points], "green")
        if row_all == row_auto:
            row_all = row_auto - 1 if row_auto > 0 else row_auto + 1
        rows: list[Row] = []
        for y in range(height):
            label = {0: "1.0", height // 2 if height >= 5 else -1: "0.5", height - 1: "0.0"}.get(y, "   ")
            end = ("S", "green") if y == row_auto else ("H", "amber") if y == row_all else (" ", "text")
            rows.append(((label, "faint"), ("│", "faint"), *canvas.row(y), (" ", "text"), end))
        return rows


def _empty(state: ConsoleState) -> list[Row]:
    wanted = state.run.demonstrations_wanted if state.run else 0
    who = "the scripted operator" if state.control.scripted else "the operator"
    if not wanted:
        return [(("no episode yet", "dim"),)]
    return [
        (("no episode yet", "dim"),),
        ((f"{who} records", "faint"),),
        ((f"{wanted} demonstrations first", "faint"),),
    ]


def _summary(training: tuple[Episode, ...], width: int) -> Row:
    """S and H of the last 20, S with its 95 % interval."""
    alone, helped = select.autonomous_success(training), select.all_success(training)
    low, high = select.autonomous_interval(training)
    interval = f" [{low:.2f} {high:.2f}]" if training else ""
    return (
        ("S", "green"),
        (" alone ", "dim"),
        (figure(alone), "bold"),
        (interval if width >= 25 + len(interval) else "", "text"),
        ("  H", "amber"),
        (" all ", "dim"),
        (figure(helped), "bold"),
    )


def _times(state: ConsoleState, training: tuple[Episode, ...], width: int) -> Row:
    """How long episodes are and successes take, and the newest evaluation with its 95 % interval."""
    recent = training[-select.WINDOW :]
    steps, cycle = select.episode_steps(recent), select.cycle_s(recent)
    seconds = None if steps is None or state.run is None else steps / state.run.fps
    left: Row = (
        ("episode", "dim"),
        (f"{figure(seconds, 1, 5)} s", "text"),
        ("  cycle", "dim"),
        (f"{figure(cycle, 1, 5)} s", "text"),
    )
    evaluation = state.evaluation
    if evaluation is None:
        return left
    low, high = select.wilson_interval(evaluation.successes, evaluation.trials)
    text = f"eval {evaluation.successes}/{evaluation.trials}"
    interval = f" [{low:.2f} {high:.2f}]"
    if row_width(left) + len(text) + len(interval) < width:
        text += interval
    return spread(left, ((text, "violet"),), width)
