"""Leaving the console: what becomes of run and arm, told before, meanwhile and by the terminal afterwards."""

from pathlib import Path

from hilserl_tui.actions import KeyActions
from workers.model.commands import Intervene, ShutDown, TakeControl

SHUT_DOWN_WITHIN_S = 60.0
"""For a station to end: parking takes 20 s at most, and whoever has the last words saves meanwhile."""


class Leaving(KeyActions):
    """A run that ends here is watched until its station has gone: the arm is on its way until then."""

    evaluates_next: tuple[Path, Path] | None = None  # configuration, and the run directory that is left
    parting = ""  # what the command line prints after the screen is gone
    _leaving = False
    _last_words = ""

    def _part(self, code: int, words: str) -> None:
        """Leave with a message for the terminal that is restored behind us."""
        self.parting = words
        self.exit(return_code=code)

    def _part_after_the_station(self) -> None:
        self._part(0, "\n".join(filter(None, (self._last_words, self.view().left_behind))))

    def _leave_at_once(self) -> None:
        """Asked for again, while the station is still stopping."""
        self._part(1, "the station is still stopping; `hilserl-tui status` shows whether it has")

    def _leave_ended(self) -> None:
        """The result was read: a station whose run is over has nothing to stay for."""
        view = self.view()
        self._last_words = f"the run is over: {view.over}"
        if view.watching or not self.client.connected:
            self._part(0, self._last_words)
            return
        self.client.send(TakeControl(self.client.name))
        self._end_the_station()

    def leave_to_evaluate(self, config: Path, run_dir: Path) -> None:
        """End this station, which does nothing (any more), and go on with the evaluation that was cut off."""
        if not config.is_file():
            self.hint(f"{config} is not there: the console was not started in the folder of its station")
        elif not self.view().watching or self._holding():
            self.client.send(TakeControl(self.client.name))
            self.client.send(ShutDown())
            self.evaluates_next = config, run_dir
            self.exit()

    def _stays_stiff(self) -> bool:
        """An arm that a person stopped does not park at the end of a run; what it found by itself may be over."""
        view = self.view()
        return view.stopped and view.has_arm and bool(view.state.control.stopped_by)

    def _drives(self) -> bool:
        view = self.view()
        return view.human and view.holds

    def _quit_answered(self, answer: str | None) -> None:
        if answer == "detach":
            if self._drives():
                self.client.send(Intervene(on=False))
            self.exit()
        elif answer == "stop" and self._holding():
            self._end_the_station()

    def _end_the_station(self) -> None:
        stiff = self._stays_stiff()
        self._leaving = self.client.send(ShutDown())
        if not self._leaving:
            self._part(1, "no link: the run could not be stopped; `hilserl-tui down` tries again")
            return
        arm = "the arm stays as it is, torque ON" if stiff else "parking the arm"
        self.notify(f"stopping the run: {arm}, saving", timeout=SHUT_DOWN_WITHIN_S)
        self.set_timer(SHUT_DOWN_WITHIN_S, self._leave_at_once)
