"""ToBatchProcessor and DeviceProcessor: the end of the pipeline, from stored arrays to the policy's tensors."""

from dataclasses import replace
from typing import Any

from workers.processors.features import Features
from workers.processors.transition import Transition

_OBSERVATION = "observation."


class ToBatchProcessor:
    """`policy_input` is the observation with a batch axis of 1 in front; the stored observation stays as it is."""

    def reset(self) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        batched = {
            key: replace(feature, shape=(1, *feature.shape))
            for key, feature in features.items()
            if key.startswith(_OBSERVATION)
        }
        return {**features, **batched}

    def __call__(self, transition: Transition) -> None:
        transition.policy_input = {key: value[None] for key, value in transition.observation.items()}


class DeviceProcessor:
    """`policy_input` as torch tensors on a device. Pictures travel as uint8 and become float only there."""

    def __init__(self, device: str) -> None:
        self._device = device

    def reset(self) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        moved = {
            key: replace(feature, device=self._device)
            for key, feature in features.items()
            if key.startswith(_OBSERVATION)
        }
        return {**features, **moved}

    def __call__(self, transition: Transition) -> None:
        import torch  # heavy, and only where a policy acts

        tensors: dict[str, Any] = {
            key: torch.from_numpy(value).to(self._device) for key, value in transition.policy_input.items()
        }
        transition.policy_input = tensors
