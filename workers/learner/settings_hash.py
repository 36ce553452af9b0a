"""Which settings and which features a checkpoint belongs to."""

import hashlib

import msgspec

from workers.config import AlgorithmConfig, PolicyConfig
from workers.transport.record import FeatureSpec

FREE_POLICY_KEYS = frozenset(
    {
        "device",
        "storage_device",
        "feature_replay",
        "online_steps",
        "online_buffer_capacity",
        "offline_buffer_capacity",
        "online_step_before_learning",
        "use_torch_compile",
        "use_amp",
        "torch_threads",
        "actor_learner_config",
    }
)
FREE_ALGORITHM_KEYS = frozenset({"utd_ratio", "discrete_exploration", "log_freq", "policy_average_weight"})


def settings_hash(policy: PolicyConfig, algorithm: AlgorithmConfig) -> str:
    """SHA-256 of all that shapes networks, optimisers and updates; equal hashes may resume each other.

    Every key of both sections counts, those of the future too, but for the free ones: where and how fast the
    learner runs, what it remembers, when it begins and ends, what it writes down, and what the actor alone
    does, and what acts. A run may change these.
    """
    bound = [_without(policy, FREE_POLICY_KEYS), _without(algorithm, FREE_ALGORITHM_KEYS)]
    return hashlib.sha256(msgspec.json.encode(bound, order="sorted")).hexdigest()


def features_hash(features: FeatureSpec) -> str:
    """SHA-256 of the shapes of observations and actions."""
    return hashlib.sha256(msgspec.json.encode(features, order="sorted")).hexdigest()


def _without(section: msgspec.Struct, free: frozenset[str]) -> dict[str, object]:
    return {name: getattr(section, name) for name in section.__struct_fields__ if name not in free}
