"""How long it takes until an emulated arm is safe again, after whatever goes wrong; and how far it goes meanwhile.

A robot worker and its guardian drive an emulated arm, which an actor swings to and fro at up to 40 degrees a second.
Times are from the fault to the last write of a goal that the servos saw, or to the state that the robot worker
publishes right after such a write. All on one machine's monotonic clock.

    python -m benchmarks.safety --rounds 5
"""

import argparse
import asyncio
import os
import random
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.arm_cell import ArmCell, arm_cell
from hilserl_tui.own_lines import StopLine
from tests.robot.emulated import block, configuration, seen
from workers.model.events import GateMode
from workers.model.state import ConsoleState
from workers.station.server import Server
from workers.station.stills import Stills

PRESSES = 10  # of the stop key, a round
BUSY_S = 10.0  # over which the robot worker's processor time is taken, a round
JOINTS = slice(0, 5)


@dataclass
class Figure:
    """What was measured of one promise."""

    name: str
    wanted: float
    unit: str = "ms"
    values: list[float] = field(default_factory=list)

    def line(self) -> str:
        values = sorted(self.values)
        if not values:
            return f"{self.name:44}  not measured"
        p99 = values[min(len(values) - 1, int(len(values) * 0.99))]
        verdict = "ok" if p99 <= self.wanted else "TOO SLOW"
        median = values[len(values) // 2]
        return (
            f"{self.name:44}{median:9.1f}{p99:9.1f}{self.wanted:9.1f} {self.unit:4}{len(values):5}  {verdict}"
        )


class Figures:
    def __init__(self) -> None:
        self.killed = Figure("actor killed: hold", 200.0)
        self.hung = Figure("actor hung: hold", 200.0)
        self.camera = Figure("camera lost: hold", 500.0)
        self.dead = Figure("robot worker killed: goals frozen", 200.0)
        self.travel = Figure("robot worker killed: travel", 3.5, "deg")
        self.frozen = Figure("robot worker hung: goals frozen", 700.0)
        self.stall = Figure("stall: goal = present, torque 20 %", 450.0)
        self.silent = Figure("one servo silent: the others hold", 100.0)
        self.stop = Figure("stop key on its socket: goal on the bus", 100.0)
        self.gone = Figure("serial port unplugged: fault", 60.0)
        self.busy = Figure("robot worker, arm moving: share of a core", 5.0, "%")

    def all(self) -> list[Figure]:
        return [value for value in vars(self).values() if isinstance(value, Figure)]


async def round_of(cell: ArmCell, figures: Figures, stops: "Stops") -> None:
    """Every fault once, in random phases of the swing."""
    faults: list[Callable[[ArmCell, Figures], Awaitable[None]]] = [
        actor_killed, actor_hung, camera_lost, robot_killed, robot_hung, stalled, silenced, unplugged,
    ]  # fmt: skip
    await busy(cell, figures)
    for fault in faults:
        await asyncio.sleep(random.uniform(0.0, 3.0))
        await fault(cell, figures)
        await cell.again()
    for _ in range(PRESSES):
        await asyncio.sleep(random.uniform(0.0, 0.5))
        await stops.press(cell, figures)
        cell.word.clear()
        await cell.until(lambda: cell.mode is GateMode.HOLD)
    await cell.again()


async def busy(cell: ArmCell, figures: Figures) -> None:
    before_s = processor_s(cell.pid("robot"))
    await asyncio.sleep(BUSY_S)
    figures.busy.values.append(100.0 * (processor_s(cell.pid("robot")) - before_s) / BUSY_S)


def processor_s(pid: int) -> float:
    """Time that all threads of a process had, in the kernel too; proc(5), utime and stime."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def held_after(cell: ArmCell, act: Callable[[], object], figure: Figure) -> None:
    await cell.until(lambda: cell.mode is GateMode.ENGAGED)
    began_s = time.monotonic()
    act()
    await cell.until(
        lambda: cell.mode in (GateMode.HOLD, GateMode.STOPPED) and cell.state["at_ns"] > began_s * 1e9
    )
    figure.values.append((float(cell.state["at_ns"]) / 1e9 - began_s) * 1e3)


async def actor_killed(cell: ArmCell, figures: Figures) -> None:
    await held_after(cell, lambda: os.kill(cell.pid("actor"), signal.SIGKILL), figures.killed)


async def actor_hung(cell: ArmCell, figures: Figures) -> None:
    await held_after(cell, lambda: os.kill(cell.pid("actor"), signal.SIGSTOP), figures.hung)


async def camera_lost(cell: ArmCell, figures: Figures) -> None:
    await held_after(cell, lambda: os.kill(cell.pid("camera"), signal.SIGKILL), figures.camera)


async def robot_killed(cell: ArmCell, figures: Figures) -> None:
    before = seen(cell.bus).joints_deg[JOINTS]
    await frozen_after(cell, signal.SIGKILL, figures.dead)
    furthest = 0.0
    until_s = time.monotonic() + 0.15  # before the next worker asks for the port
    while time.monotonic() < until_s:
        travelled = np.abs(seen(cell.bus).joints_deg[JOINTS] - before).max()
        furthest = max(furthest, float(travelled))
        await asyncio.sleep(0.002)
    figures.travel.values.append(furthest)


async def robot_hung(cell: ArmCell, figures: Figures) -> None:
    await frozen_after(cell, signal.SIGSTOP, figures.frozen)


async def frozen_after(cell: ArmCell, number: int, figure: Figure) -> None:
    began_s, pid = time.monotonic(), cell.pid("robot")
    os.kill(pid, number)
    await cell.until(lambda: bool(cell.guarded["pid"] == pid))
    figure.values.append((float(cell.guarded["taken_ns"]) / 1e9 - began_s) * 1e3)
    await cell.until(
        lambda: cell.pid("robot") != pid and cell.mode is GateMode.STOPPED and not cell.guarded["holding"]
    )


async def stalled(cell: ArmCell, figures: Figures) -> None:
    """From the moment at which the blocked joint is as far off its goal as the gate lets it be first.

    The swing may turn round meanwhile, and push it the other way.
    """
    bound = 0.95 * cell.config.env.arm.lead_limits[0]

    def error() -> float:
        return float(cell.state["goal"][0] - cell.state["joints"][0])

    block(cell.bus, "shoulder_pan", True)
    try:
        began_s = await cell.until(lambda: abs(error()) >= bound)
        await cell.until(lambda: cell.mode is GateMode.STOPPED)
        figures.stall.values.append((float(cell.state["at_ns"]) / 1e9 - began_s) * 1e3)
        assert seen(cell.bus).limits_permille[0] == 200, "torque limit of the stalled joint, per mille"
    finally:
        block(cell.bus, "shoulder_pan", False)


async def silenced(cell: ArmCell, figures: Figures) -> None:
    await held_after(cell, lambda: cell.bus.script("silent", ids=[6], count=0), figures.silent)
    assert "gripper" in cell.state["reason"].decode(), cell.state["reason"]
    cell.bus.clear()


async def unplugged(cell: ArmCell, figures: Figures) -> None:
    began_s = time.monotonic()
    cell.bus.unplug()
    await cell.until(lambda: cell.mode is GateMode.STOPPED)
    figures.gone.values.append((float(cell.state["at_ns"]) / 1e9 - began_s) * 1e3)
    cell.bus.replug()
    await cell.until(lambda: "is back" in cell.state["reason"].decode())


class Stops:
    """The station's stop socket, and the line that a console has to it."""

    def __init__(self, cell: ArmCell, folder: Path) -> None:
        path = folder / "stop.sock"
        self.server = Server(
            path,
            ConsoleState,
            lambda command: None,
            lambda by: cell.word.stop(),
            lambda: None,
            Stills(cell.board).answer,
        )
        self._line = StopLine(path, "benchmark")

    async def press(self, cell: ArmCell, figures: Figures) -> None:
        began_s = time.monotonic()
        await asyncio.to_thread(self._line.stop)
        await cell.until(lambda: cell.mode is GateMode.STOPPED)
        figures.stop.values.append((float(cell.state["at_ns"]) / 1e9 - began_s) * 1e3)


async def measure(folder: Path, rounds: int, show: Callable[[str], None]) -> Figures:
    figures = Figures()
    async with arm_cell(lambda bus: configuration(bus, folder), folder) as cell:
        stops = Stops(cell, folder)
        await stops.server.start()
        await cell.begin()
        for number in range(rounds):
            show(f"round {number + 1} of {rounds}")
            await round_of(cell, figures, stops)
        began_s = time.monotonic()
        cell.stop_helpers()
        await stops.server.close()
    show(f"parked and left after {time.monotonic() - began_s:.1f} s")
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), args.rounds, lambda text: print(text, flush=True)))
    print(f"{'from the fault until the arm is safe':44}{'median':>9}{'p99':>9}{'wanted':>9}")
    for figure in figures.all():
        print(figure.line())


if __name__ == "__main__":
    main()
