"""The policy as the actor runs it: weights in, one action per observation out.

The same class serves acting (sampled, with a little gripper exploration) and evaluation (deterministic).
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.batch import Observation
from workers.learner.encoders import ObservationEncoder
from workers.learner.networks import NUM_DISCRETE_ACTIONS, Actor, GripperCritic
from workers.transport.record import FeatureSpec


class PolicyRejected(ValueError):
    """Weights that must not drive the arm: of another network, or not finite. The old ones stay."""


class Policy:
    """Encoder, actor and gripper critic, in evaluation mode on the CPU."""

    def __init__(self, features: FeatureSpec, policy: PolicyConfig, algorithm: AlgorithmConfig) -> None:
        self.features = features
        self.version = 0
        """Version of the weights in use; 0 until the first `load`."""
        encoder = ObservationEncoder(features, policy, pretrained=False)
        self._networks = nn.ModuleDict(
            {
                "encoder": encoder,
                "actor": Actor(encoder.out_dim, policy),
                "gripper": GripperCritic(encoder.out_dim, policy),
            }
        ).eval()
        self._networks.requires_grad_(False)
        self._discrete_exploration = algorithm.discrete_exploration
        self._frozen_backbone = not encoder.backbone_trained

    def load_bytes(self, data: bytes, version: int) -> None:
        """`load` from one safetensors buffer. Raises PolicyRejected."""
        try:
            tensors = load_safetensors(data)
        except Exception as error:
            raise PolicyRejected(f"policy {version}: not a safetensors buffer ({error})") from error
        self.load(tensors, version)

    def load(self, tensors: Mapping[str, Tensor], version: int) -> None:
        """Take over `policy_tensors(sac)`; a frozen backbone may be missing once it has been loaded.

        Raises PolicyRejected and keeps the present weights when anything is wrong.
        """
        own = self._networks.state_dict()
        missing = [name for name in own if name not in tensors and not self._may_miss(name)]
        unknown = [name for name in tensors if name not in own]
        if missing or unknown:
            raise PolicyRejected(
                f"policy {version} is of another network: {len(missing)} tensors missing, {len(unknown)}"
                f" unknown ({(missing + unknown)[0]!r} first); use the settings it was trained with"
            )
        for name, tensor in tensors.items():
            if tensor.shape != own[name].shape:
                raise PolicyRejected(
                    f"policy {version}: {name} has shape {list(tensor.shape)}, not {list(own[name].shape)}"
                )
            if not torch.isfinite(tensor).all():
                raise PolicyRejected(
                    f"policy {version}: {name} holds NaN or infinity; the learner has diverged"
                )
        with torch.no_grad():
            for name, tensor in tensors.items():
                own[name].copy_(tensor)
        self.version = version

    def _may_miss(self, name: str) -> bool:
        return self._frozen_backbone and self.version > 0 and name.startswith("encoder.backbone.")

    @torch.inference_mode()
    def act(
        self,
        observation: Mapping[str, NDArray[np.float32] | NDArray[np.uint8]],
        deterministic: bool,
        generator: torch.Generator,
    ) -> NDArray[np.float32]:
        """One action, float32 [4]: dx, dy, dz in [-1, 1], gripper 0 close, 1 stay, 2 open.

        `observation` has `observation.state` float32 [N] and `observation.images.<camera>` uint8 [H, W, 3].
        Deterministic is tanh of the mean and the best gripper command; otherwise the action is sampled and
        the gripper command is random with probability `discrete_exploration`.
        """
        z = self._networks["encoder"](self._as_batch(observation))
        actor = self._networks["actor"]
        assert isinstance(actor, Actor)
        motion = actor(z)[0].tanh() if deterministic else actor.sample(z, generator)[0]
        command = self._networks["gripper"](z).argmax(dim=1)
        if not deterministic and torch.rand((), generator=generator) < self._discrete_exploration:
            command = torch.randint(NUM_DISCRETE_ACTIONS, (1,), generator=generator)
        action: NDArray[np.float32] = torch.cat([motion, command.float().unsqueeze(1)], dim=1)[0].numpy()
        return action

    def _as_batch(self, observation: Mapping[str, NDArray[np.float32] | NDArray[np.uint8]]) -> Observation:
        pictures = np.stack([observation[f"observation.images.{camera}"] for camera in self.features.cameras])
        state = np.asarray(observation["observation.state"], np.float32)
        return Observation(torch.from_numpy(state)[None], torch.from_numpy(pictures)[None])
