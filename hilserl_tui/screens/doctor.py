"""Doctor: what this machine has of what a run needs, looked at in the background."""

import sys
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from hilserl_tui.diagnosis import Diagnosis
from hilserl_tui.panes.findings import Findings
from hilserl_tui.screens.base import ConsoleScreen
from hilserl_tui.terminal import answers, colours, encoding, pixel_mouse, size, synchronised
from hilserl_tui.view import View
from workers.model.check import Check


class Doctor(ConsoleScreen):
    """`look` begins anew; the console calls it whenever its key is pressed."""

    name_in_view = "doctor"
    DEFAULT_CSS = """
    Doctor VerticalScroll { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.diagnosis = Diagnosis(self._tell)
        self._view: View | None = None

    def body(self) -> ComposeResult:
        with VerticalScroll():
            yield Findings()

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    async def on_unmount(self) -> None:
        await self.diagnosis.close()

    def look(self, view: View) -> None:
        """Everything again; of a run, by its configuration."""
        run = view.state.run
        path = Path(run.config_path) if run is not None and run.config_path else None
        config = path if path is not None and path.is_file() else None
        folder = Path(run.run_dir).parent if run is not None and run.run_dir else Path("runs")
        self._view = view
        self.diagnosis.begin(folder, config, self._terminal(view))

    def _terminal(self, view: View) -> list[Check]:
        """What is known of the terminal while the console has it; hilserl-tui doctor asks it for more."""
        driver = self.app._driver
        return [
            size(self.app.size.width, self.app.size.height),
            colours(),
            encoding(sys.__stderr__.encoding if sys.__stderr__ else "none"),  # where the console draws
            answers(None if view.link_ms is None else view.link_ms / 1000),
            synchronised(self.app._sync_available),
            pixel_mouse(bool(getattr(driver, "_mouse_pixels", False))),
        ]

    def show(self, view: View) -> None:
        self._view = view
        super().show(view)

    def _tell(self) -> None:
        if self._view is not None and self.stands:
            for pane in self.query(Findings):
                pane.tell(self.diagnosis.findings, self.diagnosis.running, self._view)
