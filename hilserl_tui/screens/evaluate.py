"""Evaluate: how a policy does alone, trial by trial; and every result that the run has kept."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.geometry import Region

from hilserl_tui.evaluate_keys import EVALUATE_KEYS, GO_ON, bindings, both
from hilserl_tui.keymap import Group
from hilserl_tui.panes.draw import Row
from hilserl_tui.panes.key_bar import KeyBar
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.log import LogPane
from hilserl_tui.panes.results import Results
from hilserl_tui.panes.tally import Tally, can_go_on
from hilserl_tui.panes.trials import Trials
from hilserl_tui.screens.arrange import arrange_evaluate
from hilserl_tui.screens.placed import PlacedScreen
from hilserl_tui.view import View
from workers.config.evaluation import evaluated_run
from workers.model.evaluation import Result
from workers.model.evaluation_files import cut_off, newest

if TYPE_CHECKING:
    from hilserl_tui.app import Console

MOST = 50  # results that are read


class Evaluate(PlacedScreen):
    """`chosen` is the result that is looked at: 0 is the newest, or the one that runs; -1 one that is to begin."""

    name_in_view = "evaluate"
    keys_in_help = Group.EVALUATE
    own_keys = EVALUATE_KEYS
    BINDINGS: ClassVar = [*bindings()]

    def __init__(self) -> None:
        super().__init__()
        self.chosen = 0
        self._results: tuple[Result, ...] = ()
        self._kept: list[Result] = []
        self._cut_off: Result | None = None
        self._read_at: tuple[object, ...] | None = None
        self._first = 0

    def key_bar(self) -> KeyBar:
        return EvaluateKeyBar()

    def panes(self) -> Iterable[tuple[str, Lines]]:
        return ("tally", Tally()), ("trials", Trials()), ("results", Results()), ("log", LogPane())

    def places(self, width: int, height: int, pushed: int, also: Collection[str]) -> dict[str, Region]:
        return arrange_evaluate(width, height, pushed=pushed)

    def show(self, view: View) -> None:
        self._look(view)
        super().show(view)

    def action_look(self, by: int) -> None:
        console = cast("Console", self.app)
        self.chosen = min(max(self._first, self.chosen + by), max(self._first, len(self._results) - 1))
        if not self._results:
            console.hint("there is no result yet")
        self.show(console.view())

    def action_go_on(self) -> None:
        """Make the trials that the newest evaluation lacks that was cut off."""
        console = cast("Console", self.app)
        view = console.view()
        run = view.state.run
        if console.client.recorded:
            console.hint("a recording: what it shows cannot be continued")
        elif run is None or self._cut_off is None:
            console.hint("no evaluation of this run was cut off")
        elif view.idle and run.continues:
            console.action_start_run()
        elif not can_go_on(view):
            console.hint(f"the run is alive and has the arm: {GO_ON.caption} goes on once it is over")
        else:
            console.leave_to_evaluate(Path(run.config_path), Path(run.run_dir))

    def _look(self, view: View) -> None:
        """Hand the panes what they show; the files are read again when an evaluation begins or ends."""
        live, run = view.state.result, view.state.run
        now = (run and run.run_dir, live and live.folder, live and live.ended)
        if now != self._read_at:
            self._first = -1 if run is not None and run.mode == "evaluate" and live is None else 0
            self._read_at, self.chosen = now, self._first
            self._kept = newest(evaluated_run(Path(run.run_dir)), MOST) if run is not None else []
            running = live.folder if live is not None and not live.ended else ""
            self._cut_off = cut_off(result for result in self._kept if result.folder != running)
        name = Path(live.folder).name if live is not None else ""
        others = [result for result in self._kept if Path(result.folder).name != name]
        results = tuple(others if live is None else [live, *others])
        if results != self._results:
            self._results = results
        shown = self._results[self.chosen] if 0 <= self.chosen < len(self._results) else None
        tally, trials, kept = self.query_one(Tally), self.query_one(Trials), self.query_one(Results)
        tally.result = trials.result = shown
        tally.cut_off = self._cut_off
        bar = self.query_one(EvaluateKeyBar)
        bar.goes_on = self._cut_off is not None and can_go_on(view)
        tally.live = shown is not None and shown is live and not shown.ended and not view.over
        kept.results, kept.chosen = self._results, self.chosen


class EvaluateKeyBar(KeyBar):
    """The keys of the run, those that look at older results, and the one that goes on with one of them.

    `goes_on` is set by the screen.
    """

    goes_on = False

    def watched(self, view: View) -> tuple[object, ...]:
        return (*super().watched(view), self.goes_on)

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        own = [both()]
        if self.goes_on and GO_ON.caption:
            own.insert(0, (GO_ON.caption, GO_ON.label))
        room = width - sum(len(caption) + len(label) + 4 for caption, label in own)
        (keys,) = super().rows(view, room, height)
        return [
            (
                *keys,
                *(
                    cell
                    for caption, label in own
                    for cell in ((f" {caption} ", "key"), (f" {label} ", "dim"))
                ),
            )
        ]
