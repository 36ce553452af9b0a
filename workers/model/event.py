"""What every event is."""

import msgspec


class Event(msgspec.Struct, frozen=True, tag=True):
    """Base of all events; the wire tag is the class name."""
