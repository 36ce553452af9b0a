"""What a command wants of a run that its configuration does not say: to record, replay or evaluate, and what."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import to_builtins
from msgspec.structs import replace

from workers.config.dataset import DatasetConfig
from workers.config.decode import Decoder, Faulty
from workers.config.errors import ConfigError, Problem
from workers.config.evaluation import RUN_SUFFIX
from workers.config.lines import dotted
from workers.config.schema import Config


@dataclass(frozen=True)
class Overrides:
    """None of each: as the configuration says."""

    mode: Literal["record", "replay", "evaluate"] | None = None
    root: str | None = None
    repo_id: str | None = None
    episodes: int | None = None
    """To be recorded."""
    episode: int | None = None
    """To be replayed."""
    push_to_hub: bool | None = None
    checkpoint: str | None = None
    """To be evaluated."""
    against: str | None = None
    trials: int | None = None
    go_on: bool = False
    """To go on with an evaluation that was cut off, which says itself what is tried and how often."""

    def applied(self, config: Config, named: bool) -> Config:
        """The configuration with it. `named`: the command names the run.

        A run of another mode is not the file's run, and gets a name of its own. Raises ConfigError, as of a file, for
        values that no file could have.
        """
        given: dict[str, Any] = {
            "checkpoint": self.checkpoint,
            "against": self.against,
            "episodes": self.trials,
        }
        given = {key: value for key, value in given.items() if value is not None}
        if self.go_on and given:
            words = "--continue goes on with what was begun: leave --checkpoint, --against and --trials out"
            raise ConfigError("command line", (Problem(0, dotted(("evaluation", "go_on")), words),))
        if self.go_on:
            given = {"go_on": True}
        config = replace(config, evaluation=replace(config.evaluation, **given))
        config = replace(config, dataset=_checked(replace(config.dataset, **self._of_dataset(config))))
        if self.mode in (None, config.mode):
            return config
        if self.mode == "evaluate":  # whatever is named is the run whose policy it is
            evaluates = f"{config.run.name}{RUN_SUFFIX}"
            return replace(config, mode=self.mode, run=replace(config.run, name=evaluates))
        name = config.run.name if named else f"{config.run.name}-{self.mode}"
        return replace(config, mode=self.mode, run=replace(config.run, name=name))

    def _of_dataset(self, config: Config) -> dict[str, Any]:
        given = {
            "root": self.root,
            "repo_id": self.repo_id,
            "num_episodes_to_record": self.episodes,
            "replay_episode": self.episode,
            "push_to_hub": self.push_to_hub,
        }
        given = {key: value for key, value in given.items() if value is not None}
        if self.repo_id not in (None, config.dataset.repo_id):
            given.setdefault("root", None)  # the file's folder is of the file's dataset
        if self.root not in (None, config.dataset.root):
            given.setdefault("repo_id", None)  # and so is its name on the hub
        return given

    def options(self) -> Iterator[str]:
        """Itself as options of `hilserl-worker station`."""
        if self.mode is not None:
            yield from ("--mode", self.mode)
        if self.root is not None:
            yield from ("--root", self.root)
        if self.repo_id is not None:
            yield from ("--repo-id", self.repo_id)
        if self.episodes is not None:
            yield from ("--episodes", str(self.episodes))
        if self.episode is not None:
            yield from ("--episode", str(self.episode))
        if self.push_to_hub is not None:
            yield "--push" if self.push_to_hub else "--no-push"
        if self.checkpoint is not None:
            yield from ("--checkpoint", self.checkpoint)
        if self.against is not None:
            yield from ("--against", self.against)
        if self.trials is not None:
            yield from ("--trials", str(self.trials))
        if self.go_on:
            yield "--continue"


def _checked(dataset: DatasetConfig) -> DatasetConfig:
    """The section as a file would have it. Raises ConfigError."""
    decoder = Decoder(DatasetConfig)
    try:
        read: DatasetConfig = decoder.document(to_builtins(dataset))
    except Faulty:
        wrong = [Problem(0, dotted(("dataset", *fault.path)), fault.text) for fault in decoder.faults]
        raise ConfigError("command line", tuple(wrong)) from None
    return read
