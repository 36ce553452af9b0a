"""Health of an arm of servos: what their figures mean for it. Pure: readings in, findings out.

A finding is told once, when it begins; what it asks of the arm lasts until it is over or acknowledged. Sources: the
STS3215's memory table (protection registers, error bits) and its bench figures (sag 1.8 to 2.6 degrees under load).
No single reading acts: a damaged packet may pass its sum, see `agreement`.
Units: degrees (gripper: percent), seconds of the caller's clock, percent of a servo's torque.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.robot.agreement import Agreement
from workers.robot.bus import NOISE
from workers.robot.drivers import ArmReading, ServoHealth
from workers.robot.figures import GRIPPER, JOINT_NAMES, Floats
from workers.robot.stall import STALL_ERROR_DEG, StallWatch
from workers.robot.warmth import Warmth

Flags = NDArray[np.bool_]
STALL_TORQUE_PCT: Final = 20.0
DERATED_PCT: Final = 50.0
LOAD_PCT, LOAD_S = 80.0, 1.0  # the servo's own overload guard trips at 80 % after 2 s (registers 35, 36)
SAG, SAG_S = 0.9, 0.18  # of the nominal voltage; 0.2 s with the period in which a second reading agrees
MISSES_HOLD: Final = 3  # replies in a row: 60 ms at 50 Hz; until then the last good figures stand in
MISSES_LATCH_S: Final = 1.0
RISES_C_MIN, SOON_MIN = 1.5, 3.0  # a trend that is told, and how many minutes ahead
LOOK_S: Final = 0.1  # between two looks at what changes slowly
HYSTERESIS_C, HYSTERESIS_V = 2.0, 0.02
_TEMPERATURE_BIT: Final = 1 << 2
LATE: Final = (
    "they answer, but too late: this computer or its USB is busy, or the adapter holds bytes back. End other programs, "
    "try another USB socket, without a hub; `hilserl-worker scan-arm` tells of the adapter's latency timer"
)
ACKNOWLEDGE: Final = "ctrl+e, then y acknowledges; the arm then starts slowly"


class Demand(StrEnum):
    """What a finding asks of the arm."""

    NOTHING = "nothing"  # the operator is told
    STOP = "stop"  # hold where the arm is, until somebody acknowledges
    PARK = "park"  # to the rest pose, then torque off


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the operator must know: what happened, and then the likely cause and what to do."""

    what: str
    advice: str
    demand: Demand = Demand.NOTHING
    comes: bool | None = None
    """Of what may come and go quickly: it begins, or it is over."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is too much. `nominal_v`: of the supply; `caps_pct` [6]: torque limits while all is well."""

    push: Floats  # [6] share of a stall's error and effort that the gate lets a blocked joint reach, see `pushes`
    stall_load_pct: float = 60.0
    warn_c: float = 55.0
    derate_c: float = 60.0
    park_c: float = 65.0
    nominal_v: float = 12.0
    caps_pct: Floats = field(default_factory=lambda: np.array([100.0] * GRIPPER + [50.0]))

    @staticmethod
    def pushes(lead_deg: Floats) -> Floats:
        """Of a lead [6]. A servo pushes in proportion to its error, and the gate bounds that to the lead: where it
        is less than 60 steps, a blocked joint is at the end of its lead and pushes that much less."""
        return np.minimum(1.0, lead_deg / STALL_ERROR_DEG)


class Health:
    """Watches one arm, reading by reading."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._limits, self._agreed = thresholds, Agreement()
        self._stall_watch = StallWatch(thresholds.push, thresholds.stall_load_pct)
        self._loaded_s = np.full(len(JOINT_NAMES), np.inf)
        self._loaded = False  # any of them, in the last reading
        self._sagging_s = np.inf
        self._silent_s = np.inf
        self._look_s = -np.inf  # when heat, supply and error bits are looked at again
        self._told: dict[str, int] = {}  # of conditions that last: how bad they were when last told
        self._warmth = Warmth()
        self._heat = np.zeros(len(JOINT_NAMES), np.int64)  # 0 fine, 1 warm, 2 hot, 3 too hot
        self.silent = ""
        """Why the arm must hold for want of replies, "" while all servos answer. No latch: it ends by itself."""

    @property
    def caps_pct(self) -> Floats:
        """Torque limits [6] that are right now; the same object where nothing takes any off."""
        caps, stalled = self._limits.caps_pct, self._stall_watch.stalled
        if True not in stalled.tolist() and not any(self._heat.tolist()):
            return caps
        caps = caps.copy()
        caps[self._heat >= 2] = np.minimum(caps[self._heat >= 2], DERATED_PCT)
        caps[stalled] = np.minimum(caps[stalled], STALL_TORQUE_PCT)
        return caps

    @property
    def too_hot(self) -> bool:
        """A servo is not yet back below the temperature at which its torque is halved."""
        return "too hot" in self._told

    @property
    def warmth(self) -> str:
        """Servos that are above the warning temperature, in words, "" while there is none."""
        warm = self._heat >= 1
        return self._warmth.words(warm) if warm.any() else ""

    def acknowledge(self) -> None:
        """A person has seen to what stopped the arm: full torque again, and whatever is still wrong is told anew."""
        self._stall_watch.acknowledge()
        self._agreed.forget(
            0xFF & ~_TEMPERATURE_BIT
        )  # a servo that gave up for heat cools down, whoever says what
        for name in [name for name in self._told if name.startswith("bits")]:
            del self._told[name]

    def take(self, reading: ArmReading, goal_deg: Floats, now_s: float) -> list[Finding]:
        """What begins with this reading, of an arm that was sent to `goal_deg` [6]."""
        health = reading.health
        if health is None:
            return []
        return [
            *self._silence(health, now_s),
            *(self._state(health, now_s) if self._is_due(health, now_s) else ()),
            *self._stall(reading, health, goal_deg, now_s),
            *self._load(health, now_s),
        ]

    def _is_due(self, health: ServoHealth, now_s: float) -> bool:
        """Whether to look at what the servos say of themselves: it nearly always is what they said before."""
        changed = self._agreed.take(health) or True in health.unpowered
        if not changed and not self._told and self._sagging_s == np.inf and now_s < self._look_s:
            return False
        self._look_s = now_s + LOOK_S
        return True

    def _state(self, health: ServoHealth, now_s: float) -> Iterator[Finding]:
        yield from self._bits(health)
        yield from self._power(health)
        yield from self._temperature(now_s)
        yield from self._voltage(now_s)

    def _silence(self, health: ServoHealth, now_s: float) -> Iterator[Finding]:
        most = max(health.misses)
        if most < MISSES_HOLD:
            if self.silent and not most:
                self.silent, self._silent_s = "", np.inf
                yield Finding("all servos answer again", "the arm goes on when it is sent", comes=False)
            return
        silent = np.array(health.misses) >= MISSES_HOLD
        missed = [joint for joint, misses in enumerate(health.misses) if misses >= MISSES_HOLD]
        names = _names(silent)
        reply, hint = "reply", chain_hint(silent)
        if any(2 * health.garbled[joint] >= health.misses[joint] for joint in missed):
            reply, hint = "readable reply", NOISE
        elif any(health.belated[joint] for joint in missed):
            reply, hint = "reply in time", LATE
        if not self.silent:
            self._silent_s = now_s
            self.silent = f"{names}: no {reply} for {MISSES_HOLD} readings"
            yield Finding(self.silent, hint, comes=True)
        elif now_s - self._silent_s > MISSES_LATCH_S and np.isfinite(self._silent_s):
            self._silent_s = np.inf
            what = f"{names}: no {reply} for {MISSES_LATCH_S:.0f} s; the arm is stopped"
            yield Finding(what, f"{hint}; {ACKNOWLEDGE}", Demand.STOP)

    def _bits(self, health: ServoHealth) -> Iterator[Finding]:
        if not self._agreed.error_bits.any() and not any(name.startswith("bits") for name in self._told):
            return
        for bit, (word, advice) in _BITS.items():
            begins = [
                self._begins(f"bits {joint} {bit}", bits >> bit & 1)
                for joint, bits in enumerate(self._agreed.error_bits.tolist())
            ]
            if not any(begins):
                continue
            if bit == 2:
                self._told["too hot"] = 1
            least_v = min(volts for volts, one in zip(health.voltage_v, begins, strict=True) if one)
            volts = f" at {least_v:.1f} V" if bit == 0 else ""
            demand = {2: Demand.PARK, 4: Demand.NOTHING, 6: Demand.NOTHING, 7: Demand.NOTHING}.get(
                bit, Demand.STOP
            )
            says = "reports" if sum(begins) == 1 else "report"
            yield Finding(f"{_names(np.array(begins))} {says} {word}{volts}", advice, demand)

    def _power(self, health: ServoHealth) -> Iterator[Finding]:
        """Servos that restarted: their torque is off, and only theirs."""
        limp = [
            name
            for name, is_limp in zip(JOINT_NAMES, health.unpowered, strict=True)
            if self._begins(f"bits {name} unpowered", is_limp)
        ]
        if limp:
            advice = f"a weak supply, or a loose plug on the way there; hold the arm, check both, then {ACKNOWLEDGE}"
            yield Finding(f"{', '.join(limp)} lost power for a moment: limp now", advice, Demand.STOP)

    def _temperature(self, now_s: float) -> Iterator[Finding]:
        limits, before = self._limits, self._heat.copy()
        at_least_c, at_most_c = self._agreed.at_least_c, self._agreed.at_most_c
        if self._warmth.take(at_least_c, now_s):
            yield from self._trend(at_least_c)
        if not before.any() and not self.too_hot and at_least_c.max() < limits.warn_c:
            return
        for level, limit in ((1, limits.warn_c), (2, limits.derate_c), (3, limits.park_c)):
            self._heat = np.where(at_least_c >= limit, np.maximum(self._heat, level), self._heat)
            cooled = at_most_c < limit - HYSTERESIS_C
            self._heat = np.where(cooled, np.minimum(self._heat, level - 1), self._heat)
        gave_up = (self._agreed.error_bits & _TEMPERATURE_BIT).any()
        if self.too_hot and (at_most_c < limits.derate_c).all() and not gave_up:
            del self._told["too hot"]
            yield Finding("the servos have cooled down", ACKNOWLEDGE)
        for joint in np.flatnonzero(self._heat > before).tolist():
            at = f"{JOINT_NAMES[joint]} is at {at_least_c[joint]:.0f} °C"
            if self._heat[joint] == 1:
                advice = f"the next episode waits until it is cooler; at {limits.derate_c:.0f} its torque is halved"
                yield Finding(f"{at}: warm", advice)
            elif self._heat[joint] == 2:
                advice = f"let it rest, or take load off; at {limits.park_c:.0f} the arm parks"
                yield Finding(f"{at}: its torque is halved", advice)
            else:
                self._told["too hot"] = 1
                advice = f"let it cool below {limits.derate_c:.0f}, then {ACKNOWLEDGE}"
                yield Finding(f"{at}: too hot, the arm parks and goes limp", advice, Demand.PARK)

    def _trend(self, at_least_c: Floats) -> Iterator[Finding]:
        """Servos that will soon be warm, before they are."""
        warn_c, rises = self._limits.warn_c, self._warmth.rise_c_min
        for joint, rise_c_min in enumerate(rises.tolist()):
            left_c = warn_c - at_least_c[joint]
            soon = self._heat[joint] == 0 and rise_c_min >= RISES_C_MIN and left_c <= SOON_MIN * rise_c_min
            if left_c > SOON_MIN * max(RISES_C_MIN, rise_c_min) + HYSTERESIS_C:
                self._told.pop(f"trend {joint}", None)
            if soon and self._begins(f"trend {joint}", 1):
                what = f"{JOINT_NAMES[joint]} is at {at_least_c[joint]:.0f} °C and gains {rise_c_min:.1f} °C a minute"
                advice = (
                    f"in {left_c / rise_c_min:.0f} min it is warm ({warn_c:.0f}); then episodes wait for it"
                )
                yield Finding(what, advice)

    def _voltage(self, now_s: float) -> Iterator[Finding]:
        nominal, volts = self._limits.nominal_v, self._agreed.at_most_v
        recovered = min(self._agreed.at_least_v.tolist())
        if recovered >= (SAG + HYSTERESIS_V) * nominal:
            self._told.pop("voltage", None)
        if recovered >= SAG * nominal:
            self._sagging_s = np.inf
        least = min(volts.tolist())
        if least >= SAG * nominal:
            return
        self._sagging_s = min(self._sagging_s, now_s)
        if now_s - self._sagging_s >= SAG_S and self._begins("voltage", 1):
            joint = JOINT_NAMES[int(volts.argmin())]
            advice = f"a {nominal:g} V supply is too weak, or its cable: it should give 5 A or more"
            yield Finding(f"the supply sags to {least:.1f} V at {joint}", advice)

    def _stall(
        self, reading: ArmReading, health: ServoHealth, goal_deg: Floats, now_s: float
    ) -> Iterator[Finding]:
        if self._stall_watch.rests(health.load_pct, reading.current_a):
            return
        error_deg = np.abs(goal_deg - reading.joints_deg)
        load_pct, new = np.array(health.load_pct), np.array(health.misses) == 0
        found = self._stall_watch.take(reading.joints_deg, goal_deg, load_pct, reading.current_a, new, now_s)
        for joint in np.flatnonzero(found).tolist() if found.any() else ():
            work = f"load {abs(health.load_pct[joint]):.0f} %, {abs(reading.current_a[joint]):.1f} A"
            what = f"{JOINT_NAMES[joint]} is stalled: {error_deg[joint]:.1f}° off its goal, {work}"
            advice = (
                f"something blocks it, or the load is too heavy; it pushes with {STALL_TORQUE_PCT:.0f} % now. "
                f"Free the arm; {ACKNOWLEDGE}"
            )
            yield Finding(what, advice, Demand.STOP)

    def _load(self, health: ServoHealth, now_s: float) -> Iterator[Finding]:
        if not self._loaded and max(map(abs, health.load_pct)) < LOAD_PCT:
            return
        heavy = np.abs(health.load_pct) >= LOAD_PCT
        self._loaded = bool(heavy.any())
        self._loaded_s = np.where(heavy, np.minimum(self._loaded_s, now_s), np.inf)
        begins = [
            self._begins(f"load {joint}", now_s - since_s >= LOAD_S)
            for joint, since_s in enumerate(self._loaded_s.tolist())
        ]
        if any(begins):
            load = float(np.abs(health.load_pct)[begins].max())
            advice = "a servo's own guard unloads it after 2 s of that; lighten the load, or move slower"
            works = "works" if sum(begins) == 1 else "work"
            yield Finding(f"{_names(np.array(begins))} {works} at {load:.0f} % of the torque", advice)

    def _begins(self, name: str, on: int | bool) -> bool:
        """Whether a condition is new."""
        if not on:
            self._told.pop(name, None)
            return False
        new = name not in self._told
        self._told[name] = 1
        return new


def chain_hint(silent: Flags) -> str:
    """Where to look when these servos [6] do not answer: they hang on one chain, in motor order."""
    missing = [joint for joint, is_silent in enumerate(silent) if is_silent]
    if len(missing) == len(JOINT_NAMES):
        return "no servo answers: check the supply's plug and switch, then the cable from the board to the first servo"
    first = missing[0]
    if missing == list(range(first, len(JOINT_NAMES))) and first > 0:
        before = JOINT_NAMES[first - 1]
        return f"the chain breaks after id {first} ({before}): check the cable from there to id {first + 1}"
    ids = ", ".join(str(joint + 1) for joint in missing)
    return (
        f"the servos behind it answer: check the plugs of id {ids} and its supply; `hilserl-worker scan-arm` tells "
        "whether it has another id, or one that is there twice"
    )


def _names(which: Flags) -> str:
    return ", ".join(name for name, is_one in zip(JOINT_NAMES, which, strict=True) if is_one)


_BITS: Final = {
    0: (
        "a wrong supply voltage",
        f"is the supply the one of these servos, strong enough, and its plug home? Then {ACKNOWLEDGE}",
    ),
    1: (
        "a broken encoder",
        f"hold the arm, switch the supply off and on, then {ACKNOWLEDGE}; if it comes back, the servo is defective",
    ),
    2: ("overheating", f"the servo gave up by itself; let it cool down, then {ACKNOWLEDGE}"),
    3: ("too much current", f"something blocks it, or its cable is damaged; free it, then {ACKNOWLEDGE}"),
    5: (
        "overload",
        f"it has little torque now. Take the load off, then {ACKNOWLEDGE}; "
        "if it comes back, switch the supply off and on, holding the arm",
    ),
    **{
        bit: (
            f"an error that has no name (bit {bit} of its status)",
            "the arm goes on; Feetech's own tool shows what that firmware means by it",
        )
        for bit in (4, 6, 7)
    },
}
"""Error bits of a status packet: what they say, and what to do. Who does not know what is wrong stops nothing."""
