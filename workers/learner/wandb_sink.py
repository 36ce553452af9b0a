"""Weights & Biases, kept away from training: a thread of its own does whatever may wait, fail or never return."""

import logging
import queue
import threading
from collections.abc import Mapping
from typing import Any

import msgspec

from workers.config import Config
from workers.learner.metric_names import PREFIX, axes

QUEUED = 1000  # lines: some minutes of training
FINISH_WITHIN_S = 2.0
log = logging.getLogger(__name__)
Figures = Mapping[str, float]


class WandbSink:
    """Passes figures on. What cannot be passed on is dropped, counted, and said once: all are on disk anyway."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._queue: queue.Queue[Figures | None] = queue.Queue(QUEUED)
        self._off = threading.Event()
        self.dropped = 0
        """Lines that found the queue full."""
        self._thread = threading.Thread(target=self._work, name="wandb", daemon=True)
        self._thread.start()

    def put(self, figures: Figures) -> None:
        """Queue a line; returns at once."""
        if self._off.is_set():
            return
        try:
            self._queue.put_nowait(figures)
        except queue.Full:
            if not self.dropped:
                log.warning(
                    "wandb does not keep up: from here on some metrics are missing there; on disk all are complete"
                )
            self.dropped += 1

    def close(self, within_s: float = FINISH_WITHIN_S) -> None:
        """Let wandb finish, but no longer than that."""
        if self._off.is_set():
            return
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            self._off.set()  # it hangs: nothing will come of waiting for a thousand lines
        self._thread.join(0 if self._off.is_set() else within_s)
        if self._thread.is_alive():
            log.warning(
                "wandb did not finish in %g s and was left; `wandb sync %s` sends what it had written down",
                within_s,
                self._config.run_dir / "wandb",
            )
        if self.dropped:
            log.warning("wandb lacks %d lines of metrics; on disk they are complete", self.dropped)

    def _work(self) -> None:
        try:
            run = self._open()
            while (figures := self._queue.get()) is not None and not self._off.is_set():
                run.log(dict(figures))
            run.finish()
        except BaseException as error:  # wandb raises many types, exits among them: network, login, disk
            log.warning(
                "wandb is off from here on: %s: %s. Metrics on disk are complete. `wandb login`, or"
                ' wandb.mode = "offline"',
                type(error).__name__,
                str(error).rstrip("."),
            )
        finally:
            self._off.set()

    def _open(self) -> Any:
        import wandb

        config = self._config
        run = wandb.init(
            project=config.wandb.project,
            entity=config.wandb.entity,
            name=config.run.name,
            notes=config.wandb.notes,
            id=config.wandb.run_id,
            resume=None if config.wandb.run_id is None else "allow",
            dir=str(config.run_dir),
            mode=config.wandb.mode,
            config=msgspec.to_builtins(config),
            settings=wandb.Settings(console="off"),  # the worker's own log is nobody else's
        )
        of = axes()
        for axis in dict.fromkeys(of.values()):
            run.define_metric(axis, hidden=True)
        for name, axis in of.items():
            run.define_metric(name, step_metric=axis)
        run.define_metric("*", step_metric=f"{PREFIX}Optimization step")
        return run
