"""How long the adapter's driver holds bytes back: FTDI's waits 16 ms unless it is told otherwise."""

import os
from pathlib import Path
from typing import Final

SLOW_MS: Final = 4
SYSFS: Final = Path("/sys")


def latency_ms(name: str, sysfs: Path = SYSFS) -> int | None:
    """The latency timer of the port `name` in milliseconds; None where its driver has none."""
    device = os.path.basename(os.path.realpath(name))
    try:
        return int((sysfs / "bus/usb-serial/devices" / device / "latency_timer").read_text())
    except (OSError, ValueError):
        return None


def latency_warning(name: str, sysfs: Path = SYSFS) -> str:
    """What to tell the operator about a slow port; empty for a quick one."""
    told = latency_ms(name, sysfs)
    if told is None or told <= SLOW_MS:
        return ""
    return f"{name} holds every reply back for {told} ms, so that the arm answers late. {latency_fix(name, sysfs)}"


def latency_fix(name: str, sysfs: Path = SYSFS) -> str:
    """What makes the port `name` quicker: the command for its timer, where it has one that is slow."""
    told = latency_ms(name, sysfs)
    if told is None or told <= SLOW_MS:
        return (
            "Its driver has no latency timer to set: try another USB socket, without a hub between, and another "
            "adapter; and end programs that keep this computer busy"
        )
    device = os.path.basename(os.path.realpath(name))
    return (
        "Until the next start of this computer, this sets its latency timer to 1 ms: "
        f"echo 1 | sudo tee /sys/bus/usb-serial/devices/{device}/latency_timer"
    )
