"""Who sits at the controls: the person at the console, the scripted one, or nobody but the policy.

Pure: commands in, decisions out. The actor's episode loop asks before every step.
"""

from dataclasses import dataclass, field

from workers.model.commands import Command, Intervene, Jog, Mark, Pause, Proceed, UseScript, Verdict
from workers.model.events import Driver

PAUSED = "paused by the operator"


@dataclass
class Chair:
    """State of the controls.

    Attributes:
        scripted: the scripted person is on duty (simulation); any driving key of a real one sends it away.
        person_drives: a person took over with the intervene key.
        holds: why episodes wait, nothing while they may run; the operator's pause is one reason among others.
        verdict: what the person said of the running episode, until the loop takes it.
        proceed: the person said that the scene is ready, until the loop takes it.
    """

    scripted: bool
    jog_step: float  # share of one action unit a key press moves
    person_drives: bool = False
    holds: set[str] = field(default_factory=set)
    verdict: Verdict | None = None
    proceed: bool = False
    _jogs: list[Jog] = field(default_factory=list)

    def take(self, command: Command) -> None:
        """Note an operator's command."""
        match command:
            case Intervene(on):
                self.person_drives = on
                self._jogs.clear()
                if on:
                    self.scripted = False
            case Jog() if self.person_drives:
                self._jogs.append(command)
            case Mark(verdict):
                self.verdict = verdict
            case Proceed():
                self.proceed = True
            case Pause(on):
                self.hold(PAUSED, on)
            case UseScript(on):
                self.scripted = on
                if on:
                    self.person_drives = False

    def hold(self, reason: str, on: bool) -> None:
        """Add or lift one reason to hold."""
        if on:
            self.holds.add(reason)
        else:
            self.holds.discard(reason)

    def take_jogs(self) -> list[Jog]:
        """Key presses since the last call."""
        jogs, self._jogs = self._jogs, []
        return jogs

    @property
    def moves(self) -> bool:
        """Whether the person pressed a key that moves the arm, and nobody took it yet."""
        return bool(self._jogs)

    def take_proceed(self) -> bool:
        proceed, self.proceed = self.proceed, False
        return proceed

    def take_verdict(self) -> Verdict | None:
        verdict, self.verdict = self.verdict, None
        return verdict

    def driver(self, script_wants: bool) -> Driver:
        """Who drives the coming step; `script_wants` is the scripted person's wish."""
        if self.person_drives:
            return Driver.HUMAN
        if self.scripted and script_wants:
            return Driver.SCRIPTED
        return Driver.POLICY
