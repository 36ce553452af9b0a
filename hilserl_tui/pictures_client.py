"""A dataset as the console sees it: `hilserl-worker look` in place of a station, on its own pipes.

It speaks the station's frames (`workers.model.wire`), answers what is asked of a dataset, and ends with the console.
"""

import asyncio
import contextlib
import sys
from collections.abc import Sequence

from msgspec.structs import replace

from hilserl_tui.client import Following, read_message
from hilserl_tui.view import Link
from workers.model.commands import Command, DeleteEpisode, Look, Relabel, ShowFrame, UndoEdit
from workers.model.reduce import reduce
from workers.model.state import Control
from workers.model.wire import MAX_FRAME_BYTES, Batch, Refused, Welcome, WireError, frame

ANSWERED = (Look, ShowFrame, Relabel, DeleteEpisode, UndoEdit)


class PicturesClient(Following):
    """Starts `hilserl-worker look` with `options`; what it refuses is told in `trouble`."""

    refused_words = ""

    def __init__(self, options: Sequence[str]) -> None:
        super().__init__()
        self._command = [sys.executable, "-m", "workers.cli", "look", *options]
        self._process: asyncio.subprocess.Process | None = None

    def send(self, command: Command) -> bool:
        stdin = self._process.stdin if self._process is not None else None
        if (
            not isinstance(command, ANSWERED)
            or stdin is None
            or stdin.is_closing()
            or self.link is not Link.UP
        ):
            return False
        stdin.write(frame(command))
        return True

    def stop(self) -> bool:
        """There is no arm."""
        return True

    async def close(self) -> None:
        await super().close()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()

    async def _follow(self) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=MAX_FRAME_BYTES,
                start_new_session=True,
            )
            assert self._process.stdout is not None
            while self.link is not Link.REFUSED:
                self._take(await read_message(self._process.stdout))
                self._changed()
        except (OSError, EOFError, WireError) as error:
            words = str(error) if isinstance(error, (OSError, WireError)) else "its process ended"
            self.link, self.trouble = Link.REFUSED, f"the dataset's pictures are gone: {words}"
            self._changed()

    def _take(self, message: object) -> None:
        match message:
            case Refused(reason, fix):
                self.link, self.trouble = Link.REFUSED, f"{reason}\n{fix}".strip()
            case Welcome():
                # There is nothing to drive: who looks has the controls.
                self.state = replace(message.snapshot, control=Control(holder=self.name))
                self.link = Link.UP
            case Batch(events):
                for event in events:
                    self.state = reduce(self.state, event)
