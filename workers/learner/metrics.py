"""Metrics of a run: JSON lines on disk first, complete; Weights & Biases beside it when enabled."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from workers.config import Config
from workers.learner.episode_meter import EpisodeMeter
from workers.learner.metric_names import EPISODES, TRAINING, with_lerobots
from workers.learner.wandb_sink import WandbSink
from workers.runtime.lines import line_end
from workers.transport.record import Record

METRICS_NAME = "metrics.jsonl"
EPISODES_NAME = "metrics_episodes.jsonl"
log = logging.getLogger(__name__)


class MetricsLog:
    """One JSON object a line; neither a full disk nor a lost network ends or slows training.

    Updates go to metrics.jsonl, training episodes to metrics_episodes.jsonl. In wandb, both are there under
    LeRobot's names too (`metric_names.py`).
    """

    def __init__(self, config: Config) -> None:
        self._taken = 0
        self._told = _records_told(config.run_dir / EPISODES_NAME)
        self._meter = EpisodeMeter()
        self._updates = MetricLines(config.run_dir / METRICS_NAME)
        self._episodes = MetricLines(config.run_dir / EPISODES_NAME)
        self._last: tuple[int, float] | None = None
        self._wandb = WandbSink(config) if config.wandb.enable else None

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """A line of an update. Args: step: updates done so far."""
        line = {"updates": step, **figures}
        now_s = time.monotonic()
        if self._last is not None and step > self._last[0] and now_s > self._last[1]:
            line["updates_per_s"] = round((step - self._last[0]) / (now_s - self._last[1]), 3)
        self._last = (step, now_s)
        self._updates.append(line)
        if self._wandb is not None:
            self._wandb.put(with_lerobots(line, TRAINING))

    def take(self, source: str, record: Record, updates: int, env_steps: int) -> None:
        """A record of the actor `source` was taken in; where it ends a training episode, a line of that.

        A resumed learner takes in the same records in the same order: what has a line already gets no other.
        """
        self._taken += 1
        figures = self._meter.add(source, record)
        if figures is None or self._taken <= self._told:
            return
        line = {"updates": updates, "records": self._taken, "env_steps": env_steps, **figures}
        self._episodes.append(line)
        if self._wandb is not None:
            self._wandb.put(with_lerobots(line, EPISODES))

    def close(self) -> None:
        """Returns within 2 s, whatever wandb does."""
        self._updates.close()
        self._episodes.close()
        if self._wandb is not None:
            self._wandb.close()


class MetricLines:
    """Appends to a file; a disk that is full loses lines, is reported once, and ends nothing."""

    def __init__(self, path: Path) -> None:
        self._end_torn = line_end(path)
        self._file = path.open("ab", buffering=0)
        self._failed = False
        self.close = self._file.close

    def append(self, figures: Mapping[str, float]) -> None:
        line = self._end_torn + msgspec.json.encode({"wall_s": round(time.time(), 3), **figures}) + b"\n"
        try:
            written = self._file.write(line)
            self._failed = False
            self._end_torn = b"" if written == len(line) else b"\n"  # a full disk takes a part of the line
        except OSError as error:
            if not self._failed:
                log.error("metrics cannot be written: %s; training goes on", error)
            self._failed = True


def _records_told(path: Path) -> int:
    """`records` of the last line, 0 when there is none."""
    for line in reversed(path.read_bytes().splitlines()) if path.exists() else ():
        try:
            return int(msgspec.json.decode(line)["records"])
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError):
            continue  # torn by a crash
    return 0
