"""Who moves the arm, who may, and why nobody does."""

from enum import StrEnum

from workers.model.event import Event

SET_UP = "set up the scene"
"""How the reason begins while a person has time for that."""

COOLING = "servos cool down"
"""How the reason begins while they do."""

PAUSED = "paused by the operator"
"""The one reason to hold that the pause key lifts; others are lifted by what caused them."""

FIRST_MOTION = "recording when you move"
"""The reason while a person has the arm and is waited for."""
GIVEN_BACK = "given back"
"""The reason from the key that gives the arm back to the next step; the episode goes on."""


class Driver(StrEnum):
    """Who moves the arm."""

    NOBODY = "nobody"
    POLICY = "policy"
    HUMAN = "human"  # a person at the console
    SCRIPTED = "scripted"  # the simulated person


class DriverChanged(Event, frozen=True):
    driver: Driver
    reason: str = ""


class OperatorChanged(Event, frozen=True):
    """Who answers for the arm: a person at a console, the scripted one, or nobody."""

    scripted: bool
    attached: int  # consoles that hold or watch
    holder: str = ""  # console that holds the controls, "" when nobody does


class ScriptChanged(Event, frozen=True):
    """The scripted person came on duty, or a real one sent it away."""

    on: bool


class SeatChanged(Event, frozen=True):
    """A person took the arm, or it was given back. Who has it keeps it between episodes, where nobody drives."""

    taken: bool


class PauseChanged(Event, frozen=True):
    paused: bool
    reason: str = ""
