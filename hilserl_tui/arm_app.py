"""hilserl-tui arm: from a bare arm to one that a run can drive, step by step, before there is any run."""

import asyncio
import re
from textwrap import wrap
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input, Static

from hilserl_tui.arm_tools import TOOLS, Running, Target, Tool
from hilserl_tui.theme import DARK, STYLES, THEME

STEPS_WIDE = 34
WIDE = 100  # columns from which the steps stand beside the tool
_FOUND = re.compile(r'^port = "(.+)"$')
_SHAPES = {"todo": ("○", "dim"), "runs": ("▶", "amber"), "done": ("●", "green"), "wrong": ("✗", "red")}


class ArmConsole(App[None]):
    """One tool runs at a time; what it says is on the screen, what is typed goes to it."""

    TITLE = "hilserl-tui arm"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None  # keys are the screen's, but while a name is typed
    CSS = """
    Screen { background: $background; }
    #head { height: 2; padding: 0 1; }
    #steps { width: 34; height: 100%; border: round $edge; padding: 0 1; }
    #said { width: 1fr; height: 100%; border: round $edge; padding: 0 1; }
    #keys { height: 1; padding: 0 1; }
    Input { display: none; height: 3; }
    .-narrow #steps { width: 17; }
    """
    BINDINGS: ClassVar = [
        *(Binding(tool.key, f"run('{tool.key}')", tool.name) for tool in TOOLS),
        Binding("enter", "type('')", "Enter"),
        Binding("f", "type('f')", "force"),
        Binding("l", "leader", "leader"),
        Binding("n", "name", "name"),
        Binding("escape", "break_off", "break off"),
        Binding("q,ctrl+q,ctrl+c", "leave", "quit", priority=True),
    ]

    def __init__(self, target: Target, leader: Target | None = None) -> None:
        super().__init__()
        self.target = target
        self.other = leader or Target(leader=True, kind=target.kind)
        self.state = {tool.key: "todo" for tool in TOOLS}
        self.running: Running | None = None
        self.tool: Tool | None = None
        self.hint = ""
        self._work: asyncio.Task[None] | None = None

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {"edge": DARK.edge}

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        with Horizontal():
            yield Static(id="steps")
            with VerticalScroll(id="said"):
                yield Static(id="text")
        yield Input(placeholder="name of this arm, then Enter", id="name")
        yield Static(id="keys")

    def on_mount(self) -> None:
        self.register_theme(THEME)
        self.theme = THEME.name
        self.query_one("#said").can_focus = False
        self._draw()

    def on_resize(self) -> None:
        self.screen.set_class(self.size.width < WIDE, "-narrow")
        self._draw()

    # --- what a key does --------------------------------------------------------------------------------

    def action_run(self, key: str) -> None:
        if self._busy():
            self._tell(f"{self.tool.name if self.tool else 'a step'} runs: esc breaks it off")
            return
        tool = next(tool for tool in TOOLS if tool.key == key)
        command = tool.command(self.target, self.other)
        if isinstance(command, str):
            self._tell(command)
            return
        self.tool, self.hint = tool, ""
        self.running = Running(self._draw)
        self.state[key] = "runs"
        self._work = asyncio.create_task(self._run(tool, self.running, command))
        self._work.add_done_callback(lambda _: self._draw())  # only then no step is busy: the keys are others
        self._draw()

    async def _run(self, tool: Tool, running: Running, command: list[str]) -> None:
        code = await running.run(command)
        self.state[tool.key], self.hint = "done" if code == 0 else "wrong", ""
        for line in running.lines:
            if tool.key == "1" and (found := _FOUND.match(line.strip())):
                self.target = self.target.of_port(found[1])

    def action_type(self, text: str) -> None:
        if self._busy() and self.running is not None:
            self.running.type(text)

    def action_leader(self) -> None:
        """Follower or leader: each has its own port, name and steps."""
        if self._busy():
            return
        self.target, self.other = self.other, self.target
        self.state = {tool.key: "todo" for tool in TOOLS}
        self.running = self.tool = None
        self._tell("")

    def action_name(self) -> None:
        field = self.query_one(Input)
        field.display = True
        field.value = self.target.arm_id
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        self.query_one(Input).display = False
        self.set_focus(None)
        if name and not re.fullmatch(r"[\w.-]+", name):
            self._tell("a name has letters, digits, '.', '-' and '_': a file is called by it")
            return
        self.target = Target(
            self.target.port, name, self.target.leader, self.target.kind, self.target.calibration_dir
        )
        self._tell("")

    async def action_break_off(self) -> None:
        field = self.query_one(Input)
        if field.display:
            field.display = False
            self.set_focus(None)
        elif self._busy() and self.running is not None:
            await self.running.end()

    async def action_leave(self) -> None:
        """Nothing is left running: tools leave the arm as they found it, or as they said."""
        if self.running is not None:
            await self.running.end()
        if self._work is not None:
            await self._work
        self.exit()

    # --- drawing ----------------------------------------------------------------------------------------

    def _busy(self) -> bool:
        return self._work is not None and not self._work.done()

    def _tell(self, hint: str) -> None:
        self.hint = hint
        self._draw()

    def _draw(self) -> None:
        if not (
            self.is_running and self.query("#keys")
        ):  # a tool may speak before the screen is there, and after
            return
        self.query_one("#head", Static).update(self._head())
        self.query_one("#steps", Static).update(self._steps())
        self.query_one("#text", Static).update(self._said())
        self.query_one("#keys", Static).update(self._keys())
        self.query_one("#said", VerticalScroll).scroll_end(animate=False)

    def _head(self) -> Text:
        arm = self.target
        words = Text(no_wrap=True, overflow="ellipsis")
        words.append(
            " LEADER " if arm.leader else " FOLLOWER ", STYLES["violet_block" if arm.leader else "blue_block"]
        )
        words.append(
            f"  port {arm.port or 'not known yet'}   name {arm.arm_id or 'none yet'}\n", STYLES["text"]
        )
        words.append(self.hint, STYLES["amber"])
        return words

    def _steps(self) -> Text:
        words = Text()
        wide = self.size.width >= WIDE
        for tool in TOOLS:
            shape, style = _SHAPES[self.state[tool.key]]
            words.append(f"{shape} ", STYLES[style])
            words.append(f" {tool.key} " if wide else tool.key, STYLES["key"])
            words.append(f" {tool.name}\n", STYLES["bold"])
            lines = wrap(tool.what, STEPS_WIDE - 10) if wide else [""]
            words.append("".join(f"      {line}\n" for line in lines) + "\n" * wide, STYLES["dim"])
        return words

    def _said(self) -> Text:
        running = self.running
        if running is None:
            intro = (
                "A new arm goes through the steps in turn; one that LeRobot has calibrated needs 1 and 2 only.\n\n"
                "Nothing here moves the arm by itself. Calibration takes the torque off: hold the arm then.\n\n"
                "No arm at hand? hilserl-worker emulate-arm makes a port that behaves like one."
            )
            return Text(intro, STYLES["dim"])
        words = Text("\n".join(running.lines), STYLES["text"])
        if running.frame:
            words.append("\n" + "\n".join(running.frame), STYLES["bold"])
        if running.code is not None:
            good = running.code == 0
            words.append(
                "\n\ndone" if good else "\n\nnot done: see above", STYLES["green" if good else "red"]
            )
        return words

    def _keys(self) -> Text:
        words = Text(no_wrap=True, overflow="ellipsis")
        busy = (("enter", "go on"), ("esc", "break off"), ("q", "quit"))
        idle = (
            ("1-6", "run a step"),
            ("n", "name"),
            ("l", "follower" if self.target.leader else "leader"),
            ("q", "quit"),
        )
        for key, does in busy if self._busy() else idle:
            words.append(f" {key} ", STYLES["key"])
            words.append(f" {does}  ", STYLES["text"])
        return words


def run(target: Target, leader: Target | None) -> None:
    """Open the screen, until it is left."""
    ArmConsole(target, leader).run()
