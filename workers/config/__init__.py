"""The configuration: one typed section a file, and a loader whose errors name file, line and key.

`load(path)` reads a file, `Config.run_dir` is where its run lives, `ConfigError` says what is wrong.
Imported only by the commands that need them: `keys`, `explain`, `dump`, `json_schema`, `migrate` and `lerobot`.
"""

from workers.config.algorithm import AlgorithmConfig
from workers.config.cameras import CameraConfig
from workers.config.checkpoint import CheckpointConfig
from workers.config.dataset import DatasetConfig
from workers.config.env import EnvConfig
from workers.config.errors import EXIT_CODE, ConfigError, Problem
from workers.config.evaluation import EvaluationConfig
from workers.config.load import Document, load, load_document, parse
from workers.config.network import NetworkConfig
from workers.config.operator import OperatorConfig
from workers.config.policy import ActorLearnerConfig, PolicyConfig, PolicyKwargsConfig
from workers.config.processor import (
    BoundsConfig,
    GripperConfig,
    ImagePreprocessingConfig,
    InverseKinematicsConfig,
    ObservationConfig,
    ProcessorConfig,
    ResetConfig,
    RewardClassifierConfig,
    StepSizesConfig,
)
from workers.config.reward_classifier import ClassifierConfig
from workers.config.robot import RobotConfig
from workers.config.run import RunConfig
from workers.config.schema import Config
from workers.config.simulation import SimulationConfig
from workers.config.teleop import TeleopConfig
from workers.config.wandb import WandbConfig

__all__ = [
    "EXIT_CODE",
    "ActorLearnerConfig",
    "AlgorithmConfig",
    "BoundsConfig",
    "CameraConfig",
    "CheckpointConfig",
    "ClassifierConfig",
    "Config",
    "ConfigError",
    "DatasetConfig",
    "Document",
    "EnvConfig",
    "EvaluationConfig",
    "GripperConfig",
    "ImagePreprocessingConfig",
    "InverseKinematicsConfig",
    "NetworkConfig",
    "ObservationConfig",
    "OperatorConfig",
    "PolicyConfig",
    "PolicyKwargsConfig",
    "Problem",
    "ProcessorConfig",
    "ResetConfig",
    "RewardClassifierConfig",
    "RobotConfig",
    "RunConfig",
    "SimulationConfig",
    "StepSizesConfig",
    "TeleopConfig",
    "WandbConfig",
    "load",
    "load_document",
    "parse",
]
