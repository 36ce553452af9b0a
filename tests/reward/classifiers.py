"""Small classifiers, and pictures for them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from workers.config import ClassifierConfig
from workers.reward.architecture import Size, architecture_of
from workers.reward.model import RewardClassifier

CAMERAS: dict[str, Size] = {"front": (32, 32), "side": (32, 32)}
SMALL = ClassifierConfig(hidden_dim=16, latent_dim=16, image_embedding_pooling_dim=2)


def classifier(
    config: ClassifierConfig = SMALL, cameras: Mapping[str, Size] = CAMERAS, seed: int = 0
) -> RewardClassifier:
    torch.manual_seed(seed)
    return RewardClassifier(architecture_of(config, cameras))


def images(count: int = 4, cameras: Mapping[str, Size] = CAMERAS, seed: int = 0) -> dict[str, Tensor]:
    """uint8 [count, H, W, 3] by camera."""
    rng = torch.Generator().manual_seed(seed)
    return {
        camera: torch.randint(0, 256, (count, *size, 3), dtype=torch.uint8, generator=rng)
        for camera, size in cameras.items()
    }
