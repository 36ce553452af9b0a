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
    """Encoder, actor and, with a gripper, its critic; in evaluation mode on one device."""

    def __init__(
        self,
        features: FeatureSpec,
        policy: PolicyConfig,
        algorithm: AlgorithmConfig,
        device: torch.device | str = "cpu",
    ) -> None:
        self.features = features
        self.version = 0
        """Version of the weights in use; 0 until the first `load`."""
        self._encoder = ObservationEncoder(features, policy, pretrained=False)
        self._actor = Actor(self._encoder.out_dim, features.motion_dim, policy)
        self._gripper = GripperCritic(self._encoder.out_dim, policy) if features.gripper else None
        networks: dict[str, nn.Module] = {"encoder": self._encoder, "actor": self._actor}
        if self._gripper is not None:
            networks["gripper"] = self._gripper
        self._networks = nn.ModuleDict(networks).eval().requires_grad_(False).to(device)
        self._discrete_exploration = algorithm.discrete_exploration
        self._frozen_backbone = not self._encoder.backbone_trained

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
        self, observation: Mapping[str, Tensor], deterministic: bool, generator: torch.Generator
    ) -> NDArray[np.float32]:
        """One action, float32 [action_dim]: motion in [-1, 1], then any gripper's 0 close, 1 stay, 2 open.

        `observation` has `observation.state` float32 [1, N] and `observation.images.<camera>` uint8
        [1, H, W, 3]; they and `generator` are on the policy's device.
        Deterministic is tanh of the mean and the best gripper command; otherwise the motion is sampled and
        the gripper command is random with probability `discrete_exploration`.
        """
        z = self._encoder(self._as_batch(observation))
        action = self._actor(z)[0].tanh() if deterministic else self._actor.sample(z, generator)[0]
        if self._gripper is not None:
            command = self._gripper(z).argmax(dim=1, keepdim=True)
            if not deterministic and self._explores(generator):
                command = torch.randint(
                    NUM_DISCRETE_ACTIONS, (1, 1), generator=generator, device=generator.device
                )
            action = torch.cat([action, command.float()], dim=1)
        chosen: NDArray[np.float32] = action[0].cpu().numpy()
        return chosen

    def _explores(self, generator: torch.Generator) -> bool:
        draw = torch.rand((), generator=generator, device=generator.device)
        return bool(draw < self._discrete_exploration)

    def _as_batch(self, observation: Mapping[str, Tensor]) -> Observation:
        state = observation["observation.state"]
        views = [observation[f"observation.images.{camera}"] for camera in self.features.cameras]
        none = state.new_empty((1, *self.features.image_shape), dtype=torch.uint8)
        return Observation(state, torch.stack(views, dim=1) if views else none)
