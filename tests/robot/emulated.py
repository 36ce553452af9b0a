"""A run's configuration for an emulated arm of servos, and what the emulator says of that arm."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workers.config import Config, load
from workers.config.ready import ready_config
from workers.robot.figures import Floats


@dataclass(frozen=True)
class SeenArm:
    """The arm as it is, whatever the driver believes."""

    joints_deg: Floats  # [6] degrees, gripper in percent
    torque: tuple[bool, ...]
    limits_permille: tuple[int, ...]


def seen(bus: Any) -> SeenArm:
    """Look at the emulator."""
    state = bus.state()
    torque = tuple(bool(one) for one in state["torque"])
    return SeenArm(np.array(state["deg"]), torque, tuple(state["torque_limit"]))


def block(bus: Any, joint: str, blocked: bool) -> None:
    """Block a joint, or free it."""
    bus.ask("stick", joint=joint, on=blocked)


def write_configuration(path: Path, bus: Any, folder: Path) -> Path:
    """The ready configuration for the emulated arm `bus`, with its runs in `folder`."""
    text = ready_config().read_text()
    for old, new in (
        ('directory = "runs"', f'directory = "{folder}"'),
        (
            'type = "so101_sim"',
            f'type = "so101_follower"\nport = "{bus.port}"\nid = "emulated"\ncalibration_dir = "{folder}"',
        ),
        ("scripted = true", "scripted = false"),
        ("max_relative_target = 5 ", "max_relative_target = 3.5 "),
        ("speed_limit_deg_s = 120 ", "speed_limit_deg_s = 50 "),
        ("acceleration_limit_deg_s2 = 2000", "acceleration_limit_deg_s2 = 500"),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    bus.write_calibration(folder / "emulated.json")
    return path


def configuration(bus: Any, folder: Path) -> Config:
    """A run in `folder` on the emulated arm `bus`."""
    return load(write_configuration(folder / "arm.toml", bus, folder))
