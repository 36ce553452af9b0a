"""The STS3215 servo: its registers, how it writes signed numbers and currents, and what a count means.

Sources: Feetech's memory table of the STS series; names as LeRobot's users know them.
"""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.robot.figures import Floats

MODEL: Final = 777
STEPS: Final = 4096  # of one turn; a position is 0 to 4095
AMPERE_PER_COUNT: Final = 0.0065  # registers 28 and 69
VOLT_PER_COUNT: Final = 0.1
TOP_SPEED_STEPS_S: Final = 3300.0  # 46 turns a minute without load are 3140
_SIGN: Final = 1 << 15  # sign-magnitude, not two's complement: -1 is 0x8001

Counts = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Register:
    """One quantity in the servo's memory; words are little endian."""

    name: str
    address: int
    size: int  # bytes
    eeprom: bool = False  # survives the power switch, if Lock is 0 when it is written
    sign_bit: int | None = None  # sign-magnitude numbers

    def encode(self, value: int) -> bytes:
        """The bytes of `value`. Raises ValueError for one that does not fit, and where that is signed."""
        bits = 8 * self.size if self.sign_bit is None else self.sign_bit
        if abs(value) >= 1 << bits or (value < 0 and self.sign_bit is None):
            raise ValueError(f"{value} does not fit into {self.name} ({bits} bits)")
        raw = abs(value) | (1 << bits if value < 0 else 0)
        return raw.to_bytes(self.size, "little")

    def decode(self, data: bytes) -> int:
        """The value in `data`, which has at least `size` bytes."""
        raw = int.from_bytes(data[: self.size], "little")
        if self.sign_bit is None:
            return raw
        magnitude = raw & ((1 << self.sign_bit) - 1)
        return -magnitude if raw & 1 << self.sign_bit else magnitude


FIRMWARE: Final = Register("Firmware_Version", 0, 2)  # major, then minor
MODEL_NUMBER: Final = Register("Model_Number", 3, 2)
ID: Final = Register("ID", 5, 1, eeprom=True)
BAUD_RATE: Final = Register("Baud_Rate", 6, 1, eeprom=True)
RETURN_DELAY: Final = Register("Return_Delay_Time", 7, 1, eeprom=True)  # 2 us
RESPONSE_LEVEL: Final = Register("Response_Status_Level", 8, 1, eeprom=True)  # 1: every write is answered
MIN_POSITION: Final = Register("Min_Position_Limit", 9, 2, eeprom=True)
MAX_POSITION: Final = Register("Max_Position_Limit", 11, 2, eeprom=True)
MAX_TEMPERATURE: Final = Register("Max_Temperature_Limit", 13, 1, eeprom=True)  # degrees Celsius
MAX_VOLTAGE: Final = Register("Max_Voltage_Limit", 14, 1, eeprom=True)  # 0.1 V
MIN_VOLTAGE: Final = Register("Min_Voltage_Limit", 15, 1, eeprom=True)  # 0.1 V
MAX_TORQUE: Final = Register("Max_Torque_Limit", 16, 2, eeprom=True)  # per mille; copied to 48 at power-on
PHASE: Final = Register("Phase", 18, 1, eeprom=True)
UNLOADING: Final = Register("Unloading_Condition", 19, 1, eeprom=True)  # error bits that take the torque off
P_GAIN: Final = Register("P_Coefficient", 21, 1, eeprom=True)
D_GAIN: Final = Register("D_Coefficient", 22, 1, eeprom=True)
I_GAIN: Final = Register("I_Coefficient", 23, 1, eeprom=True)
PROTECTION_CURRENT: Final = Register("Protection_Current", 28, 2, eeprom=True)  # 6.5 mA
HOMING_OFFSET: Final = Register("Homing_Offset", 31, 2, eeprom=True, sign_bit=11)
OPERATING_MODE: Final = Register("Operating_Mode", 33, 1, eeprom=True)  # 0: position
PROTECTIVE_TORQUE: Final = Register("Protective_Torque", 34, 1, eeprom=True)  # percent left after an overload
PROTECTION_TIME: Final = Register("Protection_Time", 35, 1, eeprom=True)  # 10 ms
OVERLOAD_TORQUE: Final = Register("Overload_Torque", 36, 1, eeprom=True)  # percent
OVER_CURRENT_TIME: Final = Register("Over_Current_Protection_Time", 38, 1, eeprom=True)  # 10 ms
TORQUE_ENABLE: Final = Register("Torque_Enable", 40, 1)  # 128 would make here the middle: never written
ACCELERATION: Final = Register("Acceleration", 41, 1)  # 100 steps/s2
GOAL_POSITION: Final = Register("Goal_Position", 42, 2, sign_bit=15)
GOAL_SPEED: Final = Register("Goal_Velocity", 46, 2, sign_bit=15)  # steps/s; 0: no cap
TORQUE_LIMIT: Final = Register("Torque_Limit", 48, 2)  # per mille
LOCK: Final = Register("Lock", 55, 1)  # 0: what is written to the EEPROM stays there
PRESENT_POSITION: Final = Register("Present_Position", 56, 2, sign_bit=15)
PRESENT_SPEED: Final = Register("Present_Velocity", 58, 2, sign_bit=15)  # steps/s
PRESENT_LOAD: Final = Register("Present_Load", 60, 2, sign_bit=10)  # per mille of the drive
PRESENT_VOLTAGE: Final = Register("Present_Voltage", 62, 1)
PRESENT_TEMPERATURE: Final = Register("Present_Temperature", 63, 1)
STATUS: Final = Register("Status", 65, 1)
MOVING: Final = Register("Moving", 66, 1)
PRESENT_CURRENT: Final = Register("Present_Current", 69, 2, sign_bit=15)

REGISTERS: Final = {
    register.name: register for register in tuple(globals().values()) if isinstance(register, Register)
}
STATE_ADDRESS: Final = PRESENT_POSITION.address
STATE_LENGTH: Final = 15
"""The block from 56 to 70 is all that the servo measures: one reply."""
_STATE: Final = struct.Struct("<3H2B5xH")
POSITION, SPEED, LOAD, VOLTAGE, TEMPERATURE, CURRENT = range(6)
"""Places in what `state_of` gives."""
ANGLE_FEEDBACK_BIT: Final = 0x10  # of Phase: counts turns instead of one turn; LeRobot clears it
ERROR_BITS: Final = {
    0: "supply voltage", 1: "position sensor", 2: "temperature", 3: "current", 5: "overload",
}  # fmt: skip


def errors_in_words(error_bits: int) -> str:
    """The error bits of a reply, as "overload, temperature"; empty for none."""
    return ", ".join(text for bit, text in ERROR_BITS.items() if error_bits >> bit & 1)


def value_in(data: bytes, register: Register, address: int = STATE_ADDRESS) -> int:
    """The value of `register` in a block of memory that begins at `address`."""
    return register.decode(data[register.address - address :])


def state_of(block: bytes) -> tuple[int, int, int, int, int, int]:
    """What the servo measures, of its registers 56 to 70: a fifth of the time that register by register takes."""
    position, speed, load, voltage, temperature, current = _STATE.unpack(block)
    return (
        position if position < _SIGN else _SIGN - position,
        speed if speed < _SIGN else _SIGN - speed,
        load & 0x3FF if not load & 0x400 else -(load & 0x3FF),
        voltage,
        temperature,
        current if current < _SIGN else _SIGN - current,
    )


def register_of_current(current_a: Floats) -> Counts:
    """What Present_Current (register 69) holds at signed currents in ampere, any shape."""
    magnitude = np.minimum(np.rint(np.abs(current_a) / AMPERE_PER_COUNT), _SIGN - 1).astype(np.uint16)
    return np.where(np.signbit(current_a), magnitude | np.uint16(_SIGN), magnitude).astype(np.uint16)


def current_of_register(counts: Counts) -> Floats:
    """Signed currents in ampere from what Present_Current (register 69) holds, any shape."""
    magnitude = (counts & np.uint16(_SIGN - 1)).astype(np.float64) * AMPERE_PER_COUNT
    return np.where(counts & np.uint16(_SIGN), -magnitude, magnitude)
