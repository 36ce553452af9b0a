"""Serial ports of this computer, by names that last, and what a plug that is pulled and put back tells of them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workers.robot.bus.latency import latency_ms

_KINDS: Final = ("ttyACM*", "ttyUSB*", "cu.usbmodem*", "cu.usbserial*")


@dataclass(frozen=True, slots=True)
class PortName:
    """One port. `lasting` stays the same when devices are plugged in another order; empty where there is none."""

    device: str
    lasting: str = ""
    latency_ms: int | None = None

    @property
    def best(self) -> str:
        """The name to write into a configuration."""
        return self.lasting or self.device


def serial_ports(dev: Path = Path("/dev"), sysfs: Path = Path("/sys")) -> list[PortName]:
    """The ports that may have an arm, by device name. by-id names tell the adapter, by-path the socket."""
    lasting: dict[str, str] = {}
    for folder in ("serial/by-path", "serial/by-id"):  # the second wins
        for link in sorted((dev / folder).glob("*")):
            lasting[os.path.realpath(link)] = str(link)
    devices = sorted({str(each) for kind in _KINDS for each in dev.glob(kind)})
    return [
        PortName(each, lasting.get(os.path.realpath(each), ""), latency_ms(each, sysfs)) for each in devices
    ]


class PlugWatch:
    """Which port is pulled, and whether it comes back. Snapshots in; what is known out."""

    def __init__(self, before: list[PortName]) -> None:
        self._before = {port.best: port for port in before}
        self.pulled: PortName | None = None
        self.back: PortName | None = None
        self.several: tuple[str, ...] = ()  # pulled at once: nobody can tell which

    def look(self, now: list[PortName]) -> None:
        """Take the ports that there are now."""
        names = {port.best: port for port in now}
        if self.pulled is None:
            gone = [name for name in self._before if name not in names]
            self.several = tuple(gone) if len(gone) > 1 else ()
            if len(gone) == 1:
                self.pulled = self._before[gone[0]]
            for name in names.keys() - self._before.keys():
                self._before[name] = names[name]  # plugged in only now: it can be pulled too
        elif self.back is None:
            was = {port.best for port in self._before.values()} - {self.pulled.best}
            new = [port for name, port in names.items() if name not in was]
            self.back = new[0] if len(new) == 1 else None
