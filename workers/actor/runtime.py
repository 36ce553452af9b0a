"""PolicyRuntime: the policy that drives now, and the newer one that waits for the end of a step."""

import logging
import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.actor.policy import Policy, PolicyRejected
from workers.config import Config
from workers.learner.devices import DeviceMissing, usable_device
from workers.model.events import Event, PolicySwapped
from workers.processors.build import feature_spec
from workers.runtime.harness import WorkerFailure
from workers.transport.shelf import PolicyShelf

log = logging.getLogger(__name__)


class PolicyRuntime:
    """Swaps weights between steps, never inside one, and not at all while pinned (an evaluation).

    Raises WorkerFailure when the configured `device` is not here.
    """

    def __init__(self, config: Config, emit: Callable[[Event], None]) -> None:
        torch.set_num_threads(1)
        try:
            device = usable_device(config.device, "device")
        except DeviceMissing as missing:
            raise WorkerFailure(str(missing)) from missing
        self._policy = Policy(feature_spec(config), config.policy, config.algorithm, device)
        self._shelf = PolicyShelf(config.run_dir / "policy")
        self._emit = emit
        self._generator = torch.Generator(device).manual_seed(config.run.seed)
        self._offered = 0
        self.pinned = False

    @property
    def version(self) -> int:
        return self._policy.version

    def offer(self, version: int) -> None:
        """Note that a newer policy lies on the shelf."""
        self._offered = version

    def swap(self) -> None:
        """Take over the offered policy. A rejected one is reported and the present one stays."""
        version = self._offered
        if version == self._policy.version or version == 0 or (self.pinned and self._policy.version):
            return
        data = self._shelf.read(version)
        if data is None:
            self._offered = max(self._shelf.versions(), default=0)
            return
        try:
            self._policy.load_bytes(data, version)
        except PolicyRejected as error:
            log.error("%s", error)
            self._offered = self._policy.version
            return
        self._emit(PolicySwapped(version, time.monotonic()))

    def act(self, observation: Mapping[str, Tensor], deterministic: bool) -> NDArray[np.float32]:
        """One action, float32 [action_dim]; swaps in a newer policy first. See `Policy.act`."""
        self.swap()
        return self._policy.act(observation, deterministic, self._generator)
