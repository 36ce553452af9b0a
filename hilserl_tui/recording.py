"""A recorded run: `events.jsonl` read back, and a client that plays it to the real console.

One JSON object a line: `{"t": seconds, "event": {...}}`, times on the recorder's monotonic clock. Lines that
cannot be read, torn by a kill or written by another version, are left out, and the log says so.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from hilserl_tui.view import Link
from workers.model.commands import Command, Drive
from workers.model.events import AnyEvent, Level, LogLine
from workers.model.places import EVENTS_NAME
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

LONGEST_GAP_S = 2.0  # a run that was resumed has hours between two lines


class Recorded(msgspec.Struct, frozen=True):
    t: float
    event: AnyEvent


class RecordingError(Exception):
    """The file is not a recording; the text is for the operator."""


def events_file(run: Path) -> Path:
    """The recording in a run directory, or the file itself. Raises RecordingError when there is none."""
    path = run / EVENTS_NAME if run.is_dir() else run
    if not path.is_file():
        raise RecordingError(
            f"no recording at {path}\n"
            f"why: a run keeps its events in {EVENTS_NAME} in its own directory, and this is not there\n"
            "what to do: name a run directory (they are under the `run.directory` of the configuration)"
        )
    return path


def read_events(path: Path) -> list[Recorded]:
    """All events of a recording, in order. Raises RecordingError when it has none."""
    decoder = msgspec.json.Decoder(Recorded)
    found: list[Recorded] = []
    bad: list[str] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(decoder.decode(line))
        except msgspec.MsgspecError as error:
            bad.append(f"line {number} ({error})")
    if not found:
        why = f"why: the first of them is {bad[0]}\n" if bad else ""
        raise RecordingError(
            f"{path} holds no event that can be read\n{why}"
            "what to do: replay a run that got as far as starting, with the version that recorded it"
        )
    if bad:
        note = f"{len(bad)} lines of the recording cannot be read and are left out, first {bad[0]}"
        found.insert(0, Recorded(found[0].t, LogLine("replay", Level.WARNING, note)))
    return found


class RecordedClient:
    """Plays events in their own time; commands go nowhere, and the console says so."""

    recorded = True
    connected = False
    name = "replay"
    trouble = refused_words = ""

    def __init__(self, events: Iterable[Recorded], speed: float = 1.0) -> None:
        self.state = ConsoleState()
        self.link = Link.CONNECTING
        self._events = list(events)
        self._speed = speed
        self._now_s = self._events[0].t
        self._task: asyncio.Task[None] | None = None

    def start(self, changed: Callable[[], None]) -> None:
        self.link = Link.UP
        self._task = asyncio.create_task(self._play(changed), name="recording")

    def send(self, command: Command) -> bool:
        return False

    def stop(self) -> bool:
        return False

    def drive(self, held: Drive) -> bool:
        return False

    def now_s(self) -> float:
        return self._now_s

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _play(self, changed: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for recorded in self._events:
            due += min(LONGEST_GAP_S, max(0.0, recorded.t - self._now_s)) / self._speed
            if (wait := due - loop.time()) > 0:
                changed()
                await asyncio.sleep(wait)
            self._now_s = recorded.t
            self.state = reduce(self.state, recorded.event)
        self.link = Link.ENDED
        changed()
