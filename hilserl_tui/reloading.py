"""`hilserl-tui reload`: the settings of a run that is alive, changed from a command line."""

import asyncio
import random
import sys

import typer

from hilserl_tui.ask import NO_ANSWER, attached
from hilserl_tui.client import read_message
from hilserl_tui.panes.settings import settings_rows
from workers.config import EXIT_CODE
from workers.model.commands import ApplySettings, ReadSettings
from workers.model.events import LogLine
from workers.model.places import StationLock
from workers.model.settings_events import SettingsRead
from workers.model.wire import Batch, frame

WITHIN_S = 5.0
LISTENED_S = 2.0  # to what the workers say of it
WIDTH = 100
LOOK_AGAIN = "look again"  # how the station ends what it says of settings that it did not change


def reload(lock: StationLock, yes: bool) -> int:
    """Show what differs, ask unless `yes`, have it applied; an exit code."""
    try:
        return asyncio.run(_reload(lock, yes))
    except NO_ANSWER:
        sys.stderr.write(
            f"{lock.run} does not answer\nwhy: its station (pid {lock.pid}) is busy, or hangs\n"
            "what to do: look at `hilserl-tui status`, and try again\n"
        )
        return 1


async def _reload(lock: StationLock, yes: bool) -> int:
    _, reader, writer = await attached(lock)
    number = random.getrandbits(48) + 1
    writer.write(frame(ReadSettings(number)))
    read = await asyncio.wait_for(_answer(reader, number), WITHIN_S)
    if not (read.changes or read.problems):
        typer.echo(f"{lock.config_path} has not changed: nothing to apply")
        return 0
    for row in settings_rows(read, WIDTH):
        typer.echo("".join(text for text, _ in row), err=bool(read.problems))
    if read.problems:
        return EXIT_CODE
    if not read.digest:
        return 0
    if not yes and not typer.confirm("change them now?"):
        return 0
    writer.write(frame(ApplySettings(read.digest)))
    await writer.drain()
    said = await _said(reader)
    for text in said:
        typer.echo(text)
    writer.close()
    return 0 if said and not any(text.endswith(LOOK_AGAIN) for text in said) else 1


async def _answer(reader: asyncio.StreamReader, number: int) -> SettingsRead:
    while True:
        message = await read_message(reader)
        for event in message.events if isinstance(message, Batch) else ():
            if isinstance(event, SettingsRead) and event.number == number:
                return event


async def _said(reader: asyncio.StreamReader) -> list[str]:
    """What the log says of settings in the next moments."""
    said: list[str] = []
    try:
        async with asyncio.timeout(LISTENED_S):
            while True:
                message = await read_message(reader)
                for event in message.events if isinstance(message, Batch) else ():
                    if isinstance(event, LogLine) and (
                        " now, it was " in event.text or "setting" in event.text
                    ):
                        said.append(f"{event.worker}: {event.text}")
    except (TimeoutError, EOFError):
        return said
