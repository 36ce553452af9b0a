"""Effects of the person's device: which worker a run has, and how that one reads what is plugged in."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.config.effect_tools import Effect
from tests.emulators.pads import FakeHid, FakePad
from workers.config import Config
from workers.robot.board import TELEOP_STATE, Board
from workers.robot.build import leader_arm_of
from workers.robot.calibration import Calibration, MotorCalibration, save_calibration
from workers.robot.drivers import ArmGone
from workers.runtime.shared import SharedNewest
from workers.station.crew import crew
from workers.teleop.device import DeviceReader, DeviceWriter
from workers.teleop.gamepad.worker import GamepadReader

CONTEXT = multiprocessing.get_context("spawn")
PAD = {"env.teleop.type": "gamepad"}
HELD = bytes([128, 128, 128, 90, 0x08, 0x02, 0, 0])  # the right stick a little up, the upper right button


def workers(config: Config, folder: Path) -> list[tuple[str, str]]:
    return [(spec.name, spec.main.__name__) for spec in crew(config, Board.create(CONTEXT, {}))]


def read(*reports: bytes) -> Callable[[Config, Path], Any]:
    """Observe what two pads of the same make say; only the first has the reports."""

    def observe(config: Config, folder: Path) -> Any:
        first, second = (FakePad(0x046D, 0xC216, serial=name, path=name.encode()) for name in ("A", "B"))
        block = SharedNewest(CONTEXT, TELEOP_STATE)
        pad = GamepadReader(
            config.env.teleop, DeviceWriter(block, "gamepad"), None, (FakeHid(first, second), None)
        )
        pad.tick()
        first.send(*reports)
        pad.tick()
        word = DeviceReader(block).read()
        return [word.intervene, word.motion.tolist()]

    return observe


def opened(config: Config, folder: Path) -> str:
    """Why the leader arm cannot be opened: there is none, and maybe no calibration of it."""
    motors = tuple(MotorCalibration(id, 0, 0, 1000, 3000) for id in range(1, 7))
    save_calibration(folder / "mine.json", Calibration(motors))
    try:
        leader_arm_of(config)
    except ArmGone as gone:
        return str(gone)
    return "opened"


LEADER = {
    "env.teleop.type": "so101_leader",
    "env.teleop.port": "{folder}/tty1",
    "env.teleop.id": "mine",
    "env.teleop.calibration_dir": "{folder}",
    "operator.scripted": False,
}
EFFECTS: dict[str, Effect] = {
    "env.teleop.type": Effect(("keyboard", "gamepad"), workers),
    "env.teleop.listen": Effect((None, "127.0.0.1:50052"), workers, PAD),
    "env.teleop.mapping": Effect((None, "logitech_f710_d"), read(HELD), PAD),
    "env.teleop.device": Effect(("A", "B"), read(HELD), PAD),
    "env.teleop.deadzone": Effect((0.0, 0.2), read(HELD), PAD),
    "env.teleop.port": Effect(("{folder}/tty1", "{folder}/tty2"), opened, LEADER),
    "env.teleop.id": Effect(("mine", "yours"), opened, LEADER),
    "env.teleop.calibration_dir": Effect(("{folder}", "{folder}/other"), opened, LEADER),
    "env.teleop.hold_to_intervene": Effect((True, False), read(bytes(8), HELD, bytes(8)), PAD),
}
