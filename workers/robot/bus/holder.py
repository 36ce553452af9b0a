"""Which process has a device file open, as /proc tells it (Linux; elsewhere nobody is named)."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")


def holder_of(name: str, proc: Path = PROC, family: bool = False) -> str:
    """ "pid 12 (command line)" of each other process that has the file `name` open; empty where none can be seen.

    Not named are processes of other users, whose files only root may see; of a pseudo-terminal the one at its other
    end, which is the arm; and, unless `family`, those that this one descends from and those that descend from it.
    """
    wanted, own = os.path.realpath(name), os.getpid()
    holders = []
    for process in sorted(proc.glob("[0-9]*"), key=lambda each: int(each.name)):
        try:
            opens = _opens(process, wanted)
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue  # somebody else's, or ended meanwhile
        pid = int(process.name)
        related = own in _line_of(pid, proc) or pid in _line_of(own, proc)
        if opens and pid != own and (family or not related):
            holders.append(f"pid {pid} ({' '.join(command.split())[:80]})")
    return ", ".join(holders)


def _opens(process: Path, wanted: str) -> bool:
    """Whether a process has `wanted` open, and is not its other end."""
    links = {link: os.readlink(link) for link in (process / "fd").iterdir()}
    if wanted not in links.values():
        return False
    masters = [link.name for link, target in links.items() if target.endswith("/ptmx")]
    return not any(f"/dev/pts/{_tty_of(process, fd)}" == wanted for fd in masters)


def _tty_of(process: Path, fd: str) -> str:
    """Number of the pseudo-terminal that `fd` is the master of."""
    lines = (process / "fdinfo" / fd).read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("tty-index:")), "")


def _line_of(pid: int, proc: Path) -> Iterator[int]:
    """A process, its parent, and so on."""
    while pid > 1:
        yield pid
        try:
            status = (proc / str(pid) / "status").read_text()
        except OSError:
            return
        pid = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:")), 0)
