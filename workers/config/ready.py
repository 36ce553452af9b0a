"""The ready configurations that come with the product."""

import sys
from pathlib import Path

SIM_PICK_LIFT = "sim_pick_lift"


def ready_config(name: str = SIM_PICK_LIFT) -> Path:
    """Path of `configs/<name>.toml`, in a checkout or in an installed package. Raises FileNotFoundError."""
    checkout = Path(__file__).parents[2] / "configs"
    installed = Path(sys.prefix) / "share" / "hilserl-tui" / "configs"
    for folder in (checkout, installed):
        path = folder / f"{name}.toml"
        if path.exists():
            return path
    raise FileNotFoundError(f"no {name}.toml in {checkout} or {installed}; reinstall the package")
