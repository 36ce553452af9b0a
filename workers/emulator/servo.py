"""The registers of one STS3215: EEPROM and RAM, lock, power cycle, calibration. No wire and no mechanics here."""

from workers.emulator.registers import (
    BAUD_OF_CODE,
    EEPROM,
    NEVER_RESTORED,
    READ_ONLY,
    SIGN_BIT,
    SIZE,
    TURN,
    TWO_BYTES,
    Err,
    Reg,
    decode,
    encode,
    factory_table,
)

_MULTI_TURN = 0x10  # bit 4 of the phase register: positions count turns instead of wrapping
_SET_MIDDLE = 128  # written to the torque register: where it is now becomes 2048
_MIDDLE = 2048
_LARGEST_OFFSET = 2047  # what sign and magnitude of 11 bits hold


class Servo:
    """Register file of one servo. `counts` is the shaft's angle at the encoder, turns included (float counts)."""

    def __init__(self, stored: bytearray, counts: float = 0.0) -> None:
        self.stored = stored
        self.memory = bytearray(SIZE)
        self.counts = counts
        self.forced_errors = 0  # error bits that a script holds on
        self.power_on()

    def power_on(self) -> None:
        """What a power cycle does: RAM anew, EEPROM as stored, torque off, the encoder has forgotten its turns."""
        self.memory[:] = self.stored
        self.counts %= TURN
        self.pending: tuple[int, bytes] | None = None
        self.set(Reg.TORQUE_LIMIT, self.get(Reg.MAX_TORQUE))
        self.set(Reg.LOCK, 1)
        self.set(Reg.TORQUE_ENABLE, 0)
        self.refresh_position()
        self.set(Reg.GOAL_POSITION, self.get(Reg.PRESENT_POSITION))

    # what is in a register

    def get(self, register: Reg) -> int:
        """Value, signed where the register is."""
        raw = self.memory[register]
        if register in TWO_BYTES:
            raw |= self.memory[register + 1] << 8
        sign_bit = SIGN_BIT.get(register)
        return raw if sign_bit is None else decode(raw, sign_bit)

    def set(self, register: Reg, value: int) -> None:
        """The servo's own hand in its live registers: no lock, no side effects, nothing stored."""
        sign_bit = SIGN_BIT.get(register)
        raw = value if sign_bit is None else encode(value, sign_bit)
        if register in TWO_BYTES:
            self.memory[register : register + 2] = (raw & 0xFFFF).to_bytes(2, "little")
        else:
            self.memory[register] = raw & 0xFF

    def store(self, register: Reg, value: int) -> None:
        """Into EEPROM and the live registers alike, as at a bench."""
        self.set(register, value)
        size = 2 if register in TWO_BYTES else 1
        self.stored[register : register + size] = self.memory[register : register + size]

    @property
    def id(self) -> int:
        return self.memory[Reg.ID]

    @property
    def baud(self) -> int:
        code = self.memory[Reg.BAUD]
        return BAUD_OF_CODE[code] if code < len(BAUD_OF_CODE) else 0

    @property
    def error(self) -> int:
        return self.memory[Reg.STATUS]

    # what the bus does

    def read(self, address: int, length: int) -> bytes | None:
        """The live registers; None where there are none."""
        return bytes(self.memory[address : address + length]) if address + length <= SIZE else None

    def write(self, address: int, data: bytes) -> None:
        """What a WRITE does: read-only bytes stay; EEPROM survives a power cycle only when written unlocked."""
        if address == Reg.TORQUE_ENABLE and data[:1] == bytes((_SET_MIDDLE,)):
            self._make_this_the_middle()
            return
        unlocked = self.memory[Reg.LOCK] == 0
        for at, byte in enumerate(data, address):
            if at >= SIZE or at in READ_ONLY:
                continue
            self.memory[at] = byte
            if unlocked and at in EEPROM:
                self.stored[at] = byte
        self.refresh_position()

    def restore_factory(self) -> None:
        """RECOVERY: the table as from the factory but for id and baud rate."""
        model = self.stored[Reg.MODEL] | self.stored[Reg.MODEL + 1] << 8
        fresh = factory_table(model, (self.stored[0], self.stored[1]))
        for kept in (*NEVER_RESTORED, Reg.MAX_VOLTAGE):
            fresh[kept] = self.stored[kept]
        self.stored[:] = fresh
        self.power_on()

    def _make_this_the_middle(self) -> None:
        offset = round(self.counts) % TURN - _MIDDLE
        self.store(Reg.HOMING_OFFSET, max(-_LARGEST_OFFSET, offset))
        self.refresh_position()
        self.set(Reg.GOAL_POSITION, self.get(Reg.PRESENT_POSITION))

    # positions

    def position_of(self, counts: float) -> int:
        """Present_Position at a shaft angle: Actual - Homing_Offset, within a turn unless it counts turns."""
        position = round(counts) - self.get(Reg.HOMING_OFFSET)
        return position if self.memory[Reg.PHASE] & _MULTI_TURN else position % TURN

    def refresh_position(self) -> None:
        self.set(Reg.PRESENT_POSITION, self.position_of(self.counts))

    def target(self) -> int:
        """The goal, within the servo's own angle limits (both zero: no limits)."""
        goal = self.get(Reg.GOAL_POSITION)
        low, high = self.get(Reg.MIN_ANGLE), self.get(Reg.MAX_ANGLE)
        return goal if low == high == 0 else min(max(goal, low), high)

    def set_error(self, bits: int) -> None:
        self.memory[Reg.STATUS] = bits | self.forced_errors


ALL_ERRORS = Err.VOLTAGE | Err.ENCODER | Err.TEMPERATURE | Err.CURRENT | Err.OVERLOAD
