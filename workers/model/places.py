"""Where a run keeps its files, its lock and its socket."""

import contextlib
import fcntl
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

import msgspec

LOCK_NAME = "station.lock"
EVENTS_NAME = "events.jsonl"
STATION_OUTPUT_NAME = "station.out"


class StationLock(msgspec.Struct, frozen=True):
    """What a station writes into its lock file."""

    pid: int
    protocol: int
    socket: str
    config_path: str
    run: str


def socket_dir() -> Path:
    """Directory (mode 0700) of this user's station sockets, made when absent.

    Raises PermissionError when somebody else owns it: a socket there could not be trusted.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(base) / "hilserl" if base else Path(_temporary()) / f"hilserl-{os.getuid()}"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(
            f"{path} belongs to another user; set XDG_RUNTIME_DIR to a directory of your own"
        )
    path.chmod(0o700)
    return path


def _temporary() -> str:
    import tempfile  # seldom needed, and dear: a console is to be on the screen at once

    return tempfile.gettempdir()


def socket_path(run_dir: Path) -> Path:
    """Socket of the station that serves `run_dir`; short, since Unix limits it to about 100 bytes."""
    digest = hashlib.sha256(str(run_dir.resolve()).encode()).hexdigest()[:16]
    return socket_dir() / f"{digest}.sock"


def classifier_path(run_dir: Path) -> Path:
    """Where the reward classifier of a run is made, unless another folder is named."""
    return run_dir / "reward_classifier"


def hard_negatives_path(run_dir: Path) -> Path:
    """The dataset of frames that fooled the reward classifier."""
    return run_dir / "hard_negatives"


def examination_path(run_dir: Path) -> Path:
    """What the reward classifier said of reset frames before the run began: numbers and pictures."""
    return run_dir / "classifier_check"


def lock_path(run_dir: Path) -> Path:
    return run_dir / LOCK_NAME


def read_lock(run_dir: Path) -> StationLock | None:
    """The lock of the station that is alive on `run_dir`, or None.

    Alive is who holds the file's lock: a pid may be another process's after a reboot.
    """
    try:
        with lock_path(run_dir).open("rb") as file:
            if _free(file):
                return None
            return msgspec.json.decode(file.read(), type=StationLock)
    except (OSError, msgspec.MsgspecError):
        return None


def _free(file: BinaryIO) -> bool:
    """Whether nobody holds the lock of this file; ours is let go with the file."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_lock(run_dir: Path, lock: StationLock) -> None:
    lock_path(run_dir).write_text(json.dumps(msgspec.to_builtins(lock)) + "\n")


def live_runs() -> list[StationLock]:
    """Locks of all stations of this user that are alive, found by their sockets' side files."""
    found = []
    for pointer in sorted(socket_dir().glob("*.run")):
        with contextlib.suppress(FileNotFoundError):  # a station that ends at this moment
            lock = read_lock(Path(pointer.read_text().strip()))
            if lock is not None:
                found.append(lock)
    return found


def announce(run_dir: Path) -> Path:
    """Leave a pointer beside the socket so that `live_runs` finds this run; returns it for removal."""
    pointer = socket_path(run_dir).with_suffix(".run")
    pointer.write_text(str(run_dir.resolve()))
    return pointer
