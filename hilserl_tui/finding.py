"""Finding the station of a run that is alive, by the run's name or its directory."""

import time
from pathlib import Path

from hilserl_tui.opening import refuse
from workers.model.places import StationLock, live_runs, read_lock


def find(run: str, within_s: float = 0.0) -> StationLock:
    """The station of `run`, of the only run where it is ""; refuses when there is none or more than one fits."""
    until = time.monotonic() + within_s
    while True:
        if run and (lock := read_lock(Path(run))) is not None and lock.socket:
            return lock
        alive = live_runs()
        fitting = [lock for lock in alive if run in ("", lock.run)]
        if fitting or time.monotonic() >= until:
            break
        time.sleep(0.1)
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(lock.run for lock in alive) or "none"
    if fitting:
        refuse(
            f"{len(fitting)} runs are alive: {names}",
            "it is not clear which one you mean",
            "add its name or its directory to the command",
        )
    what = f"no run {run!r} is alive" if run else "no run is alive"
    why = f"alive now: {names}" if alive else "it has ended, or it belongs to another user or another machine"
    refuse(what, why, "start one with hilserl-tui CONFIG")
