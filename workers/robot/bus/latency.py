"""How long the adapter's driver holds bytes back: FTDI's waits 16 ms unless it is told otherwise."""

import os
from pathlib import Path
from typing import Final

SLOW_MS: Final = 4


def latency_ms(name: str, sysfs: Path = Path("/sys")) -> int | None:
    """The latency timer of the port `name` in milliseconds; None where its driver has none."""
    device = os.path.basename(os.path.realpath(name))
    try:
        return int((sysfs / "bus/usb-serial/devices" / device / "latency_timer").read_text())
    except (OSError, ValueError):
        return None


def latency_warning(name: str, sysfs: Path = Path("/sys")) -> str:
    """What to tell the operator about a slow port; empty for a quick one."""
    told = latency_ms(name, sysfs)
    if told is None or told <= SLOW_MS:
        return ""
    device = os.path.basename(os.path.realpath(name))
    return (
        f"{name} holds every reply back for {told} ms, so that the arm answers late. Until the next start of this "
        f"computer, this sets 1 ms: echo 1 | sudo tee /sys/bus/usb-serial/devices/{device}/latency_timer"
    )
