"""The reward classifier: pictures of all cameras in, the probability of success out.

    encoder -> learned spatial embeddings -> dropout -> linear -> LayerNorm -> tanh      one head a camera
    all cameras -> linear -> dropout -> LayerNorm -> ReLU -> linear -> one logit, or one a class

The network of LeRobot's `Classifier`, layer by layer, so that weights can go there and come from there. What it does to
bytes (size, normalisation) is a part of it: whoever has the weights sees as it was trained.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workers.learner.encoders import SpatialEmbedding
from workers.reward.architecture import Architecture
from workers.reward.encoders import built

Images = Mapping[str, Tensor]
"""uint8 [B, H, W, 3] by camera."""


class RewardClassifier(nn.Module):
    """Says how likely pictures show success."""

    def __init__(self, architecture: Architecture, pretrained: bool = False) -> None:
        """`pretrained`: begin with published weights of the encoder, fetched where they are not here yet.

        Raises ClassifierError where these cannot be had.
        """
        super().__init__()
        self.encoder, self.architecture = built(architecture, pretrained)
        of = self.architecture
        shapes = {camera: self._probe(camera) for camera in of.cameras}
        self.heads = nn.ModuleList(_camera_head(shape, of) for shape in shapes.values())
        widths = sum(shape[0] if len(shape) == 1 else of.latent_dim for shape in shapes.values())
        self.classifier_head = nn.Sequential(
            nn.Linear(widths, of.hidden_dim),
            nn.Dropout(of.dropout_rate),
            nn.LayerNorm(of.hidden_dim),
            nn.ReLU(),
            nn.Linear(of.hidden_dim, of.outputs),
        )

    @property
    def cameras(self) -> tuple[str, ...]:
        return tuple(self.architecture.cameras)

    def features(self, images: Images) -> tuple[Tensor, ...]:
        """What the encoder makes of uint8 [B, H, W, 3] of each camera: float32 [B, h, w, C] or [B, C], by camera."""
        encoded: tuple[Tensor, ...] = self.encoder({camera: images[camera] for camera in self.cameras})
        return encoded

    def judge(self, features: tuple[Tensor, ...]) -> Tensor:
        """Logits [B], or [B, num_classes], of `features`."""
        encoded = [head(part) for head, part in zip(self.heads, features, strict=True)]
        logits: Tensor = self.classifier_head(torch.cat(encoded, dim=1))
        return logits.squeeze(1) if self.architecture.num_classes == 2 else logits

    def forward(self, images: Images) -> Tensor:
        """Logits [B], or [B, num_classes] of more than two classes, of uint8 [B, H, W, 3] by camera."""
        return self.judge(self.features(images))

    def probability(self, logits: Tensor) -> Tensor:
        """Probability of success, float32 [B], of logits."""
        if self.architecture.num_classes == 2:
            return logits.float().sigmoid()
        return logits.float().softmax(dim=1)[:, self.architecture.success_class]

    def success_probability(self, images: Images) -> Tensor:
        """float32 [B] of uint8 [B, H, W, 3] by camera, without dropout whatever mode the network is in."""
        training = self.training
        self.eval()
        try:
            with torch.inference_mode():
                return self.probability(self(images))
        finally:
            self.train(training)

    def _probe(self, camera: str) -> torch.Size:
        """Shape [h, w, C] or [C] of what the encoder makes of a picture."""
        black = torch.zeros(1, *self.architecture.cameras[camera], 3, dtype=torch.uint8)
        with torch.no_grad():
            encoded: tuple[Tensor, ...] = self.encoder({camera: black})
        return encoded[0].shape[1:]


def _camera_head(shape: torch.Size, of: Architecture) -> nn.Module:
    """Of one camera; a transformer's token is used as it is."""
    if len(shape) == 1:
        return nn.Identity()
    height, width, channels = shape
    pooling = of.image_embedding_pooling_dim
    return nn.Sequential(
        SpatialEmbedding(channels, height * width, pooling),
        nn.Dropout(of.dropout_rate),
        nn.Linear(channels * pooling, of.latent_dim),
        nn.LayerNorm(of.latent_dim),
        nn.Tanh(),
    )
