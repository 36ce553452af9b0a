"""The memory table of an STS3215: addresses, what is in them from the factory, and how signs are written.

Source: Feetech's STS/SMS memory table. Two-byte registers are little-endian; negative numbers are sign and magnitude.
"""

from enum import IntEnum
from typing import Final

SIZE: Final = 256
TURN: Final = 4096  # encoder counts in a turn
MODEL_STS3215: Final = 777
BAUD_OF_CODE: Final = (1_000_000, 500_000, 250_000, 128_000, 115_200, 76_800, 57_600, 38_400)


class Reg(IntEnum):
    """Addresses. A name tells the register; `TWO_BYTES` tells which take two."""

    FIRMWARE_MAJOR = 0
    FIRMWARE_MINOR = 1
    MODEL = 3
    ID = 5
    BAUD = 6
    RETURN_DELAY = 7
    REPLY_LEVEL = 8
    MIN_ANGLE = 9
    MAX_ANGLE = 11
    MAX_TEMPERATURE = 13
    MAX_VOLTAGE = 14
    MIN_VOLTAGE = 15
    MAX_TORQUE = 16
    PHASE = 18
    UNLOADING = 19
    LED_ALARM = 20
    P = 21
    D = 22
    I = 23  # noqa: E741  the field's own name
    STARTUP_FORCE = 24
    CW_DEAD_ZONE = 26
    CCW_DEAD_ZONE = 27
    PROTECTION_CURRENT = 28
    ANGULAR_RESOLUTION = 30
    HOMING_OFFSET = 31
    MODE = 33
    PROTECTIVE_TORQUE = 34
    PROTECTION_TIME = 35
    OVERLOAD_TORQUE = 36
    SPEED_P = 37
    OVERCURRENT_TIME = 38
    SPEED_I = 39
    TORQUE_ENABLE = 40
    ACCELERATION = 41
    GOAL_POSITION = 42
    GOAL_TIME = 44
    GOAL_SPEED = 46
    TORQUE_LIMIT = 48
    LOCK = 55
    PRESENT_POSITION = 56
    PRESENT_SPEED = 58
    PRESENT_LOAD = 60
    PRESENT_VOLTAGE = 62
    PRESENT_TEMPERATURE = 63
    ASYNC_WRITE = 64
    STATUS = 65
    MOVING = 66
    PRESENT_CURRENT = 69
    GOAL_POSITION_2 = 71
    MOVING_THRESHOLD = 80
    MAX_SPEED = 84
    MAX_ACCELERATION = 85
    ACCELERATION_MULTIPLIER = 86


R = Reg
TWO_BYTES: Final = frozenset(
    {
        R.MODEL, R.MIN_ANGLE, R.MAX_ANGLE, R.MAX_TORQUE, R.STARTUP_FORCE, R.PROTECTION_CURRENT, R.HOMING_OFFSET,
        R.GOAL_POSITION, R.GOAL_TIME, R.GOAL_SPEED, R.TORQUE_LIMIT, R.PRESENT_POSITION, R.PRESENT_SPEED,
        R.PRESENT_LOAD, R.PRESENT_CURRENT, R.GOAL_POSITION_2,
    }
)  # fmt: skip
SIGN_BIT: Final = {
    R.HOMING_OFFSET: 11,
    R.PRESENT_LOAD: 10,
    R.GOAL_POSITION: 15,
    R.GOAL_SPEED: 15,
    R.PRESENT_POSITION: 15,
    R.PRESENT_SPEED: 15,
    R.PRESENT_CURRENT: 15,
    R.GOAL_POSITION_2: 15,
}
EEPROM: Final = (*range(5, 40), *range(80, 87))  # survives power-off; the factory's 80 to 86 too
READ_ONLY: Final = frozenset((*range(5), *range(56, 80)))
NEVER_RESTORED: Final = (R.ID, R.BAUD)  # kept by the RECOVERY instruction


class Err(IntEnum):
    """Bits of the error byte of every status packet, and of register 65."""

    VOLTAGE = 1
    ENCODER = 2
    TEMPERATURE = 4
    CURRENT = 8
    OVERLOAD = 32


def encode(value: int, sign_bit: int) -> int:
    """Sign and magnitude; what is too large for the field is cut to its largest."""
    magnitude = min(abs(value), (1 << sign_bit) - 1)
    return magnitude | (1 << sign_bit) if value < 0 else magnitude


def decode(raw: int, sign_bit: int) -> int:
    magnitude = raw & ((1 << sign_bit) - 1)
    return -magnitude if raw & (1 << sign_bit) else magnitude


def factory_table(
    model: int = MODEL_STS3215, firmware: tuple[int, int] = (3, 10), volts: float = 7.4
) -> bytearray:
    """What is in a servo that comes out of its bag. The two models, of 7.4 V and 12 V, differ in their voltages."""
    table = bytearray(SIZE)
    one = {
        R.FIRMWARE_MAJOR: firmware[0], R.FIRMWARE_MINOR: firmware[1], R.ID: 1, R.BAUD: 0, R.RETURN_DELAY: 250,
        R.REPLY_LEVEL: 1, R.MAX_TEMPERATURE: 70, R.MAX_VOLTAGE: 80 if volts < 9 else 140, R.MIN_VOLTAGE: 40,
        R.PHASE: 12, R.UNLOADING: 44, R.LED_ALARM: 47, R.P: 32, R.D: 32, R.I: 0, R.CW_DEAD_ZONE: 1,
        R.CCW_DEAD_ZONE: 1, R.ANGULAR_RESOLUTION: 1, R.MODE: 0, R.PROTECTIVE_TORQUE: 20, R.PROTECTION_TIME: 200,
        R.OVERLOAD_TORQUE: 80, R.SPEED_P: 10, R.OVERCURRENT_TIME: 200, R.SPEED_I: 10, R.LOCK: 1,
        R.MOVING_THRESHOLD: 1, R.MAX_SPEED: 100, R.MAX_ACCELERATION: 0, R.ACCELERATION_MULTIPLIER: 1,
    }  # fmt: skip
    two = {
        R.MODEL: model, R.MIN_ANGLE: 0, R.MAX_ANGLE: TURN - 1, R.MAX_TORQUE: 1000, R.STARTUP_FORCE: 16,
        R.PROTECTION_CURRENT: 500, R.HOMING_OFFSET: 0,
    }  # fmt: skip
    for address, value in one.items():
        table[address] = value
    for address, value in two.items():
        table[address : address + 2] = value.to_bytes(2, "little")
    return table
