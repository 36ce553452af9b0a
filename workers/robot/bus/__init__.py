"""The servo bus: Feetech's half-duplex packets over a serial port, so that no old reply is taken for a new one.

The protocol has no transaction ids. A reply that comes late looks like the answer to the next request, and the
vendor's SDK takes it for that. Here a reply counts only if its servo was asked, in this exchange, for exactly that
many bytes, and every exchange asks for another number of bytes than those whose replies may still be under way.

What a register means is the servo's business: `workers.robot.drivers.sts3215`.
"""

from workers.robot.bus.bus import Bus, BusCounters
from workers.robot.bus.errors import NOISE, BusCorrupt, BusError, BusGone, BusTimeout, PortHeld
from workers.robot.bus.packet import Reply
from workers.robot.bus.port import BAUDS, Port, SerialPort

__all__ = [
    "BAUDS",
    "NOISE",
    "Bus",
    "BusCorrupt",
    "BusCounters",
    "BusError",
    "BusGone",
    "BusTimeout",
    "Port",
    "PortHeld",
    "Reply",
    "SerialPort",
]
