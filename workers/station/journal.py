"""The run's journal: every event as a line of JSON, for `hilserl-tui replay-run` and for audits."""

import logging
import time
from pathlib import Path

import msgspec

from workers.model.events import ActorsSeen, ArmMoved, Event, FramePreview, LinkChanged
from workers.model.places import EVENTS_NAME
from workers.runtime.lines import line_end

SPARSE_PERIOD_S = {FramePreview: 2.0, ArmMoved: 0.2}  # pictures and positions are many; a replay needs few
log = logging.getLogger(__name__)


class Journal:
    """Appends `{"t": monotonic seconds, "event": {...}}`; a full disk stops the journal, never the run."""

    def __init__(self, run_dir: Path) -> None:
        run_dir.mkdir(parents=True, exist_ok=True)
        path = run_dir / EVENTS_NAME
        self._end_torn = line_end(path)
        self._file = path.open("ab", buffering=0)
        self._written_s: dict[tuple[type[Event], str], float] = {}
        self._news: dict[type[Event], object] = {}
        self._failed = False

    def write(self, event: Event) -> None:
        if self._file.closed:
            return  # a console that leaves, or the last word of a worker, after the end
        now = time.monotonic()
        news = _news(event)
        if news is not None:
            if self._news.get(type(event)) == news:
                return
            self._news[type(event)] = news
        period_s = SPARSE_PERIOD_S.get(type(event))
        if period_s is not None:
            key = (type(event), getattr(event, "camera", ""))
            if now - self._written_s.get(key, -period_s) < period_s:
                return
            self._written_s[key] = now
        line = self._end_torn + msgspec.json.encode({"t": round(now, 4), "event": event}) + b"\n"
        try:
            written = self._file.write(line)
            self._failed = False
            # A disk that fills up takes a part of the line.
            self._end_torn = b"" if written == len(line) else b"\n"
        except OSError as error:
            if not self._failed:
                log.error(
                    "%s cannot be written: %s; what happens meanwhile is missing in replay-run",
                    self._file.name,
                    error,
                )
            self._failed = True

    def close(self) -> None:
        self._file.close()


def _news(event: Event) -> object:
    """What is new in an event that comes every second with other figures; None of every other event."""
    match event:
        case LinkChanged(state, learner, reason):
            return state, learner, reason
        case ActorsSeen(actors):
            return tuple((actor.actor_id, actor.host, actor.connected) for actor in actors)
    return None
