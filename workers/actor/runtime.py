"""PolicyRuntime: the policy that drives now, and the newer one that waits for the end of a step."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from workers.actor.policy import Policy, PolicyRejected
from workers.config import Config
from workers.learner.devices import DeviceMissing, usable_device
from workers.model.events import Event, PolicySwapped
from workers.processors.build import feature_spec
from workers.runtime.harness import WorkerFailure
from workers.transport.shelf import PolicyShelf

WORK_S, REST_S = 0.0005, 0.002
"""How the loader takes turns with the rest of the actor between two actions."""
ACTING_REST_S = 0.05
"""While an action is computed it does a tenth of a millisecond's work in this time: one free core is enough."""
log = logging.getLogger(__name__)


class PolicyRuntime:
    """Swaps weights between steps, never inside one, and not at all while pinned (an evaluation).

    Weights are read, verified and copied by a thread of their own, in small turns. What `swap` does is pointer
    work. Raises WorkerFailure when the configured `device` is not here.
    """

    def __init__(self, config: Config, emit: Callable[[Event], None]) -> None:
        torch.set_num_threads(1)
        try:
            device = usable_device(config.device, "device")
        except DeviceMissing as missing:
            raise WorkerFailure(str(missing)) from missing
        self._policy = Policy(feature_spec(config), config.policy, config.algorithm, device)
        self._loader = PolicyLoader(self._policy, PolicyShelf(config.run_dir / "policy"))
        self._emit = emit
        self._generator = torch.Generator(device).manual_seed(config.run.seed)
        self.pinned = False

    @property
    def version(self) -> int:
        return self._policy.version

    @property
    def digest(self) -> str:
        """Of the weights that drive."""
        return self._policy.digest

    def offer(self, version: int) -> None:
        """Note that a newer policy lies on the shelf, and begin to load it."""
        self._loader.want(version)

    def swap(self) -> None:
        """Drive with the newest policy that is ready. A rejected one is reported and the present one stays."""
        if self.pinned and self._policy.version:
            return
        if self._loader.take():
            self._emit(PolicySwapped(self._policy.version, time.monotonic()))

    def act(self, observation: Mapping[str, Tensor], deterministic: bool) -> NDArray[np.float32]:
        """One action, float32 [action_dim]; swaps in a newer policy first. See `Policy.act`."""
        self.swap()
        with self._loader.giving_way():
            return self._policy.act(observation, deterministic, self._generator)


class PolicyLoader:
    """Prepares the newest policy wanted, in a thread that lives as long as there is something to load."""

    def __init__(self, policy: Policy, shelf: PolicyShelf) -> None:
        self._policy = policy
        self._shelf = shelf
        self._lock = threading.Lock()  # held for pointer work only
        self._wanted = 0
        self._tried = 0
        self._ready = 0
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()

    @contextlib.contextmanager
    def giving_way(self) -> Iterator[None]:
        """Load slowly meanwhile."""
        self._idle.clear()
        try:
            yield
        finally:
            self._idle.set()

    def want(self, version: int) -> None:
        """Load `version` unless it, or a newer one, was wanted before."""
        with self._lock:
            self._wanted = max(self._wanted, version)
            self._begin()

    def take(self) -> bool:
        """Let the policy drive with what is ready; whether there was something."""
        with self._lock:
            version, self._ready = self._ready, 0
            if version:
                self._policy.take(version)
                self._begin()
        return bool(version)

    def _begin(self) -> None:
        """Start the thread unless it runs, has nothing to do, or would write into what is ready."""
        if self._thread is None and not self._ready and self._wanted > self._tried:
            self._thread = threading.Thread(target=self._work, name="policy loader")
            self._thread.start()

    def _work(self) -> None:
        while version := self._next():
            try:
                ready = self._prepare(version)
            except Exception as error:  # whatever is wrong with these weights, the arm has others
                log.error("%s; %s", error, self._consequence())
                continue
            with self._lock:
                self._ready = ready

    def _next(self) -> int:
        """The version to load now, 0 when there is none or one is ready: it is taken before the next."""
        with self._lock:
            if self._ready or self._wanted == self._tried:
                self._thread = None
                return 0
            self._tried = self._wanted
            return self._tried

    def _consequence(self) -> str:
        if self._policy.version:
            return f"the arm goes on with policy {self._policy.version}"
        return "there is no policy to drive with yet"

    def _prepare(self, version: int) -> int:
        """Prepare `version`, or the newest on the shelf if it has gone; 0 when that is no newer.

        Raises PolicyRejected, OSError.
        """
        if not self._shelf.files(version, frozen=False):
            version = max(self._shelf.versions(), default=0)
            if version <= self._policy.version:
                return 0
        turn = _Turn(self._idle)
        tensors = read_policy(self._shelf, version, self._policy.version == 0, turn.breathe)
        self._policy.prepare(tensors, version, turn.breathe)
        return version


def read_policy(
    shelf: PolicyShelf, version: int, frozen: bool, breathe: Callable[[], None] = lambda: None
) -> dict[str, Tensor]:
    """The tensors of a version on a shelf, with its `frozen` part if asked for: for `Policy.load` or `prepare`.

    The one way in which weights reach an arm, in training and in evaluation. Raises PolicyRejected, OSError.
    """
    tensors: dict[str, Tensor] = {}
    for path in shelf.files(version, frozen):
        try:
            tensors |= _mapped(path, breathe)
        except SafetensorError as error:
            raise PolicyRejected(f"policy {version}: {path.name} is no safetensors file ({error})") from error
    return tensors


def _mapped(path: Path, breathe: Callable[[], None]) -> dict[str, Tensor]:
    """The tensors of a file, read from it when they are used."""
    tensors = {}
    with safe_open(path, "pt") as file:
        for name in file.keys():  # noqa: SIM118, it is no mapping
            tensors[name] = file.get_tensor(name)
            breathe()
    return tensors


class _Turn:
    """Work for WORK_S, rest for REST_S; while an action is computed, rest after every piece of work."""

    def __init__(self, idle: threading.Event) -> None:
        self._idle = idle
        self._since_s = time.perf_counter()

    def breathe(self) -> None:
        if not self._idle.is_set():
            self._idle.wait(ACTING_REST_S)
        elif time.perf_counter() - self._since_s > WORK_S:
            time.sleep(REST_S)
        else:
            return
        self._since_s = time.perf_counter()
