"""The episodes of a dataset as a list, the chosen one in sight, and the figures of the frame that is shown."""

from hilserl_tui.episode_keys import episode_footer
from hilserl_tui.panes.draw import Row, elide, gauge, row_width, spread
from hilserl_tui.panes.key_bar import KeyBar
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import EpisodesListed, FrameShown, StoredEpisode

WIDE = 40  # columns from which there is room for words


class EpisodeList(Lines):
    """`chosen` is set by the screen."""

    title = "episodes"
    chosen = 0

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.stored, self.chosen

    def heading(self, view: View) -> tuple[str, str]:
        stored = view.state.stored
        if stored is None:
            return self.title, ""
        good = sum(ep.success for ep in stored.episodes)
        return f"{self.title}  {len(stored.episodes)}", f"{good} succeeded"

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        stored = view.state.stored
        if stored is None:
            return [(("the dataset is being opened", "faint"),)]
        if not stored.episodes:
            return [(("it has no episode", "dim"),)]
        first = max(0, min(self.chosen - height // 2, len(stored.episodes) - height))
        numbered = list(enumerate(stored.episodes))[first : first + height]
        return [_row(number, ep, stored.fps, number == self.chosen, width) for number, ep in numbered]


def _row(number: int, episode: StoredEpisode, fps: float, chosen: bool, width: int) -> Row:
    mark = ("▶", "amber") if chosen else (" ", "text")
    shape = ("●", "green") if episode.success else ("○", "red")
    words = f"{episode.frames / fps:5.1f} s {episode.frames:>4}{' frames' if width > WIDE else ''}"
    left: Row = (mark, (f"{number:>4} ", "dim"), shape, (f" {words}", "bold" if chosen else "text"))
    right = ((f" r {episode.reward:.4g}", "dim"),)
    helped = f" person {100 * episode.by_person // max(1, episode.frames)} %" if episode.by_person else ""
    if row_width(left) + len(helped) + row_width(right) > width:
        helped = " ▲" if helped else ""
    return spread((*left, (helped, "amber")), right, width)


class FrameFigures(Lines):
    """What happened in the frame that is shown, and what was done to the dataset last."""

    title = "frame"
    playing = False
    speed = 1.0

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.shown, view.state.stored, self.playing, self.speed

    def heading(self, view: View) -> tuple[str, str]:
        return self.title, f"playing {self.speed:g}x" if self.playing else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        stored, shown = view.state.stored, view.state.shown
        rows: list[Row] = []
        if stored is not None and shown is not None and not shown.trouble:
            rows += _frame(stored, shown, width)
        elif shown is not None:
            rows.append(((elide(shown.trouble, width), "red"),))
        if stored is not None and stored.said:
            rows = [*rows[: height - 1], ((elide(stored.said, width), "amber"),)]
        return rows


def _frame(stored: EpisodesListed, shown: FrameShown, width: int) -> list[Row]:
    frames = stored.episodes[shown.episode].frames if shown.episode < len(stored.episodes) else 0
    driver = ("person", "amber") if shown.by_person else ("as recorded", "dim")
    good = (("  success", "green"),) if shown.success else ()
    at = f"  {shown.frame / stored.fps:.1f} s  reward {shown.reward:g}  "
    head: Row = ((f"{shown.frame + 1} of {frames}", "bold"), (at, "dim"))
    whole = (*head, driver, *good)
    rows: list[Row] = [whole if row_width(whole) <= width else (*head, *(good or (driver,)))]
    wide = max(8, width - 20)
    for name, value in shown.action.items():
        low, high = (0.0, 2.0) if name == "gripper" else (-1.0, 1.0)
        rows.append(
            (
                (elide(name, 10), "dim"),
                *gauge(value, low, high, wide, "blue"),
                (f" {value:7.2f}", "text"),
            )
        )
    return rows


class EpisodeKeyBar(KeyBar):
    """The keys of this screen."""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        row: list[tuple[str, str]] = []
        used = 0
        for _, caption, label in episode_footer():
            size = len(caption) + len(label) + 4
            if used + size <= width:
                row += [(f" {caption} ", "key"), (f" {label} ", "dim")]
                used += size
        return [tuple(row)]
