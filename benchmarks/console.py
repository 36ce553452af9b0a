"""The console's figures: start, memory, processor, keys, stop, a thin line, a flood of log; and first paint.

The console is the real one on a pseudo-terminal, its station a made-up one. First paint is that of the whole product
from nothing, a station included, beside a bare Textual application.

python -m benchmarks.console [start cost keys hold stop line flood paint] [--json FILE]
"""

import argparse
import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import as_json
from benchmarks import console_figures as figures
from benchmarks.made_up_station import MadeUpStation
from benchmarks.on_pty import ProgramOnPty
from workers.config.ready import ready_config
from workers.model.events import Driver

PARTS = ("start", "cost", "keys", "hold", "stop", "line", "flood", "paint")
WANTED_S = 0.5
BARE = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Bare(App):\n"
    "    def compose(self):\n"
    "        yield Static('Home')\n"
    "Bare().run()\n"
)


def on_made_up_run(part: str, runs: int, seconds: float) -> Iterator[figures.Figure]:
    """Figures of a console that is attached to a station of its own for each part."""
    driver = Driver.HUMAN if part in ("keys", "hold") else Driver.POLICY
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_RUNTIME_DIR"] = os.environ["XDG_CONFIG_HOME"] = folder
        with MadeUpStation(Path(folder), driver) as station:
            match part:
                case "start":
                    yield figures.start(station, runs)
                case "cost":
                    yield from figures.cost(station, seconds)
                case "keys":
                    yield from figures.keys(station, 20 * runs)
                case "hold":
                    yield from figures.hold(station, 5 * runs)
                case "stop":
                    yield figures.stop(station, 3 * runs)
                case "line":
                    yield from figures.thin_line(station, seconds)
                case "flood":
                    yield figures.flood(station, seconds)
                    yield asyncio.run(figures.flooded_station(Path(folder), seconds))


def first_paint(runs: int) -> Iterator[figures.Figure]:
    """From the start of the process to the first screen, with no station there yet."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "console.toml"
        config.write_text(ready_config().read_text().replace('directory = "runs"', f'directory = "{folder}"'))
        environment = {**os.environ, "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder}
        console = [sys.executable, "-m", "hilserl_tui.cli", str(config)]
        starts = {
            "first paint of Home": (console, b"Home"),
            "first paint of Train (--start)": ([*console, "--start"], b"end effector"),
            "first paint of a bare Textual application": ([sys.executable, "-c", BARE], b"Home"),
        }
        times: dict[str, list[float]] = {name: [] for name in starts}
        for _ in range(runs):
            for name, (command, word) in starts.items():
                program = ProgramOnPty(command, environment)
                try:
                    times[name].append(program.until(word))
                finally:
                    program.close()
                _end_station(environment)
    for name, column in times.items():
        more = f"{min(column):.2f} to {max(column):.2f}"
        yield figures.Figure(name, WANTED_S, figures.share(column, 0.5), "s", more)


def _end_station(environment: dict[str, str]) -> None:
    """The console has started a station by now: end it, so that the next start is a fresh one too."""
    time.sleep(2)
    down = [sys.executable, "-m", "hilserl_tui.cli", "down"]
    subprocess.run(down, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all of them, if none is named")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=15.0, help="of every load")
    as_json.add_option(parser)
    args = parser.parse_args()
    logging.getLogger("asyncio").setLevel(
        logging.ERROR
    )  # a console that left is told a last word now and then
    print(f"{'':46}{'wanted':>8}{'measured':>10}")
    measured = {}
    for part in args.parts or PARTS:
        found = first_paint(args.runs) if part == "paint" else on_made_up_run(part, args.runs, args.seconds)
        for figure in found:
            measured[figure.what] = {
                "wanted": figure.wanted,
                "measured": figure.measured,
                "unit": figure.unit,
            }
            print(
                f"{figure.what:46}{figure.wanted:8.4g}{figure.measured:10.2f} {figure.unit:13}{figure.more}"
            )
    as_json.write(args, measured)


if __name__ == "__main__":
    main()
