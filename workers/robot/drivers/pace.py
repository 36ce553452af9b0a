"""How fast servos answer over their adapter: a bus that is too slow for a control loop is told before any torque.

In mid-session it is only told. The arm holds by its torque then, and whoever refuses it can neither move nor park it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from workers.robot.bus import Bus, BusCorrupt, BusTimeout
from workers.robot.bus.latency import SYSFS, latency_fix
from workers.robot.drivers import ArmRefused
from workers.robot.drivers.servos import MOTOR_IDS
from workers.robot.drivers.sts3215 import STATE_ADDRESS, STATE_LENGTH

CYCLES: Final = 25
LIMIT_MS: Final = 10.0  # of the 20 ms of a tick at 50 Hz; a good adapter takes 2 ms (measured)
PATIENCE_S: Final = (
    0.04  # for a reply: longer than the slowest latency timer, or the slow ones would not be seen
)
_WITHIN_S: Final = 0.8  # for all of it, on a line that loses replies
_FRUITLESS: Final = 6  # cycles without everybody, before somebody is taken for missing
_LEAST: Final = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds of one reading of everything that six servos measure; 0 where too few were answered in full."""

    median_ms: float
    p99_ms: float

    @property
    def is_slow(self) -> bool:
        return self.median_ms > LIMIT_MS


def pace_of(bus: Bus) -> Pace:
    """Measured in `CYCLES` readings, which wait longer for replies than a run would. Raises BusGone."""
    taken_ms: list[float] = []
    until_s, fruitless = bus.port.now_s() + _WITHIN_S, 0
    for _ in range(4 * CYCLES):
        begun_s = bus.port.now_s()
        given_up = not taken_ms and fruitless == _FRUITLESS
        if len(taken_ms) == CYCLES or begun_s > until_s or given_up:
            break
        try:
            complete = len(bus.sync_read(MOTOR_IDS, STATE_ADDRESS, STATE_LENGTH, PATIENCE_S)) == len(
                MOTOR_IDS
            )
        except (BusCorrupt, BusTimeout):
            complete = False
        if complete:
            taken_ms.append((bus.port.now_s() - begun_s) * 1e3)
        fruitless += not complete
    if len(taken_ms) < _LEAST:
        return Pace(0.0, 0.0)
    median, p99 = np.percentile(taken_ms, [50, 99])
    return Pace(float(median), float(p99))


def judge_pace(bus: Bus, what: str, sysfs: Path = SYSFS, again: bool = False) -> str:
    """What to tell the operator about the bus of the arm `what`, "" of a quick one.

    Raises ArmRefused where most readings take too long, unless the arm is opened `again`: then its replies are waited
    for as long as they take. Raises BusGone.
    """
    pace = pace_of(bus)
    if pace.is_slow:
        pace = min(
            pace, pace_of(bus), key=lambda each: each.median_ms or pace.median_ms
        )  # once is no adapter
    told = f"in {pace.median_ms:.1f} ms (median of {CYCLES}), one in a hundred in {pace.p99_ms:.1f} ms"
    if pace.is_slow and not again:
        raise ArmRefused(
            f"{what}: the bus is too slow to drive an arm by: all servos are read {told}, and it must be less than "
            f"{LIMIT_MS:.0f} ms. {latency_fix(bus.port.name, sysfs)}. No torque was switched on"
        )
    if pace.is_slow:
        bus.reply_s = PATIENCE_S
        return (
            f"{what}: the bus has become slow: all servos are read {told}, and it should be less than "
            f"{LIMIT_MS:.0f} ms. The arm is kept, and answers late: end this run soon. "
            f"{latency_fix(bus.port.name, sysfs)}"
        )
    if pace.p99_ms > LIMIT_MS:
        return (
            f"{what}: all servos are read {told}: something keeps this computer or its USB busy now and then, and the "
            "arm then answers late. Other programs are the likely cause; the adapter is quick enough"
        )
    return ""
