"""What can go wrong on the bus: one family. The texts are for the operator."""

import termios
from collections.abc import Iterator
from contextlib import contextmanager


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


@contextmanager
def port_errors(name: str) -> Iterator[None]:
    """Whatever a serial port raises becomes BusGone: the only place where that happens.

    pyserial's SerialException is an OSError, `termios.error` is not; an fd that was closed meanwhile is a
    ValueError or a TypeError.
    """
    try:
        yield
    except (OSError, termios.error, ValueError, TypeError) as error:
        reason = error.args[-1] if isinstance(error, termios.error) and error.args else error
        raise BusGone(
            f"serial port {name} is gone ({reason}). The arm is still powered and keeps its last goal: cut its "
            "supply if that is unsafe, then look after the USB cable"
        ) from error
