"""Crop: the part of each camera's picture that the policy sees, by mouse and to the pixel by keys.

The screen asks for pictures with `Look` and draws what comes back. The box follows the mouse and the keys at once,
the policy's view when its answer is here: it is made by the run's own code, where the pictures are.
"""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from hilserl_tui import crop_keys
from hilserl_tui.crop_choice import STEPS, Choice
from hilserl_tui.crop_file import CropFile
from hilserl_tui.crop_looking import Looking
from hilserl_tui.keymap import Group, hint
from hilserl_tui.panes.crop_figures import CropFigures, CropKeyBar
from hilserl_tui.panes.crop_picture import CropPicture, PolicyPicture
from hilserl_tui.panes.key_bar import KeyBar
from hilserl_tui.roi import ZOOMS, Rect, dragged, moved
from hilserl_tui.screens.base import ConsoleScreen
from hilserl_tui.view import Link, View
from workers.config import ConfigError
from workers.model.events import RunOpened

if TYPE_CHECKING:
    from hilserl_tui.app import Console

BESIDE = 30  # columns at least for the policy's view and the figures


class Crop(ConsoleScreen):
    """`choice` is what is chosen, `in_file` what the configuration has."""

    name_in_view = "crop"
    keys_in_help = Group.CROP
    own_keys = crop_keys.CROP_KEYS
    DEFAULT_CSS = """
    Crop .pane {
        border: round $edge; border-title-color: $dim; border-subtitle-color: $faint;
        border-title-style: bold;
    }
    Crop CropPicture { width: 1fr; height: 100%; }
    Crop .beside { height: 100%; }
    Crop PolicyPicture { width: 100%; height: 1fr; }
    Crop CropFigures { width: 100%; height: 8; padding: 0 1; border-subtitle-color: $accent; }
    """
    BINDINGS: ClassVar = [*crop_keys.bindings()]

    def __init__(self) -> None:
        super().__init__()
        self.choice = self.in_file = Choice()
        self.file: CropFile | None = None
        self._run: RunOpened | None = None
        self._looking = Looking()
        self._told = False
        self._moved_from: Rect | None = None  # the crop when a drag began to move it

    @property
    def console(self) -> "Console":
        return cast("Console", self.app)

    @property
    def unwritten(self) -> bool:
        """Whether something is chosen that the file does not have."""
        return (self.choice.by_key(), self.choice.size) != (self.in_file.by_key(), self.in_file.size)

    @property
    def _whole(self) -> bool:
        """Whether its panes are there: on its way onto the screen, or off it, they come and go one by one."""
        return all(self.query(pane) for pane in (CropPicture, PolicyPicture, CropFigures))

    def key_bar(self) -> KeyBar:
        return CropKeyBar()

    def keeps_back(self) -> bool:
        """Once, of a crop that is not written: the next `q` leaves."""
        if not self.unwritten or self._told:
            return False
        self._told = True
        write = crop_keys.CROP_BY_ID["crop-write"].caption
        self.console.hint(
            f"the crop is not written: {write} writes it, {hint('quit')} again leaves without it"
        )
        return True

    def body(self) -> ComposeResult:
        with Horizontal():
            yield CropPicture(classes="pane")
            with Vertical(classes="beside"):
                yield PolicyPicture(classes="pane")
                yield CropFigures(classes="pane")

    def on_mount(self) -> None:
        self.query_one(".beside").styles.width = max(BESIDE, self.size.width * 3 // 8)
        self._tell_figures()
        self.call_after_refresh(self._draw, policy=True)

    def on_resize(self, event: events.Resize) -> None:
        self.query_one(".beside").styles.width = max(BESIDE, event.size.width * 3 // 8)
        self.call_after_refresh(self._draw, policy=True)

    # --- drawing ----------------------------------------------------------------------------------------

    def show(self, view: View) -> None:
        if not self._whole:
            return
        run = view.state.run
        if run is not None and run != self._run:
            self._run = run
            self._begin(run)
        super().show(view)

    def _begin(self, run: RunOpened) -> None:
        """With what the run's file has."""
        self.choice = self.in_file = Choice(cameras=run.cameras)
        try:
            self.file = CropFile(Path(run.config_path))
            self.choice = self.in_file = self.file.choice(run.cameras)
        except ConfigError as error:
            self.file = None
            self.console.hint(f"what is chosen here cannot be written: {error}")
        self._tell_figures()

    def show_cameras(self, view: View) -> None:
        """Take the answer that has come, and ask the next question."""
        if not self._whole:
            return
        answer = view.state.looked
        if answer is not None and (choice := self._looking.take(answer, self.choice)) is not None:
            self.choice = choice
            self._tell_figures()
            if answer.trouble:
                self.query_one(CropPicture).blank(answer.trouble)
            self._draw(policy=True)
        self._ask(view)

    def _ask(self, view: View) -> None:
        room = self.query_one(CropPicture).content_size
        if view.link is not Link.UP or self._run is None or not self.choice.cameras or not room.width:
            return
        now_s = time.monotonic()
        live = not self._run.dataset and not self.choice.hold
        look = self._looking.question(self.choice, (2 * room.height, room.width), live, now_s)
        if look is not None and self.console.client.send(look):
            self._looking.sent(look, now_s)

    def _draw(self, policy: bool = False) -> None:
        """The box where it is now, in the picture that was last seen; and what the policy saw then."""
        answer, crop, choice = self._looking.answer, self.choice.crop, self.choice
        if answer is None or answer.trouble or crop is None or answer.camera != choice.camera:
            return
        if not self._whole:
            return  # asked for after a refresh
        picture, seen = self.query_one(CropPicture), self.query_one(PolicyPicture)
        near = f", {ZOOMS[choice.zoom]:g} times nearer" if choice.zoom else ""
        picture.border_title = f"{answer.camera} {answer.width}x{answer.height}{near}"
        picture.border_subtitle = f"camera {choice.at + 1} of {len(choice.cameras)}"
        seen.border_title = f"the policy sees {choice.size[1]}x{choice.size[0]}"
        picture.show_crop(answer.shown, Rect(*answer.part), crop)
        if policy:
            seen.show_pixels(answer.policy)

    def _tell_figures(self) -> None:
        figures = self.query_one(CropFigures)
        figures.choice, figures.unwritten = self.choice, self.unwritten

    def change(self, choice: Choice) -> None:
        """What a key or the mouse chose: drawn at once, and its view asked for."""
        self.choice = choice
        self._tell_figures()
        view = self.console.view()
        self._draw()
        self.query_one(CropFigures).show(view)
        self._ask(view)

    # --- the mouse --------------------------------------------------------------------------------------

    def on_crop_picture_dragged(self, event: CropPicture.Dragged) -> None:
        picture, crop = self.choice.picture, self.choice.crop
        if picture is None or crop is None:
            return
        if event.by_move:
            self._moved_from = self._moved_from or crop
            down, right = event.end.top - event.begin.top, event.end.left - event.begin.left
            self.change(self.choice.chosen(moved(self._moved_from, down, right, picture)))
        else:
            self.change(self.choice.chosen(dragged(event.begin, event.end, picture, self.choice.square)))
        if event.last:
            self._moved_from = None

    def on_crop_picture_zoomed(self, event: CropPicture.Zoomed) -> None:
        self.change(self.choice.zoomed(event.by, (event.row, event.column)))

    # --- keys -------------------------------------------------------------------------------------------

    def action_arrow(
        self, down: int, right: int, sizing: bool | None = None, step: int | None = None
    ) -> None:
        choice = self.choice
        self.change(
            choice.arrow(
                down,
                right,
                choice.sizing if sizing is None else sizing,
                choice.step if step is None else step,
            )
        )

    def action_sizing(self) -> None:
        self.change(replace(self.choice, sizing=not self.choice.sizing))

    def action_step(self) -> None:
        self.change(replace(self.choice, step=STEPS[self.choice.step == STEPS[0]]))

    def action_square(self) -> None:
        self.change(self.choice.locked())

    def action_whole(self) -> None:
        if self.choice.picture is not None:
            self.change(replace(self.choice.chosen(self.choice.picture.whole), square=False))

    def action_as_in_file(self) -> None:
        self.change(replace(self.choice, crops=self.in_file.crops, size=self.in_file.size, square=False))

    def action_other_size(self) -> None:
        self.change(self.choice.other_size())

    def action_camera(self, by: int) -> None:
        self.change(self.choice.other_camera(by))

    def action_zoom(self, by: int) -> None:
        self.change(self.choice.zoomed(by))

    def action_hold(self) -> None:
        if self._run is not None and self._run.dataset:
            self.console.hint("a dataset's pictures stand still: , and . turn them")
        else:
            self.change(replace(self.choice, hold=not self.choice.hold))

    def action_turn(self, episodes: int, frames: int) -> None:
        if self._run is not None and not self._run.dataset:
            self.console.hint("live cameras have no frames to turn: h holds the picture")
        else:
            self.change(self.choice.turned(episodes, frames))

    def action_numbers(self) -> None:
        from hilserl_tui.screens.crop_numbers import CropNumbers

        if self.choice.picture is not None:
            self.app.push_screen(CropNumbers(self.choice), self._typed)

    def _typed(self, choice: Choice | None) -> None:
        if choice is not None:
            self.change(choice)

    def action_write(self) -> None:
        from hilserl_tui.screens.crop_write import CropWrite

        if self.file is None or self._run is None:
            self.console.hint("there is no configuration to write into")
        elif not self.choice.by_key() and not self.unwritten:
            self.console.hint("nothing is chosen yet: drag a box, or press arrows")
        else:
            dataset = Path(self._run.run_dir) if self._run.dataset else None
            self.app.push_screen(CropWrite(self.file, self.choice, dataset), self._written)

    def _written(self, written: bool | None) -> None:
        if written:
            self.in_file = self.choice
            if self.file is not None:
                self.console.parting = self.file.lines(self.choice)
            self.change(self.choice)
