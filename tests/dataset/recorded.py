"""A run with a transition log, written as an actor would, without an arm."""

from pathlib import Path

import msgspec
import numpy as np

from tests.altered import altered
from workers.config import Config
from workers.dataset import recording as dataset_recording
from workers.model.events import Event
from workers.processors.build import feature_spec
from workers.transport.log import LogWriter
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Step


def small(folder: Path, **changes: object) -> Config:
    """A recording run in `folder` with pictures of 32 x 40 pixels, kept as PNG; `changes` go to [dataset]."""
    keys = {
        "mode": "record",
        "run.directory": str(folder / "runs"),
        "dataset.root": str(folder / "set"),
        "dataset.repo_id": "kim/lift",
        "dataset.video": False,
        "env.processor.image_preprocessing.resize_size": [32, 40],
    }
    config = altered({**keys, **{f"dataset.{key}": value for key, value in changes.items()}})
    config.run_dir.mkdir(parents=True, exist_ok=True)
    return config


class Recording:
    """The log of a run; numbers and pictures are random, and kept in `steps` by episode."""

    def __init__(self, config: Config) -> None:
        self.spec: FeatureSpec = feature_spec(config)
        self.steps: dict[int, list[Step]] = {}
        self.hz = config.env.fps
        """At which its steps come."""
        self._config = config
        self._rng = np.random.default_rng(0)

    def __enter__(self) -> "Recording":
        self._log = LogWriter(self._config.run_dir / "log", self.spec)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.close()

    def episode(
        self,
        number: int,
        length: int,
        outcome: Outcome = Outcome.SUCCESS,
        demonstration: bool = True,
        discard: bool = False,
        end: bool = True,
    ) -> None:
        last = length - 1
        self.steps[number] = [
            self._step(number, step, demonstration, outcome if step == last and end else None)
            for step in range(length)
        ]
        for step in self.steps[number]:
            self._log.append(step)
        if end:
            self._log.append(EpisodeEnd(episode=number, outcome=outcome, discard=discard))

    def _step(self, episode: int, number: int, demonstration: bool, outcome: Outcome | None) -> Step:
        rng, spec = self._rng, self.spec
        action = rng.uniform(-1, 1, spec.action_dim).astype(np.float32)
        action[-1] = rng.integers(3)
        return Step(
            episode=episode,
            step=number,
            state=rng.normal(size=spec.state_dim).astype(np.float32),
            images=rng.integers(256, size=spec.image_shape, dtype=np.uint8),
            action=action,
            reward=float(outcome is Outcome.SUCCESS),
            terminated=outcome is Outcome.SUCCESS,
            truncated=outcome is Outcome.TIME_LIMIT,
            is_demonstration=demonstration,
            executed_ns=round((100 * episode + number / self.hz) * 1e9),
            discrete_penalty=-0.02 * float(action[-1] != 1),
        )


def renamed(config: Config, name: str) -> Config:
    """The same run under another name."""
    config = msgspec.structs.replace(config, run=msgspec.structs.replace(config.run, name=name))
    config.run_dir.mkdir(parents=True, exist_ok=True)
    return config


def save(config: Config) -> list[Event]:
    """What the recorder makes of the run's log, to its end; what it told."""
    told: list[Event] = []
    following = dataset_recording.Recording(config, told.append)
    try:
        while following.take_in():
            pass
    finally:
        following.close()
    return told
