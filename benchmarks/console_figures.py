"""What a console costs and how late it is: one function a figure, each on a station of a made-up run."""

import asyncio
import logging
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.made_up_station import PERIOD_S, MadeUpStation
from benchmarks.on_pty import ProgramOnPty, ThinLine
from tests.console.small_terminal import SmallTerminal
from workers.model.commands import Drive
from workers.runtime.harness import Desk
from workers.station.handle import WorkerHandle, WorkerSpec

SMALL, LARGE = (120, 40), (200, 60)
SETTLE_S = 2.0
TOUR = b"12345682"  # every screen, and back to the running job
UP, DOWN = b"\x1b[A", b"\x1b[B"
UP_RELEASED = b"\x1b[1;1:3A"
LONG_DISTANCE = ThinLine(bits_per_s=1e6, delay_s=0.04)
LAG_PERIOD_S = 0.005
_CLOCK = re.compile(r"clock (\d+) ms")


class Figure(NamedTuple):
    what: str
    wanted: float
    measured: float
    unit: str
    more: str = ""


@contextmanager
def attached(
    station: MadeUpStation,
    size: tuple[int, int] = SMALL,
    line: ThinLine | None = None,
    code: str = "",
    on_drawn: Callable[[bytes], None] = lambda _: None,
    releases: bool = False,
) -> Iterator[ProgramOnPty]:
    """A console on Train, attached to `station`; of `code` instead of the command where it is given."""
    how = ["-c", code] if code else ["-m", "hilserl_tui.cli"]
    program = ProgramOnPty(
        [sys.executable, *how, "attach"], dict(os.environ), size, line, on_drawn, releases=releases
    )
    try:
        program.until(b"POLICY", b"HUMAN")
        time.sleep(1.0)
        program.press(b"2")
        time.sleep(SETTLE_S)
        yield program
    finally:
        station.hush()
        program.close()


def share(figures: list[float], part: float) -> float:
    """The figure below which `part` of them are."""
    return sorted(figures)[min(len(figures) - 1, int(len(figures) * part))]


def start(station: MadeUpStation, runs: int) -> Figure:
    times = []
    for _ in range(runs):
        program = ProgramOnPty([sys.executable, "-m", "hilserl_tui.cli", "attach"], dict(os.environ))
        times.append(program.until(b"POLICY"))
        time.sleep(0.3)
        program.close()
    words = f"{min(times):.2f} to {max(times):.2f} of {runs}"
    return Figure("exec to attached with live state, median", 0.4, share(times, 0.5), "s", words)


def cost(station: MadeUpStation, seconds: float) -> Iterator[Figure]:
    """Processor and bytes of text alone, then with pictures; then the memory after a walk through every screen."""
    with attached(station, LARGE) as program:
        station.talks = True
        text_cpu, text_bytes = _load(program, seconds)
        yield Figure("processor, ten panes of text at 10 Hz", 10, text_cpu, "% of a core", "200x60")
        station.pictures = True
        cpu, drawn = _load(program, seconds)
        side = f"two of {station.asked}x{station.asked // 2} cells at 5 Hz"
        yield Figure("the same with pictures, more by", 15, cpu - text_cpu, "% of a core", side)
        yield Figure("pictures on the line", 100, (drawn - text_bytes) / 1e3, "kB/s", "a gripper moves")
        for key in TOUR:
            program.press(bytes([key]))
            time.sleep(SETTLE_S)
        time.sleep(seconds)
        own = resident_mb(program.console_pid)
        guard = private_mb(program.pid)
        words = f"its parent {guard:.0f} MB more of its own"
        yield Figure("memory (resident), after every screen", 60, own, "MB", words)


def keys(station: MadeUpStation, presses: int) -> Iterator[Figure]:
    """From the byte at the terminal to the bound action, while every pane changes at 10 Hz."""
    with attached(station) as program:
        station.talks = True
        pressed = []
        for number in range(presses):
            pressed.append(program.press((UP, DOWN)[number % 2]))
            time.sleep(0.137)  # no multiple of the console's own period
        time.sleep(0.5)
        jogs = [command.pressed_s for _, command in station.jogs()]
        delays = [(acted - at) * 1e3 for at, acted in zip(pressed, jogs, strict=True)]
    yield Figure("key to bound action, median", 5, share(delays, 0.5), "ms", f"{presses} presses")
    yield Figure("key to bound action, p95", 40, share(delays, 0.95), "ms", f"largest {max(delays):.0f} ms")


def hold(station: MadeUpStation, presses: int) -> Iterator[Figure]:
    """From the byte at the terminal to the station: a driving key that is held, then let go; every pane changes."""
    drives = station.station.drives

    def heard(since: int, moves: bool) -> float:
        """When the first word of a motion, or of its end, came behind the `since`th word."""
        until_s = time.monotonic() + 5
        while time.monotonic() < until_s:
            for at_s, drive in drives[since:]:
                if isinstance(drive, Drive) and drive.moves is moves:
                    return at_s
            time.sleep(0.0002)
        raise TimeoutError("nothing was heard of a key that is held")

    begun: list[float] = []
    ended: list[float] = []
    with attached(station, releases=True) as program:
        station.talks = True
        for _ in range(presses):
            for key, moves, late in ((UP, True, begun), (UP_RELEASED, False, ended)):
                since, pressed = len(drives), program.press(key)
                late.append((heard(since, moves) - pressed) * 1e3)
                time.sleep(0.137)
    for what, late in (
        ("key held to the station, median", begun),
        ("key let go to the station, median", ended),
    ):
        words = f"p95 {share(late, 0.95):.1f}, largest {max(late):.0f} ms of {presses}"
        yield Figure(what, 5, share(late, 0.5), "ms", words)


def stop(station: MadeUpStation, presses: int) -> Figure:
    """From the byte at a terminal that takes no output to the station, which has the stop in shared memory then."""
    delays = []
    with attached(station) as program:
        station.talks = True
        program.stall()
        time.sleep(2.0)
        for number in range(presses):
            pressed = program.press(b"x")
            while len(station.station.stops) <= number and time.monotonic() < pressed + 5:
                time.sleep(0.0002)
            delays.append((station.station.stops[number][0] - pressed) * 1e3)
            time.sleep(0.31)
    words = f"median {share(delays, 0.5):.1f} ms of {presses}"
    return Figure("stop key, terminal stalled, largest", 10, max(delays), "ms", words)


def thin_line(station: MadeUpStation, seconds: float) -> Iterator[Figure]:
    """For how long the screen has lacked what was said since, every 20 ms, read off a clock in the log."""
    shown = _Newest()
    with attached(station, line=LONG_DISTANCE, on_drawn=shown.receive):
        station.clock = station.talks = station.pictures = True
        time.sleep(SETTLE_S)
        ages = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ages.append(max(0.0, time.monotonic() - shown.at_s - PERIOD_S))  # said once a period
            time.sleep(0.02)
    words = f"p95 {share(ages, 0.95):.2f}, largest {max(ages):.2f} s; 1 Mbit/s, 40 ms each way"
    yield Figure("screen behind on a thin line, median", 0.3, share(ages, 0.5), "s", words)


def flood(station: MadeUpStation, seconds: float) -> Figure:
    """How late the console's event loop is while 10,000 lines of log come in every second."""
    before = len(list(station.run_dir.glob("lag-*")))
    code = LAG_CODE.format(folder=str(station.run_dir), period=LAG_PERIOD_S)
    with attached(station, code=code):
        station.talks = True
        station.lines_per_s = 10_000
        time.sleep(seconds)
    (path,) = sorted(station.run_dir.glob("lag-*"))[before:]
    late = [float(line) * 1e3 for line in path.read_text().split()]
    words = f"largest {max(late):.0f} ms"
    return Figure("10,000 lines a second shown, loop late p99", 50, share(late, 0.99), "ms", words)


def chatter(desk: Desk, seconds: float) -> None:
    """A worker that logs 10,000 lines a second, as near as its own machine lets it."""
    desk.alive()
    end_s = time.monotonic() + seconds
    while desk.alive() and time.monotonic() < end_s:
        for _ in range(100):
            logging.info("policy pushed to the actor, critic loss 0.0123, and so on and so forth")
        time.sleep(0.01)


async def flooded_station(folder: Path, seconds: float) -> Figure:
    """How late the event loop of a station is while a worker of it logs that much."""
    events: list[object] = []
    spec = WorkerSpec("chatter", chatter, (seconds,), silent_limit_s=10.0)
    context = multiprocessing.get_context("spawn")
    handle = WorkerHandle(spec, context, folder, events.append, lambda _: None)
    running = asyncio.create_task(handle.keep_running())
    output = folder / "chatter.out"
    while not output.exists() or not output.stat().st_size:
        await asyncio.sleep(0.01)
    late, end_s = [], time.monotonic() + seconds
    while time.monotonic() < end_s:
        due_s = time.monotonic() + LAG_PERIOD_S
        await asyncio.sleep(LAG_PERIOD_S)
        late.append(1e3 * (time.monotonic() - due_s))
    lines = output.read_bytes().count(b"\n")
    await handle.stop()
    await running
    words = f"{lines / seconds:.0f} a second came, {len(events)} were passed on; largest {max(late):.0f} ms"
    return Figure("10,000 lines a second logged, loop late p99", 50, share(late, 0.99), "ms", words)


LAG_CODE = """
import asyncio, atexit, os, sys, threading, time
from hilserl_tui.guarding import guard
guard()
from hilserl_tui import app
late = []
async def watch():
    await asyncio.sleep(4)
    while True:
        due = time.monotonic() + {period}
        await asyncio.sleep({period})
        late.append(time.monotonic() - due)
mounted = app.Console.on_mount
def on_mount(self):
    mounted(self)
    self.watching = asyncio.create_task(watch())
app.Console.on_mount = on_mount
atexit.register(lambda: open("{folder}/lag-%d" % os.getpid(), "w").write("\\n".join(map(str, late))))
sys.argv = ["hilserl-tui", *sys.argv[1:]]
from hilserl_tui.cli import main
main()
"""


class _Newest(SmallTerminal):
    """The newest clock that stands on the terminal, seen when a row was written to its end; fed in its thread."""

    def __init__(self) -> None:
        super().__init__()
        self.at_s = time.monotonic()

    def moved(self) -> None:
        for found in _CLOCK.finditer(self.row(self.y, SMALL[0])):
            self.at_s = max(self.at_s, int(found[1]) / 1e3)


def _load(program: ProgramOnPty, seconds: float) -> tuple[float, float]:
    """(percent of a core, bytes a second) of the console."""
    time.sleep(SETTLE_S)
    began_s, used_s, drawn = time.monotonic(), cpu_s(program.console_pid), program.drawn_bytes
    time.sleep(seconds)
    took_s = time.monotonic() - began_s
    used = cpu_s(program.console_pid) - used_s
    return 100 * used / took_s, (program.drawn_bytes - drawn) / took_s


def cpu_s(pid: int) -> float:
    """CPU time a process has used, seconds (proc(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    return _rollup_kb(pid, "Rss:") / 1e3


def private_mb(pid: int) -> float:
    """What would be free if the process were gone."""
    return (_rollup_kb(pid, "Private_Dirty:") + _rollup_kb(pid, "Private_Clean:")) / 1e3


def _rollup_kb(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))
