"""Figures beside the pictures: which camera, which frame, the crop in numbers, and what the keys do now."""

import time
from textwrap import wrap

from hilserl_tui.crop_choice import Choice
from hilserl_tui.crop_keys import crop_footer
from hilserl_tui.keymap import hint
from hilserl_tui.panes.draw import Row
from hilserl_tui.panes.key_bar import KeyBar
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import Looked


class CropFigures(Lines):
    """Rows of `choice`, which the screen sets before it is drawn."""

    title = "crop"
    choice = Choice()
    unwritten = False
    """Whether the file has something else."""

    def watched(self, view: View) -> tuple[object, ...]:
        return self.choice, self.unwritten, view.state.looked, view.state.run, view.state.workers

    def heading(self, view: View) -> tuple[str, str]:
        return self.title, "not written yet" if self.unwritten else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        choice, crop = self.choice, self.choice.crop
        if crop is None:
            return _no_picture(view, choice, width)
        lock = ("square", "amber") if choice.square else ("free", "dim")
        arrows = f"{'size' if choice.sizing else 'move'} {choice.step} px"
        rows: list[Row] = [
            (("top ", "dim"), (f"{crop.top:<5}", "bold"), ("height ", "dim"), (str(crop.height), "bold")),
            (("left ", "dim"), (f"{crop.left:<4}", "bold"), ("width  ", "dim"), (str(crop.width), "bold")),
            (("resize_size ", "dim"), (str(list(choice.size)), "bold")),
            (lock, ("  arrows ", "dim"), (arrows, "text")),
        ]
        return [*rows, *_source(view.state.looked, choice)]


def _no_picture(view: View, choice: Choice, width: int) -> list[Row]:
    """Why there is none, and where to look."""
    run = view.state.run
    if run is None:
        return [(("no run yet", "dim"),)]
    if not choice.cameras:
        return [(("this run has no camera", "amber"),), (("there is nothing to crop", "dim"),)]
    words = f"waiting for a picture of {choice.camera}"
    worker = view.state.workers.get(f"camera-{choice.camera}")
    if worker is not None and worker.reason:
        words += f": {worker.reason}"
    elif not run.dataset:
        words += f". {hint('home')} Home tells how its camera is"
    return [((line, "amber"),) for line in wrap(words, max(8, width))]


def _source(looked: Looked | None, choice: Choice) -> list[Row]:
    """Where the picture is from."""
    if looked is None or looked.trouble:
        return []
    if looked.episodes:
        return [
            (("episode ", "dim"), (str(looked.episode), "bold"), (f"  of 0 to {looked.episodes - 1}", "dim")),
            (("frame   ", "dim"), (str(looked.frame), "bold"), (f"  of 0 to {looked.frames - 1}", "dim")),
        ]
    at = time.strftime("%H:%M:%S", time.localtime(looked.taken_s))
    return [
        (("held still since " if choice.hold else "live ", "amber" if choice.hold else "green"), (at, "dim"))
    ]


class CropKeyBar(KeyBar):
    """The keys of this screen."""

    def watched(self, view: View) -> tuple[object, ...]:
        return (view.state.run, *super().watched(view))

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        if view.stopped or view.stale:
            return super().rows(view, width, height)
        run = view.state.run
        row: list[tuple[str, str]] = []
        used = 0
        for name, caption, label in crop_footer(dataset=run is not None and run.dataset):
            size = len(caption) + len(label) + 4
            if used + size <= width:
                row += [(f" {caption} ", "key"), (f" {label} ", "red" if name == "stop" else "dim")]
                used += size
        return [tuple(row)]
