"""From the start of the process to the first paint of the console, beside a bare Textual application.

python -m benchmarks.console [--runs 7] [--json FILE]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import as_json
from benchmarks.on_pty import ProgramOnPty
from workers.config.ready import ready_config

WANTED_S = 0.5
BARE = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Bare(App):\n"
    "    def compose(self):\n"
    "        yield Static('Home')\n"
    "Bare().run()\n"
)


def seconds(command: list[str], environment: dict[str, str], word: bytes) -> float:
    """From start to the first word on the screen."""
    program = ProgramOnPty(command, environment)
    try:
        return program.until(word)
    finally:
        program.close()


def end_station(environment: dict[str, str]) -> None:
    """The console has started a station by now: end it, so that the next start is a fresh one too."""
    time.sleep(2)
    down = [sys.executable, "-m", "hilserl_tui.cli", "down"]
    subprocess.run(down, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    as_json.add_option(parser)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "console.toml"
        config.write_text(ready_config().read_text().replace('directory = "runs"', f'directory = "{folder}"'))
        environment = {**os.environ, "XDG_RUNTIME_DIR": folder}
        console = [sys.executable, "-m", "hilserl_tui.cli", str(config)]
        starts = {
            "Home": (console, b"Home"),
            "Train (--start)": ([*console, "--start"], b"end effector"),
            "bare Textual": ([sys.executable, "-c", BARE], b"Home"),
        }
        times: dict[str, list[float]] = {name: [] for name in starts}
        for _ in range(args.runs):
            for name, (command, word) in starts.items():
                times[name].append(seconds(command, environment, word))
                end_station(environment)
    print(f"{'first paint':24}{'median s':>10}{'min s':>8}{'of wanted':>11}")
    figures = {}
    for name, column in times.items():
        column.sort()
        median = column[len(column) // 2]
        figures[name] = {"first_paint_median_s": median, "first_paint_min_s": column[0]}
        print(f"{name:24}{median:10.2f}{column[0]:8.2f}{median / WANTED_S:11.2f}")
    as_json.write(args, figures)


if __name__ == "__main__":
    main()
