"""Policies to export, and the observations they are tried on."""

import torch
from torch import Tensor

from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.policy_settings import PolicySettings
from workers.learner.sac import SAC
from workers.learner.sac_state import policy_tensors
from workers.policy_export.source import Exportable, Origin, Success
from workers.transport.record import FeatureSpec

FEATURES = FeatureSpec(state_dim=5, cameras=("front", "wrist.left"), height=64, width=80)
FOR_LEROBOT = PolicyConfig(
    vision_encoder_name="lerobot_cnn",
    image_encoder_hidden_dim=8,
    image_embedding_pooling_dim=3,
    latent_dim=16,
    state_encoder_hidden_dim=16,
)


NEWEST = AlgorithmConfig(policy_average_weight=1.0)  # acts with the weights that are set here


def exportable(
    policy: PolicyConfig = FOR_LEROBOT, features: FeatureSpec = FEATURES, seed: int = 0
) -> Exportable:
    """A policy of random weights, its standard deviations all over their range."""
    sac = SAC(features, policy, NEWEST, seed=seed, pretrained=False)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(seed)
        for parameter in sac.actor.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        sac.actor.log_std.weight.mul_(20.0)
    return Exportable(
        PolicySettings(run="pick", features=features, policy=policy, algorithm=NEWEST),
        policy_tensors(sac),
        Origin(run="pick", policy_version=7, updates=1200, success=Success(18, 20), versions={"torch": "x"}),
    )


def observations(count: int, features: FeatureSpec = FEATURES, seed: int = 0) -> dict[str, Tensor]:
    """`observation.state` float32 [count, N], `observation.images.<camera>` uint8 [count, H, W, 3]."""
    generator = torch.Generator().manual_seed(seed)
    size = (count, features.height, features.width, 3)
    pictures = {
        f"observation.images.{camera}": torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)
        for camera in features.cameras
    }
    return {**pictures, "observation.state": torch.randn(count, features.state_dim, generator=generator)}
