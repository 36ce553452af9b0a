"""The figures of a benchmark as a JSON file beside its table, with what they were measured on."""

import argparse
import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

FORMAT = 1


def add_option(parser: argparse.ArgumentParser) -> None:
    """`--json FILE`, for `write`."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")


def write(options: argparse.Namespace, figures: Mapping[str, object]) -> None:
    """Write `figures`, names with their units, into the file that `add_option` asked for; nothing without one."""
    if options.json is None:
        return
    said = {name: _plain(value) for name, value in vars(options).items() if name != "json"}
    report = {
        "format": FORMAT,
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "on": {
            "machine": platform.machine(),
            "system": platform.system(),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
            "python": platform.python_version(),
        },
        "options": said,
        "figures": figures,
    }
    options.json.write_text(json.dumps(report, indent=1, default=float) + "\n")


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
