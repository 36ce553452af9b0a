"""Demos: every episode of a recording, how it ended, and whether it is safely in the dataset."""

from hilserl_tui.panes.draw import Row, bar, count, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import EndedBy, EpisodeKind, Phase
from workers.model.state import ConsoleState, Episode

_ENDS = {
    EndedBy.SUCCESS: ("●", "green", "success"),
    EndedBy.FAILURE: ("○", "red", "failure"),
    EndedBy.TIME_LIMIT: ("○", "amber", "time limit"),
    EndedBy.RERECORD: ("×", "faint", "dropped"),
    EndedBy.STOP: ("×", "faint", "stopped"),
}
WIDE = 42  # columns from which there is room for words
KEPT = (EndedBy.SUCCESS, EndedBy.FAILURE, EndedBy.TIME_LIMIT)


def positives(state: ConsoleState) -> tuple[int, int]:
    """Saved frames of this run with a reward, and without one: what a reward classifier learns from."""
    saved = state.dataset.saved.values() if state.dataset is not None else ()
    marked = sum(one.positives for one in saved)
    return marked, sum(one.frames for one in saved) - marked


class Demos(Lines):
    title = "episodes"

    def watched(self, view: View) -> tuple[object, ...]:
        state = view.state
        return state.episodes, state.dataset, state.progress, state.running

    def heading(self, view: View) -> tuple[str, str]:
        progress, dataset = view.state.progress, view.state.dataset
        done = f"  {progress.done} of {progress.total}" if progress.phase is Phase.RECORDING else ""
        return self.title + done, f"dataset: {dataset.episodes}" if dataset is not None else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        state = view.state
        demos = [ep for ep in state.episodes if ep.kind is EpisodeKind.DEMONSTRATION]
        saved = state.dataset.saved if state.dataset is not None else {}
        foot = [*_running(view, width), *_sums(state, demos)]
        room = max(0, height - len(foot))
        shown = demos[-room:] if room else []
        through = state.dataset.through if state.dataset is not None else -1
        rows = [_row(ep, ep.episode in saved or ep.episode <= through, width) for ep in shown]
        if not demos and room:
            rows = [(("no episode yet", "dim"),)]
        return rows + foot


def _row(episode: Episode, saved: bool, width: int) -> Row:
    shape, style, words = _ENDS[episode.ended_by]
    wide = width >= WIDE
    left: Row = (
        (f"{episode.episode:>3} ", "dim"),
        (f"{shape} ", style),
        (f"{episode.seconds:5.1f} s {episode.steps:>4}{' frames  ' if wide else ''}", "text"),
    )
    if episode.ended_by not in KEPT:
        return spread(left, ((words, "dim"),), width)
    kept = ("saved", "green") if saved else ("saving", "amber")
    return spread((*left, (words, "dim")) if wide else left, (kept,), width)


def _running(view: View, width: int) -> list[Row]:
    """The episode that runs now, and whether its frames are marked as success."""
    running, progress = view.state.running, view.state.progress
    ended = {ep.episode for ep in view.state.episodes}
    if progress.phase is not Phase.RECORDING or running.episode < 0 or running.episode in ended:
        return []
    marked = ("  ◆ success", "green") if running.reward > 0 else ("", "text")
    share = running.step / running.step_limit if running.step_limit else 0.0
    head: Row = (
        (f"{running.episode:>3} ", "dim"),
        ("◉ ", "amber"),
        (f"{running.step:>4} frames", "bold"),
        marked,
    )
    return [head, bar(share, width, "amber")]


def _sums(state: ConsoleState, demos: list[Episode]) -> list[Row]:
    kept = [ep for ep in demos if ep.ended_by in KEPT]
    if not kept:
        return []
    good = sum(ep.success for ep in kept)
    mean_s = sum(ep.seconds for ep in kept) / len(kept)
    yes, no = positives(state)
    return [
        ((f"kept {len(kept)}, {good} succeeded", "dim"),),
        ((f"mean {mean_s:.1f} s", "dim"),),
        ((f"reward in {count(yes)} of {count(yes + no)} frames", "dim"),),
    ]
