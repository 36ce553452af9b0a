"""The emulator in a process of its own, driven through standard input and output: `python -m workers.emulator`.

The first line of standard input is {"path": ..., "options": ..., "usb_ms": ...}; then come the lines of `Control`.
"""

import os
import sys
from pathlib import Path

import msgspec

from workers.emulator.arm import ArmOptions
from workers.emulator.machine import Control, Machine, serve


class Start(msgspec.Struct, forbid_unknown_fields=True):
    """The first line."""

    path: str
    options: ArmOptions = ArmOptions()
    usb_ms: float = 0.0


def main() -> None:
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            return
        line += byte
    start = msgspec.json.decode(line, type=Start)
    machine = Machine(start.options, Path(start.path), start.usb_ms / 1000)
    sys.stdout.buffer.write(b'{"ok": null}\n')
    sys.stdout.buffer.flush()
    try:
        serve(machine, Control(machine), sys.stdin.fileno(), sys.stdout.fileno(), lambda: True)
    finally:
        machine.unplug()


if __name__ == "__main__":
    main()
