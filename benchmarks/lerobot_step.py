"""LeRobot's learner step, for side-by-side figures: its own networks, losses, replay and optimisers, in the order
of its `rl/learner.py`. Needs an installed LeRobot (0.4); nothing of it is part of this repository.
"""

import importlib.util
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

from benchmarks.made_up_replay import FEATURES
from workers.learner.backbones import ResNet10

IMAGES = [f"observation.images.{camera}" for camera in FEATURES.cameras]
CLIP = 40.0


class LeRobotLearner:
    """Its learner at a UTD ratio of 2, half online and half demonstrations, on transitions of noise."""

    def __init__(
        self,
        path: Path | None,
        device: str,
        storage_device: str,
        batch: int,
        filled: int,
        vision_encoder_name: str | None = None,
    ) -> None:
        """`path` is the folder that holds the package; None where it is installed. Raises ImportError.

        With "resnet10" for `vision_encoder_name` it has that network, frozen, with random weights.
        """
        self._import(path)
        from lerobot.configs.types import FeatureType, PolicyFeature
        from lerobot.policies.sac.configuration_sac import SACConfig
        from lerobot.policies.sac.modeling_sac import PretrainedImageEncoder, SACPolicy
        from lerobot.rl import buffer

        inputs = {
            key: PolicyFeature(FeatureType.VISUAL, (3, FEATURES.height, FEATURES.width)) for key in IMAGES
        }
        inputs["observation.state"] = PolicyFeature(FeatureType.STATE, (FEATURES.state_dim,))
        config = SACConfig(
            device=device,
            num_discrete_actions=3,
            vision_encoder_name=vision_encoder_name,
            input_features=inputs,
            output_features={"action": PolicyFeature(FeatureType.ACTION, (FEATURES.motion_dim,))},
        )
        PretrainedImageEncoder._load_pretrained_vision_encoder = lambda self, config: (_ResNet10(), 512)
        self._frozen = vision_encoder_name is not None
        self._join = buffer.concatenate_batch_transitions
        self._policy = SACPolicy(config).to(device).train()
        self._optimisers = self._make_optimisers(config)
        keys = [*IMAGES, "observation.state"]
        self._buffers = [
            buffer.ReplayBuffer(filled, device, keys, storage_device=storage_device) for _ in range(2)
        ]
        for replay in self._buffers:
            for _ in range(filled):
                replay.add(**_transition())
        self._batches = [
            replay.get_iterator(batch // 2, async_prefetch=config.async_prefetch) for replay in self._buffers
        ]

    def step(self) -> None:
        """Two critic updates, with actor and temperature on the second, each on a batch of its own."""
        self._critics(self._draw(), last=False)
        batch = self._draw()
        self._critics(batch, last=True)
        policy = self._policy
        for name, parameters in (("actor", policy.actor.parameters()), ("temperature", [policy.log_alpha])):
            loss = policy.forward(batch, model=name)[f"loss_{name}"]
            self._descend(name, loss, parameters).item()
            loss.item()
        policy.update_target_networks()

    def action_s(self, repeats: int) -> float:
        """Shortest time of one action on one thread, as its actor has it computed; pictures are normalised before."""
        observation, threads = _observation(), torch.get_num_threads()
        policy, times = self._policy.eval(), []
        torch.set_num_threads(1)
        for _ in range(repeats):
            start = time.perf_counter()
            policy.select_action(observation)
            times.append(time.perf_counter() - start)
        torch.set_num_threads(threads)
        policy.train()
        return min(times)

    def _critics(self, batch: dict[str, Any], last: bool) -> None:
        policy = self._policy
        pairs = (("critic", policy.critic_ensemble), ("discrete_critic", policy.discrete_critic))
        for name, network in pairs:
            loss = policy.forward(batch, model=name)[f"loss_{name}"]
            norm = self._descend(name, loss, network.parameters())
            if last:
                norm.item(), loss.item()
        if not last:
            policy.update_target_networks()

    def _descend(self, name: str, loss: Any, parameters: Any) -> Any:
        self._optimisers[name].zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        self._optimisers[name].step()
        return norm

    def _draw(self) -> dict[str, Any]:
        online, offline = (next(batches) for batches in self._batches)
        batch = self._join(online, offline)
        for key, tensor in (
            *batch["state"].items(),
            *batch["next_state"].items(),
            ("action", batch["action"]),
        ):
            assert not torch.isnan(tensor).any(), key  # as its check_nan_in_transition does
        features = self._features(batch["state"]), self._features(batch["next_state"])
        return {**batch, "observation_feature": features[0], "next_observation_feature": features[1]}

    @torch.no_grad()
    def _features(self, observation: dict[str, torch.Tensor]) -> Any:
        """As its `get_observation_features`: once for all networks where the encoder is frozen."""
        return self._policy.actor.encoder.get_cached_image_features(observation) if self._frozen else None

    def _make_optimisers(self, config: Any) -> dict[str, torch.optim.Adam]:
        policy = self._policy
        own = [p for name, p in policy.actor.named_parameters() if not name.startswith("encoder")]
        return {
            "actor": torch.optim.Adam(own, config.actor_lr),
            "critic": torch.optim.Adam(policy.critic_ensemble.parameters(), config.critic_lr),
            "discrete_critic": torch.optim.Adam(policy.discrete_critic.parameters(), config.critic_lr),
            "temperature": torch.optim.Adam([policy.log_alpha], config.critic_lr),
        }

    @staticmethod
    def _import(path: Path | None) -> None:
        """Make LeRobot's learner importable without the packages of all its other policies."""
        if path is not None:
            sys.path.append(str(path))
        found = importlib.util.find_spec("lerobot")
        if found is None or not found.submodule_search_locations:
            raise ImportError("no LeRobot there: give --peer the site-packages folder that holds it")
        for name in ("policies", "rl"):
            package = ModuleType(f"lerobot.{name}")
            package.__path__ = [str(Path(found.submodule_search_locations[0]) / name)]
            sys.modules.setdefault(package.__name__, package)


class _ResNet10(torch.nn.Module):
    """The network in the order of memory that LeRobot has it in, with the output that transformers' models have."""

    def __init__(self) -> None:
        super().__init__()
        self.net = ResNet10().to(memory_format=torch.contiguous_format)

    def forward(self, pixels: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=self.net.maps(pixels))


class PeerProcess:
    """LeRobot's learner in a process of its own, with nothing of ours tuned there; one step at a time."""

    def __init__(self, path: Path, batch: int, threads: int, vision_encoder_name: str | None) -> None:
        self._ours, theirs = multiprocessing.get_context("spawn").Pipe()
        arguments = (theirs, path, batch, threads, vision_encoder_name)
        process = multiprocessing.get_context("spawn").Process(target=_serve, args=arguments, daemon=True)
        process.start()
        theirs.close()
        self._ours.recv()  # it stands

    def step_s(self) -> float:
        """Seconds of one UTD-2 step."""
        return self._asked(0)

    def action_s(self, repeats: int) -> float:
        """Seconds of one action, the shortest of `repeats`."""
        return self._asked(repeats)

    def _asked(self, actions: int) -> float:
        self._ours.send(actions)
        took: float = self._ours.recv()
        return took


def _serve(pipe: Connection, path: Path, batch: int, threads: int, vision_encoder_name: str | None) -> None:
    torch.set_num_threads(threads)
    learner = LeRobotLearner(path, "cpu", "cpu", batch, 201, vision_encoder_name)
    took = 0.0
    while True:
        try:
            pipe.send(took)
            actions = pipe.recv()
        except (EOFError, BrokenPipeError):
            return
        start = time.perf_counter()
        if actions:
            took = learner.action_s(actions)
        else:
            learner.step()
            took = time.perf_counter() - start


def _transition() -> dict[str, Any]:
    """One of noise, as its actor sends them: normalised float32, with a batch dimension."""
    action = torch.cat([torch.rand(FEATURES.motion_dim) * 2 - 1, torch.randint(0, 3, (1,)).float()])
    return {
        "state": _observation(),
        "action": action[None],
        "reward": 0.0,
        "next_state": _observation(),
        "done": False,
        "truncated": False,
        "complementary_info": {"discrete_penalty": torch.zeros(1)},
    }


def _observation() -> dict[str, torch.Tensor]:
    pictures = {key: torch.rand(1, 3, FEATURES.height, FEATURES.width) for key in IMAGES}
    return {**pictures, "observation.state": torch.rand(1, FEATURES.state_dim)}
