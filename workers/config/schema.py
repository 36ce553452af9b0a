"""The whole configuration: one field a section."""

from pathlib import Path
from typing import Literal

from workers.config.algorithm import AlgorithmConfig
from workers.config.checkpoint import CheckpointConfig
from workers.config.dataset import DatasetConfig
from workers.config.env import EnvConfig
from workers.config.evaluation import EvaluationConfig
from workers.config.operator import OperatorConfig
from workers.config.policy import PolicyConfig
from workers.config.reward_classifier import ClassifierConfig
from workers.config.robot import SIMULATED
from workers.config.run import RunConfig
from workers.config.values import Device, Problems, Section
from workers.config.wandb import WandbConfig


class Config(Section, frozen=True, kw_only=True):
    schema_version: Literal[2]
    """Version of these names and meanings; a later release reads or refuses older ones by it."""
    run: RunConfig
    """What the run is called and where its files go."""
    env: EnvConfig
    """The task, the arm, the cameras and the processors."""
    mode: Literal["record", "replay", "evaluate", "find-limits"] | None = None
    """`record` a dataset, `replay` an episode of one, `evaluate` policies, or `find-limits` of the workspace; without
    it, train."""
    device: Device = "cpu"
    """Device of the actor: the end of the environment pipeline and the policy."""
    dataset: DatasetConfig = DatasetConfig()
    """The dataset that is recorded or replayed."""
    operator: OperatorConfig = OperatorConfig()
    """Who helps the policy, and when."""
    policy: PolicyConfig = PolicyConfig()
    """The policy's networks, device and memory."""
    algorithm: AlgorithmConfig = AlgorithmConfig()
    """How it learns."""
    reward_classifier: ClassifierConfig = ClassifierConfig()
    """The network that tells success from pictures, for `train-classifier`."""
    checkpoint: CheckpointConfig = CheckpointConfig()
    """How often it is saved."""
    wandb: WandbConfig = WandbConfig()
    """Metrics to Weights & Biases."""
    evaluation: EvaluationConfig = EvaluationConfig()
    """When the policy is tried alone, and which one."""

    @property
    def run_dir(self) -> Path:
        """Folder of everything this run writes."""
        return Path(self.run.directory) / self.run.name

    @property
    def simulated(self) -> bool:
        """Whether there is no real arm."""
        return self.env.robot is None or self.env.robot.type == SIMULATED

    @property
    def feeds_dataset(self) -> bool:
        """Whether this run of training begins with the demonstrations of a dataset."""
        return self.mode is None and (self.dataset.root is not None or self.dataset.repo_id is not None)

    def problems(self) -> Problems:
        if self.mode is None:
            for path, text in self.env.network_problems():
                yield ("env", *path), text
        if self.mode in ("record", "replay") and self.dataset.root is None and self.dataset.repo_id is None:
            yield ("mode",), f'"{self.mode}" needs dataset.root or dataset.repo_id'
        if self.mode not in (None, "evaluate") and self.env.type == "gymnasium":
            yield ("mode",), f'"{self.mode}" needs an arm; env.type = "gymnasium" only trains and evaluates'
        if self.operator.failures and self.mode != "record":
            yield (
                ("operator", "failures"),
                'only a recording (mode = "record") has any use for failures; remove it',
            )
        if self.mode == "replay" and self.dataset.replay_episode is None:
            yield ("dataset", "replay_episode"), 'missing; mode = "replay" needs the number of an episode'
        if self.policy.feature_replay > 1 and not self.algorithm.random_shift_px:
            text = "more than 1 does nothing while algorithm.random_shift_px is 0: all shifts of a frame are the same"
            yield ("policy", "feature_replay"), text
        if self.mode is None and self.operator.demonstrations == 0 and not self.feeds_dataset:
            none = "operator.demonstrations is 0 and [dataset] names none"
            if self.algorithm.bc_pretrain_updates > 0:
                yield ("algorithm", "bc_pretrain_updates"), f"needs demonstrations, but {none}"
            if self.algorithm.online_ratio == 0.0:
                yield ("algorithm", "online_ratio"), f"0 draws every batch from demonstrations, but {none}"
