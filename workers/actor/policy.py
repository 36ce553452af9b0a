"""The policy as the actor runs it: weights in, one action per observation out.

The same class serves acting (sampled, with a little gripper exploration) and evaluation (deterministic).
Weights go into a second set of networks, by another thread if need be; to drive with them is pointer work.
"""

import copy
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_safetensors
from torch import Tensor, nn

from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.batch import Observation
from workers.learner.encoders import ObservationEncoder
from workers.learner.networks import NUM_DISCRETE_ACTIONS, Actor, GripperCritic
from workers.learner.sac_state import BACKBONE
from workers.learner.weights_digest import weights_digest
from workers.transport.record import FeatureSpec

_PIECE = 32_768  # elements checked and copied at once, in about 0.1 ms


class PolicyRejected(ValueError):
    """Weights that must not drive the arm: of another network, or not finite. The old ones stay."""


class _Networks(nn.Module):
    """What acting needs; parameters are named as in `policy_tensors(sac)`."""

    def __init__(self, features: FeatureSpec, policy: PolicyConfig) -> None:
        super().__init__()
        self.encoder = ObservationEncoder(features, policy, pretrained=False)
        self.actor = Actor(self.encoder.out_dim, features.motion_dim, policy)
        self.gripper = GripperCritic(self.encoder.out_dim, policy) if features.gripper else None


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
        self._digest = -1, ""
        self._networks = _Networks(features, policy).eval().requires_grad_(False).to(device)
        self._discrete_exploration = algorithm.discrete_exploration
        backbone = self._networks.encoder.backbone
        self._frozen = not self._networks.encoder.backbone_trained
        self._spare = copy.deepcopy(self._networks, {id(backbone): backbone} if self._frozen else {})

    @property
    def digest(self) -> str:
        """Of the weights in use; see `weights_digest`. Worked out once a version."""
        if self._digest[0] != self.version:
            self._digest = self.version, weights_digest(self._networks.state_dict())
        return self._digest[1]

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
        self.prepare(tensors, version)
        self.take(version)

    def prepare(
        self, tensors: Mapping[str, Tensor], version: int, breathe: Callable[[], None] = lambda: None
    ) -> None:
        """Verify weights and lay them ready for `take`. `act` may run in another thread meanwhile.

        `breathe` is called after every 0.1 ms or so of work. Raises PolicyRejected.
        """
        own = self._spare.state_dict()
        missing = [name for name in own if name not in tensors and not self._may_miss(name)]
        unknown = [name for name in tensors if name not in own]
        if missing or unknown:
            raise PolicyRejected(
                f"policy {version} is of another network: {len(missing)} tensors missing, {len(unknown)}"
                f" unknown ({(missing + unknown)[0]!r} first); use the settings it was trained with"
            )
        for name, tensor in tensors.items():
            _check_kind(name, tensor, own[name], version)
        for name, tensor in tensors.items():
            if self._may_miss(name):  # both sets of networks share it, and it never changes
                if not torch.equal(tensor.to(own[name].device), own[name]):
                    raise PolicyRejected(f"policy {version}: {name} is frozen, yet it has changed")
                continue
            for mine, given in _pieces(own[name], tensor):
                if not torch.isfinite(given).all():
                    raise PolicyRejected(
                        f"policy {version}: {name} holds NaN or infinity; the learner has diverged"
                    )
                mine.copy_(given)
                breathe()
        if self._frozen and not self.version:
            self._pack()

    def take(self, version: int) -> None:
        """Drive with the weights prepared last, as `version`."""
        self._networks, self._spare = self._spare, self._networks
        self.version = version

    def _pack(self) -> None:
        """Both sets of networks share what is made of the frozen backbone, whose weights have come now for good."""
        self._spare.encoder.pack()
        self._networks.encoder.packed = self._spare.encoder.packed

    def _may_miss(self, name: str) -> bool:
        return self._frozen and self.version > 0 and name.startswith(BACKBONE)

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
        nets = self._networks
        z = nets.encoder(self._as_batch(observation))
        if deterministic:
            action = nets.actor(z)[0].tanh()
        else:
            width = nets.actor.mean.out_features
            noise = torch.randn((1, width), generator=generator, device=generator.device)
            action = nets.actor.sample(z, noise)[0]
        if nets.gripper is not None:
            command = nets.gripper(z).argmax(dim=1, keepdim=True)
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


def _check_kind(name: str, tensor: Tensor, own: Tensor, version: int) -> None:
    """Raises PolicyRejected when shape or number type differ."""
    if tensor.shape != own.shape:
        raise PolicyRejected(
            f"policy {version}: {name} has shape {list(tensor.shape)}, not {list(own.shape)}"
        )
    if tensor.dtype != own.dtype:
        raise PolicyRejected(f"policy {version}: {name} holds {tensor.dtype}, not {own.dtype}")


def _pieces(own: Tensor, given: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Both tensors in parts of about `_PIECE` elements, cut along the first dimension."""
    if own.numel() <= _PIECE:
        yield own, given
        return
    rows = max(1, _PIECE * len(own) // own.numel())
    for first in range(0, len(own), rows):
        yield own[first : first + rows], given[first : first + rows]
