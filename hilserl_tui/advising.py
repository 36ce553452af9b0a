"""Advising: once a second, what a run lacks, calmly; and when runs like it first succeeded."""

import asyncio
from pathlib import Path

from hilserl_tui.similar import OURS, typical
from workers.model.advice import Advice, Adviser
from workers.model.figures import figures_of
from workers.model.state import ConsoleState


class Advising:
    """`now` is what is to be shown, the most important first."""

    def __init__(self) -> None:
        self.now: tuple[Advice, ...] = ()
        self._adviser = Adviser()
        self._typical = OURS
        self._looked_for = ("", "")
        self._looking: asyncio.Task[None] | None = None

    def look(self, state: ConsoleState, now_s: float) -> None:
        """In the event loop; files of other runs are read in a thread, once."""
        run = state.run
        if run is not None and self._looked_for != (run.run_dir, run.task):
            self._looked_for = (run.run_dir, run.task)
            self._looking = asyncio.create_task(self._look_around(Path(run.run_dir), run.task))
        now = self._adviser.look(figures_of(state, now_s), self._typical, now_s)
        if now != self.now:
            self.now = now

    async def _look_around(self, run_dir: Path, task: str) -> None:
        self._typical = await asyncio.to_thread(typical, run_dir, task)
