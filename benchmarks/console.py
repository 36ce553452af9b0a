"""From the start of the process to the first paint of the console, beside a bare Textual application.

python -m benchmarks.console --runs 7
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.on_pty import ProgramOnPty
from workers.config.ready import ready_config
from workers.model.places import read_lock

WANTED_S = 0.5
BARE = (
    "from textual.app import App\n"
    "from textual.widgets import Static\n"
    "class Bare(App):\n"
    "    def compose(self):\n"
    "        yield Static('Home')\n"
    "Bare().run()\n"
)


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """From start to the first word on the screen."""
    program = ProgramOnPty(command, environment)
    try:
        return program.until(b"Home")
    finally:
        program.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "console.toml"
        config.write_text(ready_config().read_text().replace('directory = "runs"', f'directory = "{folder}"'))
        environment = {**os.environ, "XDG_RUNTIME_DIR": folder}
        command = [sys.executable, "-m", "workers.cli", "station", "--config", str(config), "--serve"]
        station = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while read_lock(Path(folder) / "sim_pick_lift") is None:
            time.sleep(0.1)
        time.sleep(10)  # workers import torch meanwhile
        console = [sys.executable, "-m", "hilserl_tui.cli", str(config)]
        rows = [
            (seconds(console, environment), seconds([sys.executable, "-c", BARE], environment))
            for _ in range(args.runs)
        ]
        station.terminate()
        station.wait(10)
    ours, bare = (sorted(column) for column in zip(*rows, strict=True))
    print(f"{'first paint':24}{'median s':>10}{'min s':>8}{'of wanted':>11}")
    for name, column in (("console, station idle", ours), ("bare Textual", bare)):
        median = column[len(column) // 2]
        print(f"{name:24}{median:10.2f}{column[0]:8.2f}{median / WANTED_S:11.2f}")


if __name__ == "__main__":
    main()
