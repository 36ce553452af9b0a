"""What can go wrong on the bus: one family. The texts are for the operator."""

import termios
from typing import Final

NOISE: Final = (
    "noise on the line: bytes come that no servo meant. A loose plug, a damaged cable, a bad ground, or two servos "
    "with one id do that; press every plug home, look along the cables; `hilserl-worker scan-arm` finds two of one id"
)
"""What replies that cannot be read come from, and what to do."""


class BusError(Exception):
    """Anything that the bus raises."""


class BusTimeout(BusError):
    """No reply in time. The servo may be silent, or the request or the reply was lost."""


class BusCorrupt(BusError):
    """Bytes came, but no reply that can be trusted."""


class BusGone(BusError):
    """The port is not there any more, or never was; nothing works until it is opened again."""


class PortHeld(BusGone):
    """Somebody else has the port."""


class port_errors:
    """Whatever a serial port raises becomes BusGone: the only place where that happens.

    pyserial's SerialException is an OSError, `termios.error` is not; an fd that was closed meanwhile is a
    ValueError or a TypeError. A class, since every byte passes here: a generator costs three times as much.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, OSError | termios.error | ValueError | TypeError):
            return
        reason = error.args[-1] if isinstance(error, termios.error) and error.args else error
        if isinstance(error, OSError) and error.strerror:  # without its number, which nobody can use
            reason = error.strerror
        raise BusGone(
            f"serial port {self._name} is gone ({reason}). The arm is still powered and keeps its last goal: cut its "
            "supply if that is unsafe, then look after the USB cable"
        ) from error
