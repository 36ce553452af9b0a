"""Effects of the keys of a real arm: what its servos hold after it was opened on an emulated bus, or why it was not."""

from pathlib import Path
from typing import Any

import msgspec

from tests.config.effect_tools import Effect, Only, plain
from tests.config.effects_safety import REAL
from tests.emulators.bus import emulated_bus
from workers.config import Config
from workers.robot.build import limits_of, servo_arm_of
from workers.robot.drivers import ArmGone
from workers.robot.opening import thresholds_of

SERVO = "env.robot.servo"
HERE = {**REAL, "env.robot.id": "blue", "env.robot.calibration_dir": "{folder}"}
WATCHED = (16, 17, 21, 22, 23, 28, 29, 36, 46, 47)  # torque, gains, protection current, overload, speed


def tried(config: Config, folder: Path) -> str:
    """Why the arm cannot be opened: there is no such port, or no such calibration."""
    with emulated_bus() as emulated:
        emulated.write_calibration(folder / "blue.json")
    try:
        servo_arm_of(config).close()
    except ArmGone as gone:
        return str(gone)
    return "opened"


def opened(config: Config, folder: Path) -> Any:
    """Registers of two servos after opening."""
    with emulated_bus() as emulated:
        emulated.write_calibration(folder / "blue.json")
        robot = msgspec.structs.replace(config.env.arm, port=emulated.port)
        config = msgspec.structs.replace(config, env=msgspec.structs.replace(config.env, robot=robot))
        try:
            servo_arm_of(config).close()
        except ArmGone as gone:
            return str(gone).replace(emulated.port, "its port")
        tables = [emulated.registers(joint) for joint in ("elbow_flex", "gripper")]
        return [[table[address] for address in WATCHED] for table in tables]


def caps(config: Config, folder: Path) -> Any:
    """Torque limits while all is well."""
    return plain(thresholds_of(config, limits_of(config)).caps_pct)


EFFECTS: dict[str, Effect | Only] = {
    "env.robot.port": Effect(("{folder}/tty1", "{folder}/tty2"), tried, HERE),
    "env.robot.id": Effect(("blue", "red"), tried, {**HERE, "env.robot.port": "{folder}/tty1"}),
    "env.robot.calibration_dir": Effect(
        ("{folder}", "{folder}/elsewhere"), tried, {**HERE, "env.robot.port": "{folder}/tty1"}
    ),
    "env.robot.use_degrees": Only(True, False),
    f"{SERVO}.p": Effect((16, 20), opened, HERE),
    f"{SERVO}.i": Effect((0, 2), opened, HERE),
    f"{SERVO}.d": Effect((32, 40), opened, HERE),
    f"{SERVO}.torque_limit_pct": Effect((60.0, 80.0), caps, HERE),
    f"{SERVO}.gripper_torque_pct": Effect((50.0, 40.0), opened, HERE),
    f"{SERVO}.gripper_protection_current_a": Effect((1.625, 1.0), opened, HERE),
    f"{SERVO}.gripper_overload_torque_pct": Effect((25, 30), opened, HERE),
    f"{SERVO}.speed_limit_deg_s": Effect((210.0, 100.0), opened, HERE),
    f"{SERVO}.supply_voltage": Effect((7.4, 12.0), opened, HERE),
}
