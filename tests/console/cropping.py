"""A console on the Crop screen, and what a person does to it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual import events

from hilserl_tui.app import Console
from hilserl_tui.panes.crop_picture import CropPicture
from hilserl_tui.roi import Rect
from tests.console.still import Still, screen_text, settle
from workers.config import load
from workers.config.ready import ready_config

LARGE = (120, 40)


def with_height(rows: int) -> str:
    """The simulator's configuration with cameras of so many rows."""
    return re.sub(r"^height = 128", f"height = {rows}", ready_config().read_text(), flags=re.MULTILINE)


def written_config(folder: Path) -> Path:
    """The simulator's configuration with cameras of 640 x 480, in a file."""
    path = folder / "lift.toml"
    path.write_text(re.sub(r"^width = 128", "width = 640", with_height(480), flags=re.MULTILINE))
    assert load(path).env.cameras["side"].width == 640
    return path


class Driven:
    """A console on the Crop screen, and what a person does to it."""

    def __init__(self, client: Still, pilot, app: Console) -> None:
        self.client, self.pilot, self.app = client, pilot, app
        self._words: list[str] = []
        notify = app.notify

        def heard(message: str, **how: Any) -> None:
            self._words.append(message)
            notify(message, **how)

        app.notify = heard

    @property
    def crop(self) -> Rect:
        return self.app._crop.choice.crop

    @property
    def text(self) -> str:
        return "\n".join(screen_text(self.app))

    async def hears(self, words: str) -> None:
        """Wait for passing words since the last key; they may be gone from a slow screen when a test looks."""
        async with asyncio.timeout(30):
            while not any(words in each for each in self._words):
                await self.pilot.pause(0.05)

    async def press(self, *keys: str) -> None:
        self._words.clear()
        await self.pilot.press(*keys)
        await settle(self.pilot)

    async def enter(self, text: str) -> None:
        """Into the field that is open, in place of what stands there; pasted, since every key draws a window anew."""
        await self.pilot.press("ctrl+u")
        self.app.post_message(events.Paste(text))
        await self.press("enter")

    async def mouse(self, kind: type[events.MouseEvent], x: float, y: float, button: int = 1) -> None:
        """An event of the terminal at a cell of the picture."""
        pane = self.app.screen.query_one(CropPicture)
        left, top = pane.offset_of_picture
        x, y = pane.content_region.x + left + x, pane.content_region.y + top + y
        self.app.post_message(kind(None, x, y, 0, 0, button, False, False, False, screen_x=x, screen_y=y))
        await self.pilot.pause()

    async def drag(self, begin: tuple[float, float], end: tuple[float, float], button: int = 1) -> None:
        await self.mouse(events.MouseDown, *begin, button)
        for at in ((begin[0], end[1]), end):
            await self.mouse(events.MouseMove, *at, button)
        await self.mouse(events.MouseUp, *end, button)


@asynccontextmanager
async def driven(client: Still, size: tuple[int, int] = LARGE) -> AsyncIterator[Driven]:
    app = Console(client, screen="crop")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        yield Driven(client, pilot, app)
