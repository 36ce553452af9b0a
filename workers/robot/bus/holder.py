"""Which process has a device file open, as /proc tells it (Linux; elsewhere nobody is named)."""

import os
from pathlib import Path


def holder_of(name: str, proc: Path = Path("/proc")) -> str:
    """ "pid 12 (command line)" of each other process that has the file `name` open; empty where none can be seen."""
    holders = []
    wanted = os.path.realpath(name)
    for process in sorted(proc.glob("[0-9]*")):
        if process.name == str(os.getpid()):
            continue
        try:
            opened = [os.readlink(link) for link in (process / "fd").iterdir()]
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue  # somebody else's, or ended meanwhile
        if wanted in opened:
            holders.append(f"pid {process.name} ({command.strip()[:80]})")
    return ", ".join(holders)
