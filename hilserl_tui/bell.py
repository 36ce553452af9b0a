"""Bell: when the terminal's bell rings, for who has told it to."""

from collections.abc import Collection

from workers.model.events import EndedBy
from workers.model.state import ConsoleState, Episode

SUCCESS, FAILURE, STOP = "success", "failure", "stop"
_ENDS = {EndedBy.SUCCESS: SUCCESS, EndedBy.FAILURE: FAILURE, EndedBy.TIME_LIMIT: FAILURE}


class Bell:
    """Rings once for each end of an episode, and once for a stop, of those kinds that are wanted."""

    def __init__(self, wanted: Collection[str] = ()) -> None:
        self._wanted = frozenset(wanted)
        self._begun = False
        self._last: Episode | None = None
        self._stopped = False

    def rings(self, state: ConsoleState) -> bool:
        """Called with every new state; what a console finds when it attaches is no news."""
        last = state.episodes[-1] if state.episodes else None
        ended = last is not None and last != self._last
        stopped = state.control.stopped and not self._stopped
        news = self._begun
        self._last, self._stopped, self._begun = (
            last,
            state.control.stopped,
            self._begun or state.run is not None,
        )
        if not news:
            return False
        kind = _ENDS.get(last.ended_by, "") if last is not None and ended else ""
        return kind in self._wanted or (stopped and STOP in self._wanted)


NO_BELL = Bell()
