"""Effects of [env.robot.safety]: an arm of servos in pure Python that is parked, reset, blocked and heated."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.config.effect_tools import Effect, plain
from tests.robot.servo_cell import START, ServoCell
from workers.config import Config

SAFETY = "env.robot.safety"
AWAY = np.add(START, [20.0, 5.0, 0.0, 0.0, 0.0, 0.0])
REAL = {
    "env.robot.type": "so101_follower",
    "env.robot.port": "/dev/null",
    "env.robot.id": "it",
    "operator.scripted": False,
}


def parked(config: Config, folder: Path) -> Any:
    """Seconds of the way to the rest pose, and what is there."""
    with pytest.MonkeyPatch.context() as patch:
        cell = ServoCell(patch, config=config)
        began_s = cell.clock.now_s
        cell.loop.park()
        return [round(cell.clock.now_s - began_s, 1), plain(cell.arm.joints.round(0))]


def reset_s(config: Config, folder: Path) -> float:
    """Seconds of the way to the start pose."""
    with pytest.MonkeyPatch.context() as patch:
        cell = ServoCell(patch, AWAY, config=config)
        began_s = cell.clock.now_s
        cell.engage()
        return round(cell.clock.now_s - began_s, 1)


def stalled(config: Config, folder: Path) -> str:
    """What is said of a blocked joint that works at 85 % of its torque."""
    with pytest.MonkeyPatch.context() as patch:
        cell = ServoCell(patch, config=config)
        cell.engage()
        cell.arm.blocked[2] = True
        for _ in range(10):
            cell.tick(0.1, aim=np.add(START, [0, 0, 40.0, 0, 0, 0]))
        return cell.reason


def heated(config: Config, folder: Path) -> Any:
    """What a joint at 56, 61 and 66 degrees Celsius may still do, and what is said of it."""
    with pytest.MonkeyPatch.context() as patch:
        cell = ServoCell(patch, config=config)
        seen = []
        for celsius in (56.0, 61.0, 66.0):
            cell.arm.temperature[1] = celsius
            cell.tick(0.1)
            seen.append([cell.arm.caps[1], cell.mode.value, cell.said])
        return seen


EFFECTS: dict[str, Effect] = {
    f"{SAFETY}.rest_pose": Effect(
        ([0.0, -90.0, 80.0, 60.0, 0.0, 10.0], [10.0, -90.0, 80.0, 60.0, 0.0, 10.0]), parked, REAL
    ),
    f"{SAFETY}.park_speed_deg_s": Effect((10.0, 40.0), parked, REAL),
    f"{SAFETY}.reset_speed_deg_s": Effect((5.0, 20.0), reset_s, REAL),
    f"{SAFETY}.stall_load_pct": Effect(
        (60.0, 100.0), stalled, {**REAL, "env.robot.max_relative_target": 6.0}
    ),
    f"{SAFETY}.warn_temperature_c": Effect((55.0, 58.0), heated, REAL),
    f"{SAFETY}.derate_temperature_c": Effect((60.0, 62.0), heated, REAL),
    f"{SAFETY}.park_temperature_c": Effect((65.0, 67.0), heated, REAL),
}
