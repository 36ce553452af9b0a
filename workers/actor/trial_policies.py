"""TrialPolicies: the policies of an evaluation, loaded before the first trial, one of them chosen for each."""

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from workers.actor.policy import Policy, PolicyRejected
from workers.actor.runtime import read_policy
from workers.actor.trial_shelves import shelf_of
from workers.config import Config
from workers.learner.devices import DeviceMissing, usable_device
from workers.learner.policy_settings import PolicySettings
from workers.model.evaluation import SHORT, SIDES
from workers.runtime.harness import WorkerFailure
from workers.transport.record import FeatureSpec
from workers.transport.shelf import PolicyShelf

log = logging.getLogger(__name__)


class TrialPolicies:
    """Acts with the policy that was chosen last; deterministic where it is told to.

    Raises WorkerFailure when `config.device` is not here, or a policy cannot be loaded or sees other things than
    `features`.
    """

    def __init__(self, config: Config, features: FeatureSpec) -> None:
        torch.set_num_threads(1)
        shelves = [shelf_of(config.run_dir, side) for side in range(len(SIDES))]
        try:
            device = usable_device(config.device, "device")
            self._policies = [_load(shelf, features, device) for shelf in shelves if shelf.is_dir()]
        except (DeviceMissing, PolicyRejected, OSError, SafetensorError) as error:
            raise WorkerFailure(str(error)) from error
        if not self._policies:
            raise WorkerFailure(
                f"there is no policy to try in {shelves[0]}: hilserl-worker evaluate puts it there"
            )
        for side, policy in zip(SIDES, self._policies, strict=False):
            log.info("%s is policy %d, weights %s", side, policy.version, policy.digest[:SHORT])
        self._chosen = self._policies[0]
        self._generator = torch.Generator(device).manual_seed(config.run.seed)
        self.pinned = False

    @property
    def version(self) -> int:
        return self._chosen.version

    @property
    def digest(self) -> str:
        return self._chosen.digest

    def choose(self, side: int) -> None:
        """The policy of the coming trial."""
        self._chosen = self._policies[side]

    def offer(self, version: int) -> None:
        """Nothing is waited for."""

    def swap(self) -> None:
        """A trial keeps its policy."""

    def act(self, observation: Mapping[str, Tensor], deterministic: bool) -> NDArray[np.float32]:
        """One action, float32 [action_dim]. See `Policy.act`."""
        return self._chosen.act(observation, deterministic, self._generator)


def _load(folder: Path, features: FeatureSpec, device: torch.device) -> Policy:
    shelf = PolicyShelf(folder)
    try:
        settings = PolicySettings.from_json(shelf.description() or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PolicyRejected(f"the settings of the policy in {folder} cannot be read: {error}") from error
    if settings.features != features:
        raise PolicyRejected(f"the policy in {folder} was trained on other observations or actions")
    policy = Policy(settings.features, settings.policy, settings.algorithm, device)
    version = max(shelf.versions())
    policy.load(read_policy(shelf, version, frozen=True), version)
    return policy
