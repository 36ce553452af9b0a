"""Who sits at the controls: the person at the console or at a device, the scripted one, or nobody but the policy.

Pure: commands and a device's words in, decisions out. The actor's episode loop asks before every step.
"""

from dataclasses import dataclass, field

import numpy as np

from workers.model.commands import (
    Command,
    Drive,
    Intervene,
    Jog,
    Mark,
    Pause,
    Proceed,
    UseScript,
    Verdict,
    Veto,
)
from workers.model.events import PAUSED, Driver
from workers.robot.figures import Floats
from workers.teleop.device import COUNTS, NO_JOINTS, NOT_READ, DeviceWord
from workers.teleop.held_keys import NOTHING, HeldKeys

LEADER_MOVED = 1.0  # degrees, percent: less is the trembling of a hand


@dataclass
class Chair:
    """State of the controls.

    Attributes:
        scripted: the scripted person is on duty (simulation); any driving key of a real one sends it away.
        device: what the run's device is called, "" where the terminal's keys are the only one.
        asks_once: the device takes the arm by a moment's asking (a leader arm moved), and the key gives it back;
            else it has the arm for as long as it holds it.
        person_drives: a person took over with the intervene key.
        held: the person holds the arm with the device: a trigger pulled, a leader arm in the hand.
        gave_back: the intervene key gave the arm back, and nobody took it since.
        holds: why episodes wait, nothing while they may run; the operator's pause is one reason among others.
        verdict: what the person said of the running episode, until the loop takes it.
        vetoed: the person said that the classifier is wrong, until the loop takes it.
        proceed: the person said that the scene is ready, until the loop takes it.
        word: what the device said last.
        held_keys: which keys of the console's terminal are held.
    """

    scripted: bool
    jog_step: float  # share of one action unit a key press moves
    device: str = ""
    asks_once: bool = False
    person_drives: bool = False
    held: bool = False
    gave_back: bool = False
    holds: set[str] = field(default_factory=set)
    verdict: Verdict | None = None
    vetoed: bool = False
    proceed: bool = False
    word: DeviceWord = NOT_READ
    held_keys: HeldKeys = field(default_factory=HeldKeys)
    _gone: str = ""  # the device's own reason to hold
    _released: bool = True  # the device let go since the arm was given back
    _without: bool = False  # the person took the arm by key since the device was lost
    _presses: tuple[int, ...] | None = None
    _rest_deg: Floats = field(default_factory=NO_JOINTS.copy)  # a leader arm's pose before somebody took it
    _jogs: list[Jog] = field(default_factory=list)

    def take(self, command: Command) -> None:
        """Note an operator's command."""
        match command:
            case Intervene(on):
                self._seat(on)
                if on:
                    self.scripted = False
                    self._without = self.word.lost and not self.asks_once
            case Jog() if self.has_person:
                self._jogs.append(command)
            case Drive() if self.has_person:
                self.held_keys.take(command)
            case Mark(verdict):
                self.verdict = verdict
            case Veto():
                self.vetoed = True
            case Proceed():
                self.proceed = True
            case Pause(on):
                self.hold(PAUSED, on)
            case UseScript(on):
                self.scripted = on
                if on:
                    self._seat(False)

    def _seat(self, on: bool) -> None:
        """The intervene key gives the arm back from a device too, until that lets go and takes it again."""
        self.person_drives, self.gave_back = on, not on
        if not on:
            self._released, self.held = self._released and not self.held, False
        self._jogs.clear()
        self.held_keys.forget()

    def feel(self, word: DeviceWord) -> None:
        """Note what the device says now.

        A device that is late moves nothing, and the arm stays with whoever held it. One that is lost is a reason
        to hold: the policy never takes the arm because a plug came out. Who takes the arm by key then drives by keys,
        and decides by key who goes on. A leader arm that is lost while nobody has it in the hand is no reason: it
        only moved along, and the policy goes on.
        """
        self.word = word
        self._hear(word.presses)
        if word.live:
            self._without = False
            self._say_gone("")
            self._released |= not word.intervene
            self._grip(word.intervene and self._released)
        elif word.lost:
            self.held = False
            unneeded = self.scripted or self._without or (self.asks_once and not self.has_person)
            or_keys = "" if self.asks_once else "; space takes it by keys"
            self._say_gone("" if unneeded else f"{self.device} gone: {word.reason}{or_keys}")
        if not self.has_person:
            self._rest_deg = word.joints_deg

    def _grip(self, holds: bool) -> None:
        if holds:
            self.scripted = self.gave_back = False
        if self.asks_once:
            self.person_drives |= holds
            self._released &= not holds
        else:
            self.held = holds

    def _hear(self, presses: tuple[int, ...]) -> None:
        """A press counts once, whatever was pressed before this actor first looked does not."""
        before, self._presses = self._presses, presses
        for verdict, was, now in zip(COUNTS, before or presses, presses, strict=True):
            if now > was:
                self.verdict = verdict

    def _say_gone(self, reason: str) -> None:
        self.hold(self._gone, False)
        self._gone = reason
        if reason:
            self.hold(reason, True)

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
    def has_person(self) -> bool:
        """Whether a person has the arm, by key or by device."""
        return self.person_drives or self.held

    @property
    def drives_by_device(self) -> bool:
        """Whether the device's motion counts now."""
        return self.has_person and self.word.live

    @property
    def warning(self) -> str:
        """What is wrong with the device although nothing waits for it, "" while all is well."""
        if not self.device or self._gone or not self.word.reason:
            return ""
        return f"{self.device}{' gone' if self.word.lost else ''}: {self.word.reason}"

    @property
    def demonstrates(self) -> bool:
        """Whether a demonstration that was begun goes on: letting a trigger go is a rest, not the end of it."""
        return self.has_person or (bool(self.device) and not self.gave_back and not self.scripted)

    @property
    def moves(self) -> bool:
        """Whether the person asks for a motion of the arm that nobody took yet."""
        if self._jogs or self.held_keys.now() != NOTHING:
            return True
        led = float(np.nanmax(np.abs(self.word.joints_deg - self._rest_deg), initial=0.0))
        return self.drives_by_device and (self.word.moves or led > LEADER_MOVED)

    def take_proceed(self) -> bool:
        proceed, self.proceed = self.proceed, False
        return proceed

    def take_veto(self) -> bool:
        vetoed, self.vetoed = self.vetoed, False
        return vetoed

    def take_verdict(self) -> Verdict | None:
        verdict, self.verdict = self.verdict, None
        return verdict

    def driver(self, script_wants: bool) -> Driver:
        """Who drives the coming step; `script_wants` is the scripted person's wish."""
        if self.has_person:
            return Driver.HUMAN
        if self.scripted and script_wants:
            return Driver.SCRIPTED
        return Driver.POLICY
