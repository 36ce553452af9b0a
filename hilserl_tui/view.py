"""View: everything a pane may look at when it draws, as one frozen value."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from workers.model.events import FIRST_MOTION, GIVEN_BACK, PAUSED, Driver, GateMode, Phase
from workers.model.state import ConsoleState
from workers.model.survey import Stage

if TYPE_CHECKING:
    from workers.model.advice import Advice

_LEFT_SO = ("the torque stays on", "left limp", "not parked", "parked, but", "it never moved, but")
"""How the robot worker's last words on an arm begin where its torque is not simply off."""


class Link(StrEnum):
    """What the console knows of its station."""

    CONNECTING = "connecting"  # never connected yet
    UP = "up"
    DOWN = "down"  # was up, is gone; the state is the last one seen
    REFUSED = "refused"
    ENDED = "ended"  # the run is over, by the station's word


@dataclass(frozen=True, slots=True)
class View:
    state: ConsoleState
    link: Link = Link.CONNECTING
    now_s: float = 0.0  # the robot PC's monotonic clock
    link_ms: float | None = None  # round trip to the terminal
    jog: Literal["hold", "step"] = (
        "step"  # whether a driving key moves while it is held, or by a bounded step
    )
    me: str = ""  # this console's name, as the station knows it
    recorded: bool = False  # a replay: keys move nothing
    clearing: bool = False  # ctrl+e was pressed, y would clear the stop
    screen: str = "home"
    face: tuple[str, int] = ("x", -1)  # of the box that was found: axis and end, which keys move
    advice: "tuple[Advice, ...]" = ()  # what is wrong with the run, the most important first

    @property
    def stale(self) -> bool:
        """True when what is shown may no longer be so."""
        return self.link in (Link.DOWN, Link.CONNECTING, Link.REFUSED)

    @property
    def stopped(self) -> bool:
        return self.state.control.stopped or self.state.arm.mode is GateMode.STOPPED

    @property
    def unconfirmed(self) -> bool:
        """True while a real arm waits for somebody to let it move for the first time."""
        return self.state.arm.unconfirmed and not self.stopped and not self.over

    @property
    def limp(self) -> bool:
        """True while the torque is off."""
        return self.state.arm.mode is GateMode.LIMP

    @property
    def veto_left_s(self) -> float | None:
        """Seconds for which the classifier's success may still be objected to; None while there is none."""
        says = self.state.classifier
        if says is None or says.pending is None or self.over:
            return None
        return max(0.0, says.pending.until_s - self.now_s)

    @property
    def has_arm(self) -> bool:
        """False of a Gymnasium environment, which has no workspace and no gate."""
        return self.state.run is None or self.state.run.has_arm

    @property
    def stage(self) -> Stage | None:
        """How far the search for the workspace is; None of a run that does not look for it."""
        if self.state.run is None or not self.state.run.finds_limits:
            return None
        return self.state.survey.stage if self.state.survey else Stage.WAITING

    @property
    def dataset(self) -> bool:
        """True of the pictures of a dataset: there is no run."""
        return self.state.run is not None and self.state.run.dataset

    @property
    def human(self) -> bool:
        """A person has the arm: drives it, or will with the next episode, or is waited for to begin."""
        return (self.state.control.taken and not self.stopped) or self.keys_move

    @property
    def keys_move(self) -> bool:
        """The person who has the arm moves it by what is pressed now; between episodes nobody does."""
        control = self.state.control
        waited_for = control.driver is Driver.NOBODY and control.reason == FIRST_MOTION
        return (control.driver is Driver.HUMAN or waited_for) and not self.stopped

    @property
    def episode_runs(self) -> bool:
        """Whether there is an episode that a key could end: between two of them nobody drives."""
        control = self.state.control
        driven = control.driver is not Driver.NOBODY or control.reason == GIVEN_BACK
        return self.state.running.episode >= 0 and (driven or self.veto_left_s is not None)

    @property
    def paused(self) -> bool:
        """A person paused the run, which the same key lifts."""
        control = self.state.control
        return control.paused and (PAUSED in control.pause_reason or not control.pause_reason)

    @property
    def kept_waiting(self) -> str:
        """For what else than a person's pause the arm holds, "" while for nothing."""
        reason = self.state.control.pause_reason if self.state.control.paused else ""
        return reason.replace(PAUSED, "").strip(", ").replace(", , ", ", ")

    @property
    def idle(self) -> bool:
        return self.state.progress.phase is Phase.IDLE

    @property
    def holds(self) -> bool:
        """True when this console holds the controls; a recording has none to hold."""
        return self.recorded or self.state.control.holder == self.me

    @property
    def watching(self) -> bool:
        """True when another console holds the controls."""
        return not self.holds and self.state.control.holder != ""

    @property
    def over(self) -> str:
        """Why the run is over, "" while it goes on."""
        return self.state.progress.ended

    @property
    def left_behind(self) -> str:
        """What a run that was stopped here did with a real arm, in the words of its last line; "" if it said none."""
        lines = [line.text for line in self.state.log if line.worker == "robot"]
        last = [text for text in lines if "; torque off" in text or text.startswith(_LEFT_SO)]
        return f"the run is stopped; the arm: {last[-1]}" if last else ""
