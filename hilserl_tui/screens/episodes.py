"""Episodes: look through a dataset, play its episodes, mend their labels, take bad ones out."""

import time
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from hilserl_tui import episode_keys
from hilserl_tui.keymap import Group
from hilserl_tui.panes import halfblock
from hilserl_tui.panes.episode_list import EpisodeKeyBar, EpisodeList, FrameFigures
from hilserl_tui.panes.key_bar import KeyBar
from hilserl_tui.panes.pixels import PixelPane
from hilserl_tui.screens.arrange import ROOMY
from hilserl_tui.screens.base import ConsoleScreen
from hilserl_tui.view import Link, View
from workers.model.commands import DeleteEpisode, Relabel, ShowFrame, UndoEdit
from workers.model.events import FrameShown

if TYPE_CHECKING:
    from hilserl_tui.app import Console

PICTURES = 2
LIST_WIDE, LIST_NARROW = 46, 34  # columns
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
LOST_AFTER_S = 2.0  # a question without an answer is put again
SURE_WITHIN_S = 5.0  # of the key that asks to delete, for the one that does


class Episodes(ConsoleScreen):
    """`chosen` is the episode, `frame` the one of its frames that is wanted."""

    name_in_view = "episodes"
    keys_in_help = Group.EPISODES
    own_keys = episode_keys.EPISODE_KEYS
    DEFAULT_CSS = """
    Episodes .pane {
        border: round $edge; border-title-color: $dim; border-subtitle-color: $faint;
        border-title-style: bold;
    }
    Episodes EpisodeList { height: 100%; padding: 0 1; }
    Episodes .seen { width: 1fr; height: 100%; }
    Episodes .pictures { height: 1fr; }
    Episodes PixelPane { width: 1fr; height: 100%; }
    Episodes FrameFigures { height: 8; padding: 0 1; }
    """
    BINDINGS: ClassVar = [*episode_keys.bindings()]

    def __init__(self) -> None:
        super().__init__()
        self.chosen = self.frame = 0
        self._playing_since: tuple[float, int] | None = None  # when, from which frame
        self._speed = SPEEDS.index(1.0)
        self._asked: ShowFrame | None = None
        self._asked_s = 0.0
        self._drawn: FrameShown | None = None
        self._sure: tuple[int, float] | None = None  # which episode would be deleted, pressed when

    @property
    def console(self) -> "Console":
        return cast("Console", self.app)

    def key_bar(self) -> KeyBar:
        return EpisodeKeyBar()

    def body(self) -> ComposeResult:
        with Horizontal():
            yield EpisodeList(classes="pane")
            with Vertical(classes="seen"):
                with Horizontal(classes="pictures"):
                    for _ in range(PICTURES):
                        yield PixelPane(classes="pane")
                yield FrameFigures(classes="pane")

    def on_mount(self) -> None:
        self._place(self.size.width)

    def on_resize(self, event: events.Resize) -> None:
        self._place(event.size.width)

    def _place(self, width: int) -> None:
        self.query_one(EpisodeList).styles.width = LIST_WIDE if width >= ROOMY[0] else LIST_NARROW

    # --- drawing ----------------------------------------------------------------------------------------

    def show_cameras(self, view: View) -> None:
        """Draw the frame that came, and ask for the one that is wanted now."""
        stored, shown = view.state.stored, view.state.shown
        if stored is None:
            return
        self.chosen = min(self.chosen, max(0, len(stored.episodes) - 1))
        if shown is not None and shown is not self._drawn:
            self._drawn = shown
            self._draw(shown, stored.cameras)
        if stored.episodes:
            self._play_on(stored.episodes[self.chosen].frames, stored.fps)
            self._ask(view)

    def _play_on(self, frames: int, fps: float) -> None:
        if self._playing_since is not None:
            since_s, first = self._playing_since
            self.frame = first + int((time.monotonic() - since_s) * fps * SPEEDS[self._speed])
            if self.frame >= frames - 1:
                self._stop_playing()
        self.frame = min(max(0, self.frame), frames - 1)

    def _ask(self, view: View) -> None:
        """One question at a time: a slow link shows fewer frames, and no old ones."""
        panes = list(self.query(PixelPane))  # none of a screen that is closing
        if view.link is not Link.UP or not panes or not panes[0].content_size.width:
            return
        room = (2 * panes[0].content_size.height, panes[0].content_size.width)
        asked, now_s = self._asked, time.monotonic()
        answered = asked is None or (self._drawn is not None and self._drawn.number == asked.number)
        if not answered and now_s - self._asked_s < LOST_AFTER_S:
            return
        number = asked.number + 1 if asked is not None else 1
        wanted = ShowFrame(number, self.chosen, self.frame, room)
        if answered and asked is not None and _same(asked, wanted):
            return
        if self.console.client.send(wanted):
            self._asked, self._asked_s = wanted, now_s

    def _draw(self, shown: FrameShown, cameras: tuple[str, ...]) -> None:
        panes = list(self.query(PixelPane))
        for index, pane in enumerate(panes):
            camera = cameras[index] if index < len(cameras) else ""
            seen = shown.pictures.get(camera)
            pane.display = bool(camera) or index == 0
            pane.border_title = camera or None
            if seen is None:
                pane.blank("no pictures" if not shown.trouble else "")
                continue
            wide, high = halfblock.fit_inside(seen.width, seen.height, *pane.content_size)
            if wide:
                pane.paint(halfblock.cells(seen.rgb, seen.width, seen.height, wide, high))

    def _tell(self) -> None:
        episodes, figures = self.query_one(EpisodeList), self.query_one(FrameFigures)
        episodes.chosen = self.chosen
        figures.playing, figures.speed = self._playing_since is not None, SPEEDS[self._speed]
        view = self.console.view()
        episodes.show(view)
        figures.show(view)
        self.show_cameras(view)

    # --- keys -------------------------------------------------------------------------------------------

    def action_choose(self, by: int) -> None:
        stored = self.console.client.state.stored
        if stored is None or not stored.episodes:
            return
        self.chosen = min(max(0, self.chosen + by), len(stored.episodes) - 1)
        self.frame, self._playing_since = 0, None
        self._tell()

    def action_turn(self, by: int) -> None:
        self._playing_since = None
        self.frame = max(0, self.frame + by)
        self._tell()

    def action_play(self) -> None:
        stored = self.console.client.state.stored
        if self._playing_since is not None:
            self._stop_playing()
        elif stored is not None and stored.episodes:
            at_end = self.frame >= stored.episodes[self.chosen].frames - 1
            self._playing_since = time.monotonic(), 0 if at_end else self.frame
        self._tell()

    def _stop_playing(self) -> None:
        self._playing_since = None
        self.query_one(FrameFigures).playing = False

    def action_speed(self, by: int) -> None:
        self._speed = min(max(0, self._speed + by), len(SPEEDS) - 1)
        if self._playing_since is not None:
            self._playing_since = time.monotonic(), self.frame
        self._tell()

    def action_relabel(self, success: bool) -> None:
        if self._has_episode():
            self.console.client.send(Relabel(self.chosen, success))

    def action_delete(self) -> None:
        if not self._has_episode():
            return
        self._sure = self.chosen, time.monotonic()
        self.console.hint(f"y deletes episode {self.chosen}; z brings it back")

    def action_confirm(self) -> None:
        """Another key than the one that asks: a held key repeats."""
        sure, self._sure = self._sure, None
        if sure is not None and sure[0] == self.chosen and time.monotonic() - sure[1] < SURE_WITHIN_S:
            self._drawn = self._asked = None
            self.console.client.send(DeleteEpisode(self.chosen))

    def action_undo(self) -> None:
        stored = self.console.client.state.stored
        if stored is None or not stored.undo:
            self.console.hint("there is nothing to undo")
        else:
            self._drawn = self._asked = None
            self.console.client.send(UndoEdit())

    def _has_episode(self) -> bool:
        stored = self.console.client.state.stored
        return stored is not None and self.chosen < len(stored.episodes)


def _same(asked: ShowFrame, wanted: ShowFrame) -> bool:
    return (asked.episode, asked.frame, asked.room) == (wanted.episode, wanted.frame, wanted.room)
