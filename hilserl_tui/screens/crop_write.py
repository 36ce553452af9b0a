"""Write: what would change in the configuration, then writing it, then making the cropped dataset."""

from pathlib import Path

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from hilserl_tui.crop_choice import Choice
from hilserl_tui.crop_file import CropFile
from hilserl_tui.crop_job import CropJob
from workers.config import ConfigError
from workers.config.crops import NoCrop


class CropWrite(ModalScreen[bool]):
    """Returns whether the file has the choice now. `dataset`: the folder whose pictures were looked at."""

    DEFAULT_CSS = """
    CropWrite { align: center middle; background: $background 60%; }
    CropWrite > VerticalScroll {
        width: 78; max-width: 100%; height: auto; max-height: 100%; border: round $accent;
        border-title-color: $accent; background: $surface; padding: 1 2;
    }
    CropWrite Static { height: auto; }
    """
    BINDINGS = [
        Binding("w,enter", "write", "Write", id="crop-write-write"),
        Binding("m", "make", "Make", id="crop-write-make"),
        Binding("r", "make(True)", "Replace", id="crop-write-replace"),
        Binding("escape,q,n", "leave", "Close", id="crop-write-close"),
    ]

    def __init__(self, file: CropFile, choice: Choice, dataset: Path | None) -> None:
        super().__init__()
        self._file, self._choice, self._dataset = file, choice, dataset
        self._writable = self._in_file = self._can_replace = False
        self._job: CropJob | None = None

    def compose(self) -> ComposeResult:
        box = VerticalScroll()
        box.border_title = f"write into {self._file.path.name}"
        box.border_subtitle = "esc closes"
        with box:
            yield Static(markup=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
        lines = self._file.lines(self._choice)
        try:
            changes = self._file.difference(self._choice)
            self._file.check(self._choice)
        except (ConfigError, NoCrop) as error:
            self._say(f"{lines}\n\nIt cannot be written:\n{error}")
            return
        if changes:
            self._writable = True
            self._say(
                "\n".join([lines, "", *changes, "", "w writes it; comments and all else stay as they are"])
            )
        else:
            self._in_file = True
            self._say(f"{lines}\n\n{self._file.path} has it already.\n\n{self._next()}")

    def _say(self, text: str) -> None:
        self.query_one(Static).update(Content(text))  # no markup: file names may look like it

    def _next(self) -> str:
        if self._dataset is None:
            return (
                "This run goes on with what it began with: the next start of it uses the new crop.\n"
                f"A recorded dataset: hilserl-worker crop --config {self._file.path.name} --dataset FOLDER"
            )
        return f"m makes {self._dataset.name}_cropped_resized, with every picture cropped and resized"

    def action_write(self) -> None:
        if not self._writable or self._in_file:
            return
        try:
            self._file.write(self._choice)
        except ConfigError as error:
            self._say(f"It could not be written, the file is as it was:\n{error}")
            return
        self._in_file = True
        self._say(f"Written into {self._file.path}.\n\n{self._next()}")

    async def action_make(self, replace: bool = False) -> None:
        if self._dataset is None or not self._in_file or (self._job is not None and self._job.running):
            return
        if replace and not self._can_replace:
            return
        self._job = CropJob(self._file.path, self._dataset, self._choice.size, replace)
        self.run_worker(self._make(self._job), exit_on_error=False)

    async def _make(self, job: CropJob) -> None:
        async for line in job.lines():
            self._say(line)
        self._can_replace = job.exists
        hint = "\n\nr replaces it" if job.exists else ""
        self._say(job.last_words + hint)

    async def action_leave(self) -> None:
        """A dataset that is being made is given up, and nothing of it stays under its name."""
        if self._job is not None and self._job.running:
            await self._job.stop()
        self.dismiss(self._in_file)

    async def on_unmount(self) -> None:
        if self._job is not None:
            await self._job.stop()
