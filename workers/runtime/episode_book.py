"""The run's list of finished episodes: one line each, so that a restarted worker knows what was done."""

from pathlib import Path

import msgspec

from workers.model.events import EndedBy, EpisodeEnded, EpisodeKind
from workers.runtime.lines import line_end

BOOK_NAME = "episodes.jsonl"


class EpisodeBook:
    """Append-only; a line torn by a crash is passed over."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / BOOK_NAME

    def append(self, episode: EpisodeEnded) -> None:
        """Raises OSError when the disk is full."""
        line = line_end(self._path) + msgspec.json.encode(episode) + b"\n"
        with self._path.open("ab") as file:
            file.write(line)

    def read(self) -> list[EpisodeEnded]:
        """Every finished episode, oldest first."""
        episodes = []
        if self._path.exists():
            for line in self._path.read_bytes().splitlines():
                try:
                    episodes.append(msgspec.json.decode(line, type=EpisodeEnded))
                except msgspec.MsgspecError:
                    continue  # the line a crash tore; its steps are in the log all the same
        return episodes

    def next_episode(self) -> int:
        """Number of the next episode."""
        return max((ep.episode for ep in self.read()), default=-1) + 1

    def demonstrations(self, failures_too: bool = False) -> int:
        """Demonstrations that were kept: those that succeeded, or all that were not dropped."""
        kept = {EndedBy.SUCCESS, *((EndedBy.FAILURE, EndedBy.TIME_LIMIT) if failures_too else ())}
        return sum(ep.kind is EpisodeKind.DEMONSTRATION and ep.ended_by in kept for ep in self.read())
