"""The observation encoder: pictures and arm state to one vector z.

`features` (backbone, the costly part) and `embed` (small, always trained) are apart, so that a frozen
backbone is never differentiated. Actor, critics and gripper critic all take z.
"""

import math

import torch
from torch import Tensor, nn

from workers.config import PolicyConfig
from workers.learner.backbones import LeRobotCNN, build_backbone
from workers.learner.batch import Observation
from workers.learner.devices import reckons_in_bfloat16
from workers.learner.packed import Packed, packed, packed_on_gpu
from workers.transport.record import FeatureSpec


class SpatialEmbedding(nn.Module):
    """Learned weights over places, F per channel (Levine et al. 2016): [M, h, w, C] -> [M, C F].

    As a batched matrix product: the broadcast product would materialise [M, C, h, w, F], ten times slower.
    """

    def __init__(self, channels: int, places: int, per_channel: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(channels, places, per_channel) / math.sqrt(places))

    def forward(self, maps: Tensor) -> Tensor:
        """float32 [M, h, w, C] -> [M, C F]."""
        by_channel = maps.flatten(1, 2).transpose(1, 2).contiguous()
        # In this order of memory a batch is multiplied at once; in others matrix by matrix, 4 to 7 times slower.
        embedded = torch.bmm(self.kernel.transpose(1, 2), by_channel.permute(1, 2, 0))
        return embedded.permute(2, 0, 1).flatten(1)


class ObservationEncoder(nn.Module):
    """z = [tanh LN W picture_1, ..., tanh LN W state]; one shared backbone for all cameras, if there are any."""

    def __init__(self, features: FeatureSpec, policy: PolicyConfig, pretrained: bool = True) -> None:
        super().__init__()
        cameras = len(features.cameras)
        early = policy.vision_encoder_name == "cnn" and policy.camera_fusion == "early"
        self.fuses_early = early and cameras > 0
        self.backbone = build_backbone(policy, cameras, pretrained)
        self.packed: Packed | None = None
        """In place of the backbone, once `pack` was called."""
        self.uses_amp = policy.use_amp
        self._image_shape = features.image_shape
        self.backbone_trained = any(parameter.requires_grad for parameter in self.backbone.parameters())
        self.heads = 1 if self.fuses_early else cameras
        self.maps_shape = self._probe(features)
        """[heads, h, w, C] of an observation's feature maps."""
        maps = self.maps_shape[1:]
        self.picture_heads = nn.ModuleList(_picture_head(maps, policy) for _ in range(self.heads))
        self.state_head = _squash(features.state_dim, policy.state_encoder_hidden_dim)
        self.out_dim = self.heads * policy.latent_dim + policy.state_encoder_hidden_dim

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device

    def _probe(self, features: FeatureSpec) -> torch.Size:
        """Shape [heads, h, w, C] of the feature maps, found by encoding one black observation.

        Raises BackboneNotFound for pictures that are too small for the backbone.
        """
        if isinstance(self.backbone, LeRobotCNN):
            self.backbone.check_size(features.height, features.width)
        black = torch.zeros(1, *features.image_shape, dtype=torch.uint8)
        with torch.no_grad():
            return self.features(black).shape[1:]

    def features(self, images: Tensor) -> Tensor:
        """uint8 [B, cameras, H, W, 3] -> [B, heads, h, w, C]; no gradient into a frozen backbone.

        float32, or as it was computed: a frozen ResNet-10 on a GPU, bfloat16.
        """
        backbone, in_half = self.packed or self.backbone, self._in_half(images.device)
        half = torch.autocast(images.device.type, torch.bfloat16, enabled=in_half and self.packed is None)
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.backbone_trained), half:
            maps = backbone(images if self.fuses_early else images.flatten(0, 1))
            by_place: Tensor = (maps if self.packed and maps.is_cuda else maps.float()).permute(0, 2, 3, 1)
            return by_place.reshape(len(images), self.heads, *by_place.shape[1:])

    def pack(self) -> None:
        """Lay out a frozen backbone for this device, where that helps, with the weights that it has now."""
        self.packed = None
        dtype = torch.bfloat16 if self._in_half(self.device) else torch.float32
        for lay_out in (packed, packed_on_gpu):
            self.packed = self.packed or lay_out(self.backbone, dtype, self._image_shape)

    def _in_half(self, device: torch.device) -> bool:
        return self.uses_amp and reckons_in_bfloat16(device)

    def embed(self, maps: Tensor, state: Tensor) -> Tensor:
        """[B, heads, h, w, C], [B, state_dim] -> z [B, out_dim]."""
        pictures = [head(view) for head, view in zip(self.picture_heads, maps.unbind(1), strict=True)]
        return torch.cat([*pictures, self.state_head(state)], dim=1)

    def forward(self, observation: Observation) -> Tensor:
        """z of a batch of observations, float32 [B, out_dim]; of their pictures, or of feature maps that are kept."""
        images = observation.images
        maps = self.features(images) if images.dtype == torch.uint8 else images
        return self.embed(maps.float(), observation.state)


def _picture_head(maps: torch.Size, policy: PolicyConfig) -> nn.Module:
    height, width, channels = maps
    pooling = policy.image_embedding_pooling_dim
    if not pooling:
        return nn.Sequential(nn.Flatten(), _squash(channels * height * width, policy.latent_dim))
    embedding = SpatialEmbedding(channels, height * width, pooling)
    return nn.Sequential(embedding, _squash(channels * pooling, policy.latent_dim))


def _squash(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after), nn.LayerNorm(after), nn.Tanh())
