"""`hilserl-worker invite-gamepad`: a line from the run that goes on here, for the computer that has the gamepad."""

import time
from pathlib import Path

from workers.model.places import read_lock
from workers.station.opening import StationRefused, configured
from workers.teleop.forwarding.places import INVITATION

WITHIN_S = 10.0


def invitation_to_forward(path: Path, name: str | None = None) -> str:
    """A new line to join with. Raises StationRefused when no run of `path` goes on, or receives no gamepad."""
    _, config = configured(path, name=name)
    if config.env.teleop.listen is None:
        raise StationRefused(
            f'{path} receives no gamepad: set `type = "gamepad"` and `listen = "0.0.0.0:50052"` in [env.teleop]'
        )
    if read_lock(config.run_dir) is None:
        raise StationRefused(
            f"the run {config.run.name} in {config.run_dir} is not going on. Start it with `hilserl-tui {path}`"
        )
    place, until_s = config.run_dir / INVITATION, time.monotonic() + WITHIN_S
    while True:
        try:
            line = place.read_text()
            place.unlink()  # the worker makes another one for whoever comes next
            return line
        except FileNotFoundError:
            if time.monotonic() > until_s:
                text = f"the run {config.run.name} made no line to join with; look at the log of its gamepad worker"
                raise StationRefused(text) from None
            time.sleep(0.05)
