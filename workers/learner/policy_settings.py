"""What it takes to rebuild a policy's networks, kept beside its weights: no configuration file is needed for that."""

import msgspec

from workers.config import AlgorithmConfig, Config, PolicyConfig
from workers.transport.record import FeatureSpec


class PolicySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The description on a `PolicyShelf`."""

    run: str
    """Name of the run that trained it."""
    features: FeatureSpec
    policy: PolicyConfig
    algorithm: AlgorithmConfig

    @classmethod
    def of(cls, config: Config, features: FeatureSpec) -> "PolicySettings":
        """Those of a run."""
        return cls(run=config.run.name, features=features, policy=config.policy, algorithm=config.algorithm)

    def to_json(self) -> bytes:
        """The text that `from_json` takes."""
        return msgspec.json.format(msgspec.json.encode(self))

    @classmethod
    def from_json(cls, data: bytes) -> "PolicySettings":
        """Raises msgspec.DecodeError or UnicodeDecodeError."""
        return msgspec.json.decode(data, type=cls)
