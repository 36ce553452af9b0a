"""What a servo's motor and gears do: motion, sag under gravity, load, current, heat, and the firmware's guards.

First order throughout; good enough for time-outs, limits and safety, no physics engine. Angles are encoder counts
(4096 a turn), zero the middle of the joint's travel; torques permille of stall torque. Figures of the SO-ARM100
bench (issue 134): no-load speed 46 rpm, error under load 1.8 to 2.6 degrees.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum

from workers.emulator.registers import TURN, Err, Reg
from workers.emulator.servo import Servo

TOP_SPEED = 3140.0  # counts/s without load at nominal voltage
STALL_A = 2.7
AMPERE_PER_COUNT = 0.0065
_PERMILLE_PER_COUNT = 0.75  # drive at one count of error, times the P register
_FRICTION = 25.0  # permille that the motor needs to move at all
_BACKDRIVE = 60.0  # permille that it takes to turn the gears from outside
_LAG_S = 0.01
_HEAT_C = 150.0  # above the room, at stall for ever
_HEAT_S = 180.0  # time constant
ROOM_C = 25.0
_MOVING = 12.0  # counts/s from which the moving flag is set


class Clears(StrEnum):
    """What ends the firmware's overload guard. Reports differ, so it is an option; a power cycle always does."""

    GOAL = "goal"  # a new goal, or torque off and on
    TORQUE = "torque"  # torque off and on
    POWER = "power"


@dataclass(slots=True)
class Hand:
    """A person's hand on a joint: takes it from one angle to another, then holds it there."""

    start: float
    end: float
    start_s: float
    over_s: float

    def at(self, now_s: float) -> float:
        share = 1.0 if self.over_s <= 0 else min(1.0, (now_s - self.start_s) / self.over_s)
        return self.start + (self.end - self.start) * share


@dataclass(slots=True)
class Sweep:
    """A hand that takes a joint to one end of its travel, to the other, and back to where it was."""

    start: float
    low: float
    high: float
    start_s: float
    leg_s: float = 3.0

    def at(self, now_s: float) -> float:
        places = (self.start, self.low, self.high, self.start)
        legs = min(max(0.0, now_s - self.start_s) / self.leg_s, len(places) - 1.0)
        leg = min(int(legs), len(places) - 2)
        return places[leg] + (places[leg + 1] - places[leg]) * (legs - leg)


@dataclass(slots=True)
class Joint:
    """One joint with its motor; `servo` holds what the bus sees of it."""

    servo: Servo
    low: float  # mechanical stops, counts
    high: float
    angle: float = 0.0
    friction: float = _BACKDRIVE
    clears: Clears = Clears.GOAL
    velocity: float = 0.0  # counts/s
    drive: float = 0.0  # PWM, permille, signed
    current_a: float = 0.0
    temperature_c: float = ROOM_C + 5
    stuck: bool = False
    hand: Hand | Sweep | None = None
    heat: Hand | None = None  # a scripted temperature instead of the motor's own
    tripped: bool = False
    _ahead: float = 0.0  # of the set point over the position
    _set_speed: float = 0.0
    _overload_s: float = 0.0
    _overcurrent_s: float = 0.0
    _overcurrent: bool = False
    _was_on: bool = False
    _goal_at_trip: int = 0
    _errors: int = field(default=0)

    def reboot(self) -> None:
        """The servo lost its power for a moment."""
        self.servo.power_on()
        self.tripped = self._overcurrent = self._was_on = False
        self._overload_s = self._overcurrent_s = self._ahead = self._set_speed = self.drive = 0.0

    def step(self, dt_s: float, now_s: float, gravity: float, volts: float, nominal_v: float) -> None:
        """One small step of time, then the registers that tell of it."""
        on = self.servo.memory[Reg.TORQUE_ENABLE] == 1 and self.servo.memory[Reg.MODE] == 0
        top = TOP_SPEED * volts / nominal_v
        self._guards(dt_s, on)
        self.drive = self._drive(dt_s) if on else 0.0
        if not on:
            self._ahead = self._set_speed = 0.0
        self._was_on = on
        self._move(dt_s, now_s, gravity, top, on)
        self.current_a = STALL_A * (self.drive / 1000 - self.velocity / top if self.drive else 0.0)
        self._warm(dt_s, now_s)
        self._tell(volts)

    # drive

    def _drive(self, dt_s: float) -> float:
        """PWM of the position loop with its speed and acceleration profile."""
        servo = self.servo
        goal_ahead = servo.target() - self._position()
        self._profile(goal_ahead, dt_s)
        drive = _PERMILLE_PER_COUNT * servo.memory[Reg.P] * self._ahead
        limit = float(servo.get(Reg.TORQUE_LIMIT))
        if self.tripped:
            limit = min(limit, 10.0 * servo.memory[Reg.PROTECTIVE_TORQUE])
        if self._overcurrent or self._unloads(Err.TEMPERATURE) or self._unloads(Err.VOLTAGE):
            limit = 0.0
        return max(-limit, min(limit, drive))

    def _position(self) -> float:
        position = self.servo.counts - self.servo.get(Reg.HOMING_OFFSET)
        return position if self.servo.memory[Reg.PHASE] & 0x10 else position % TURN

    def _profile(self, goal_ahead: float, dt_s: float) -> None:
        """Moves the set point to the goal: register 46 caps its speed, 41 its acceleration; 0 is no cap."""
        speed = float(abs(self.servo.get(Reg.GOAL_SPEED))) or math.inf
        acceleration = 100.0 * self.servo.memory[Reg.ACCELERATION] or math.inf
        gap = goal_ahead - self._ahead
        if math.isinf(speed) and math.isinf(acceleration):
            self._ahead, self._set_speed = goal_ahead, 0.0
            return
        fastest = min(speed, abs(gap) / dt_s)
        if not math.isinf(acceleration):
            fastest = min(fastest, math.sqrt(2 * acceleration * abs(gap)))
            change = math.copysign(fastest, gap) - self._set_speed
            self._set_speed += max(-acceleration * dt_s, min(acceleration * dt_s, change))
        else:
            self._set_speed = math.copysign(fastest, gap)
        self._ahead += self._set_speed * dt_s
        # a set point far ahead of a joint that cannot follow waits for it
        reach = 1000.0 / _PERMILLE_PER_COUNT
        self._ahead = max(-reach, min(reach, self._ahead))

    # mechanics

    def _move(self, dt_s: float, now_s: float, gravity: float, top: float, on: bool) -> None:
        before = self.angle
        if self.hand is not None:
            self.angle = max(self.low, min(self.high, self.hand.at(now_s)))
            self.velocity = (self.angle - before) / dt_s
        elif self.stuck:
            self.velocity = 0.0
        else:
            force = self.drive + gravity
            friction = _FRICTION if on else self.friction
            wanted = 0.0
            if abs(force) > friction:
                wanted = (force - math.copysign(friction, force)) / 1000 * top
            self.velocity += (wanted - self.velocity) * (1 - math.exp(-dt_s / _LAG_S))
            self.angle += self.velocity * dt_s
            if not self.low <= self.angle <= self.high:
                self.angle = max(self.low, min(self.high, self.angle))
                self.velocity = 0.0
        moved = self.angle - before
        self.servo.counts += moved
        self._ahead -= moved

    # guards of the firmware

    def _guards(self, dt_s: float, on: bool) -> None:
        servo = self.servo
        hot = abs(self.drive) / 10 >= max(1, servo.memory[Reg.OVERLOAD_TORQUE])
        self._overload_s = self._overload_s + dt_s if hot and on else 0.0
        if self._overload_s > servo.memory[Reg.PROTECTION_TIME] / 100 and not self.tripped:
            self.tripped = bool(servo.memory[Reg.UNLOADING] & Err.OVERLOAD)
            self._errors |= Err.OVERLOAD
            self._goal_at_trip = servo.get(Reg.GOAL_POSITION)
        limit_a = servo.get(Reg.PROTECTION_CURRENT) * AMPERE_PER_COUNT
        over = on and abs(self.current_a) > limit_a
        self._overcurrent_s = self._overcurrent_s + dt_s if over else 0.0
        if self._overcurrent_s > servo.memory[Reg.OVERCURRENT_TIME] / 100:
            self._overcurrent = bool(servo.memory[Reg.UNLOADING] & Err.CURRENT)
            self._errors |= Err.CURRENT
        toggled = on and not self._was_on
        renewed = servo.get(Reg.GOAL_POSITION) != self._goal_at_trip
        if (toggled and self.clears is not Clears.POWER) or (
            self.tripped and renewed and self.clears is Clears.GOAL
        ):
            self.tripped = self._overcurrent = False
            self._overload_s = self._overcurrent_s = 0.0
        if not self.tripped:
            self._errors &= ~Err.OVERLOAD
        if not self._overcurrent:
            self._errors &= ~Err.CURRENT

    def _unloads(self, bit: int) -> bool:
        return bool(self._errors & bit & self.servo.memory[Reg.UNLOADING])

    def _warm(self, dt_s: float, now_s: float) -> None:
        if self.heat is not None:
            self.temperature_c = self.heat.at(now_s)
            return
        heating = _HEAT_C * (self.current_a / STALL_A) ** 2
        self.temperature_c += (heating - (self.temperature_c - ROOM_C)) * dt_s / _HEAT_S

    def _tell(self, volts: float) -> None:
        """Write what is measured into the registers."""
        servo = self.servo
        tenths = round(volts * 10)
        wrong_volts = not servo.memory[Reg.MIN_VOLTAGE] <= tenths <= servo.memory[Reg.MAX_VOLTAGE]
        too_hot = self.temperature_c >= servo.memory[Reg.MAX_TEMPERATURE]
        self._errors &= Err.OVERLOAD | Err.CURRENT | Err.ENCODER
        self._errors |= (Err.VOLTAGE if wrong_volts else 0) | (Err.TEMPERATURE if too_hot else 0)
        servo.refresh_position()
        servo.set(Reg.PRESENT_SPEED, round(self.velocity))
        servo.set(Reg.PRESENT_LOAD, round(self.drive))
        servo.set(Reg.PRESENT_VOLTAGE, tenths)
        servo.set(Reg.PRESENT_TEMPERATURE, round(self.temperature_c))
        servo.set(Reg.PRESENT_CURRENT, round(self.current_a / AMPERE_PER_COUNT))
        servo.set(Reg.MOVING, int(abs(self.velocity) > _MOVING))
        servo.set_error(self._errors)
