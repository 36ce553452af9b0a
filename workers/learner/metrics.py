"""Metrics of a run: JSON lines on disk first, Weights & Biases beside it when enabled."""

import logging
import time
from typing import Any

import msgspec

from workers.config import Config

METRICS_NAME = "metrics.jsonl"
log = logging.getLogger(__name__)


class MetricsLog:
    """Appends one JSON object a line; neither a full disk nor a lost network ends training."""

    def __init__(self, config: Config) -> None:
        self._file = (config.run_dir / METRICS_NAME).open("ab", buffering=0)
        self._failed = False
        self._wandb = _open_wandb(config) if config.wandb.enable else None

    def write(self, step: int, figures: dict[str, float]) -> None:
        """Args: step: updates done so far."""
        line = msgspec.json.encode({"wall_s": round(time.time(), 3), "updates": step, **figures}) + b"\n"
        try:
            self._file.write(line)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.error("metrics cannot be written: %s; training goes on", error)
            self._failed = True
        if self._wandb is not None:
            try:
                self._wandb.log(figures, step=step)
            except Exception as error:  # wandb raises many types
                log.warning("wandb is off from here on: %s; metrics on disk are complete", error)
                self._wandb = None

    def close(self) -> None:
        self._file.close()
        if self._wandb is not None:
            self._wandb.finish()


def _open_wandb(config: Config) -> Any:
    """A wandb run, or None with a warning: metrics on disk are complete without it."""
    try:
        import wandb

        return wandb.init(
            project=config.wandb.project,
            entity=config.wandb.entity,
            name=config.run.name,
            notes=config.wandb.notes,
            id=config.wandb.run_id,
            resume=None if config.wandb.run_id is None else "allow",
            dir=str(config.run_dir),
            mode=config.wandb.mode,
            config=msgspec.to_builtins(config),
        )
    except Exception as error:  # wandb raises many types: network, login, disk
        log.warning('wandb is off for this run: %s. `wandb login`, or wandb.mode = "offline"', error)
        return None
