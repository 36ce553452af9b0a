"""Join: a field for the line from a learner's screen, which stays out of the shell's history."""

import asyncio
from pathlib import Path

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from hilserl_tui import joining

ASK = "Paste the line that the learner prints (hilserl-tui join HOST:PORT --pin … --token …), then enter."


class Join(ModalScreen[None]):
    """Joins, says what came of it, and offers to write the learner into the run's configuration."""

    DEFAULT_CSS = """
    Join { align: center middle; background: $background 60%; }
    Join > Vertical {
        width: 76; max-width: 100%; height: auto; border: round $accent; border-title-color: $accent;
        background: $surface; padding: 1 2;
    }
    Join Static { height: auto; }
    Join Input { border: none; background: $panel; margin: 1 0; }
    """
    BINDINGS = [
        Binding("escape", "dismiss", "Close", id="join-close"),
        Binding("w", "write", "Write", id="join-write"),
    ]

    def __init__(self, config: Path | None) -> None:
        super().__init__()
        self._config = config
        self._joined: joining.JoinLine | None = None
        self._written = False

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "join a learner"
        box.border_subtitle = "esc closes"
        with box:
            yield Static(ASK, markup=False)
            yield Input(placeholder="HOST:PORT --pin PIN --token TOKEN")

    def _say(self, text: str) -> None:
        self.query_one(Static).update(Content(text))  # no markup: it may be another machine's words

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """The worker waits for the network in a thread; the console goes on."""
        field = event.input
        try:
            line = joining.parse(event.value)
            field.disabled = True
            self._say(f"joining {line.address} …")
            said = await asyncio.to_thread(joining.join, line)
        except joining.NoJoin as refused:
            field.disabled = False
            self._say(f"{refused}\n\n{ASK}")
            field.focus()
            return
        self._joined = line
        await field.remove()
        self._say(f"{said}\n\n{self._next(line)}")

    def _next(self, line: joining.JoinLine) -> str:
        text = (
            f"The next run learns there with these lines in its configuration:\n\n{joining.toml_lines(line)}"
        )
        return f"{text}\n\nw writes them into {self._config}" if self._config else text

    def action_write(self) -> None:
        if self._joined is None or self._config is None or self._written:
            return
        try:
            joining.write_into(self._config, self._joined)
        except joining.NoJoin as refused:
            self._say(str(refused))
            return
        self._written = True
        self._say(
            f"{self._config} names {self._joined.address} now.\n\nThis run goes on as it began: the next learns there."
        )
