"""What the tables of effects are made of: two values of a key, and how to see that they differ."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.altered import altered
from workers.config import Config
from workers.model.events import Event
from workers.model.orders import AnyOrder

Observe = Callable[[Config, Path], Any]


@dataclass(frozen=True)
class Effect:
    """Two values of a key; `observe` runs the smallest real thing that the key is for, and says what it did.

    `also` are other keys, the same for both. In texts, "{folder}" is a folder of the test's own.
    """

    values: tuple[Any, Any]
    observe: Observe
    also: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Only:
    """A key with one possible value in this release: its effect is that anything else is refused."""

    value: Any
    other: Any


SMALL = {
    "policy.latent_dim": 8,
    "policy.state_encoder_hidden_dim": 8,
    "policy.image_encoder_hidden_dim": 4,
    "policy.actor_network_kwargs.hidden_dims": [8],
    "policy.discrete_critic_network_kwargs.hidden_dims": [8],
    "policy.online_buffer_capacity": 200,
    "policy.offline_buffer_capacity": 200,
    "policy.torch_threads": 1,
    "algorithm.critic_network_kwargs.hidden_dims": [8],
    "algorithm.batch_size": 8,
    "algorithm.bc_pretrain_updates": 0,
    "algorithm.bc_weight": 0.0,
    "env.processor.image_preprocessing.resize_size": [32, 32],
    "run.name": "it",
    "run.directory": "{folder}",
}
"""A run that costs next to nothing."""
NO_ARM = {
    "env.type": "gymnasium",
    "env.id": "tests.actor.worlds:worlds/Point-v0",
    "env.robot": None,
    "env.processor.inverse_kinematics": None,
    "env.processor.image_preprocessing.resize_size": None,
    "operator.scripted": False,
}
"""An environment that costs even less, where it does not matter what is driven."""


def small(folder: Path, changes: dict[str, Any]) -> Config:
    """The ready configuration made small, in `folder`, with some keys changed."""
    filled = {key: _filled(value, folder) for key, value in {**SMALL, **changes}.items()}
    config = altered(filled)
    config.run_dir.mkdir(parents=True, exist_ok=True)
    return config


def _filled(value: Any, folder: Path) -> Any:
    return value.replace("{folder}", str(folder)) if isinstance(value, str) else value


def plain(value: Any) -> Any:
    """`value` as something that can be compared and shown."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


class Mailbox:
    """Keeps what a worker tells."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class FakeDesk:
    """A worker's desk without a station: orders from a list, and an end when `going` says so."""

    name = "it"
    nice = 0

    def __init__(self, orders: Iterable[AnyOrder], going: Callable[[], bool]) -> None:
        self.mailbox = Mailbox()
        self.quitting = False
        self._orders, self._going = iter(orders), going

    def next_order(self, timeout_s: float = 0.0) -> AnyOrder | None:
        return next(self._orders, None)

    def alive(self) -> bool:
        self.quitting = self.quitting or not self._going()
        return not self.quitting


def lasting(seconds: float) -> Callable[[], bool]:
    """True from the first call on for so long."""
    began: list[float] = []

    def going() -> bool:
        began.append(time.monotonic())
        return began[-1] - began[0] < seconds

    return going


def rounds(count: int) -> Callable[[], bool]:
    """True so many times."""
    left = iter(range(count))
    return lambda: next(left, None) is not None
