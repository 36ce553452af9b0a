"""Encoders: one contract for all backbones, and the arithmetic shortcuts checked against plain code."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from workers.config import PolicyConfig
from workers.learner import encoders
from workers.learner.backbones import BackboneNotFound, ResNet10, ScaledConv2d, SmallCNN, load_resnet10
from workers.learner.batch import Observation
from workers.learner.encoders import ObservationEncoder, SpatialEmbedding
from workers.transport.record import FeatureSpec

FEATURES = FeatureSpec(state_dim=5, cameras=("front", "side"), height=64, width=64)


def pictures(count: int = 3, cameras: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, cameras, 64, 64, 3), dtype=torch.uint8, generator=generator)


def test_the_stem_sees_pixels_centred_and_scaled() -> None:
    stem = ScaledConv2d(3, 4, 4, stride=4)
    pixels = pictures()[0].permute(0, 3, 1, 2).float()
    plain = F.conv2d(pixels / 255 - 0.5, stem.weight, stem.bias, stride=4)
    torch.testing.assert_close(stem(pixels), plain, atol=1e-5, rtol=1e-5)


def test_the_later_layers_have_one_and_a_half_and_two_times_the_channels_of_the_first() -> None:
    cnn = SmallCNN(32, halves=False, stems=1)
    assert [stem.out_channels for stem in cnn.stems] == [32]
    assert [layer.out_channels for layer in cnn.convolutions] == [48, 64]


def test_halving_averages_blocks_of_four_pixels() -> None:
    cnn = SmallCNN(8, halves=True, stems=1)
    images = pictures()[:, 0]
    averaged = F.avg_pool2d(images.permute(0, 3, 1, 2).float(), 2)
    assert (cnn._pixels(images) - averaged).abs().max() <= 1.0  # bytes in between


def test_early_fusion_equals_one_stem_over_stacked_channels() -> None:
    cnn = SmallCNN(8, halves=False, stems=2)
    images = pictures()
    stacked = images.permute(0, 1, 4, 2, 3).flatten(1, 2).float() / 255 - 0.5
    weight = torch.cat([stem.weight for stem in cnn.stems], dim=1)
    bias = cnn.stems[0].bias + cnn.stems[1].bias
    maps = F.relu(F.conv2d(stacked, weight, bias, stride=4))
    for convolution in cnn.convolutions:
        maps = F.relu(convolution(maps))
    torch.testing.assert_close(cnn(images), maps, atol=1e-5, rtol=1e-5)


def test_the_spatial_embedding_is_a_weighted_sum_over_places() -> None:
    embedding = SpatialEmbedding(channels=3, places=8, per_channel=2)
    maps = torch.randn(5, 2, 4, 3)
    plain = (maps.flatten(1, 2)[..., None] * embedding.kernel.permute(1, 0, 2)).sum(dim=1).flatten(1)
    torch.testing.assert_close(embedding(maps), plain)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"camera_fusion": "early"},
        {"input_downsample": 1, "image_embedding_pooling_dim": 4},
        {"vision_encoder_name": "resnet10", "image_embedding_pooling_dim": 2},
        {"vision_encoder_name": "resnet18"},
        {"vision_encoder_name": "lerobot_cnn", "image_encoder_hidden_dim": 8},
    ],
)
def test_every_encoder_keeps_the_contract(changes: dict[str, object]) -> None:
    policy = PolicyConfig(latent_dim=8, state_encoder_hidden_dim=4, **changes)  # type: ignore[arg-type]
    encoder = ObservationEncoder(FEATURES, policy, pretrained=False)
    images, state = pictures(), torch.randn(3, 5)
    z = encoder(Observation(state, images))
    assert z.shape == (3, encoder.out_dim)
    assert z.abs().max() <= 1
    z.sum().backward()
    trained = any(parameter.grad is not None for parameter in encoder.backbone.parameters())
    assert trained == policy.vision_encoder_name.endswith("cnn")
    other = images.clone()
    other[:, 1] = 255 - other[:, 1]
    assert not torch.allclose(encoder(Observation(state, other)), z)


def test_lerobots_encoder_is_trained_and_leaves_six_by_six_places_of_128_pixels() -> None:
    features = FeatureSpec(state_dim=5, cameras=("front", "side"), height=128, width=128)
    policy = PolicyConfig(vision_encoder_name="lerobot_cnn", image_embedding_pooling_dim=8, latent_dim=8)
    encoder = ObservationEncoder(features, policy)
    images = torch.randint(0, 255, (3, 2, 128, 128, 3), dtype=torch.uint8)
    maps = encoder.features(images)
    assert maps.shape == (3, 2, 6, 6, 32)
    reference = nn.Sequential()
    for layer in encoder.backbone.convolutions:  # type: ignore[union-attr]
        plain = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size, stride=2)
        plain.load_state_dict(layer.state_dict())
        reference.extend([plain, nn.ReLU()])
    expected = reference(images.flatten(0, 1).permute(0, 3, 1, 2) / 255 - 0.5).permute(0, 2, 3, 1)
    torch.testing.assert_close(maps.flatten(0, 1), expected, atol=1e-5, rtol=1e-5)
    encoder(Observation(torch.randn(3, 5), images)).sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_pictures_too_small_for_lerobots_encoder_are_refused() -> None:
    policy = PolicyConfig(vision_encoder_name="lerobot_cnn")
    with pytest.raises(BackboneNotFound, match="39x39 pixels or more, not 64x38"):
        ObservationEncoder(FeatureSpec(state_dim=5, cameras=("a",), height=38, width=64), policy)
    encoder = ObservationEncoder(FeatureSpec(state_dim=5, cameras=("a",), height=39, width=39), policy)
    assert encoder.features(torch.zeros(1, 1, 39, 39, 3, dtype=torch.uint8)).shape == (1, 1, 1, 1, 32)


def test_an_unfrozen_resnet_is_trained() -> None:
    policy = PolicyConfig(vision_encoder_name="resnet10", freeze_vision_encoder=False, latent_dim=8)
    encoder = ObservationEncoder(FEATURES, policy, pretrained=False)
    encoder(Observation(torch.randn(1, 5), pictures(1))).sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.backbone.parameters())


def test_half_precision_is_near_where_the_processor_has_it_and_exact_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(3)
    encoder = ObservationEncoder(FEATURES, PolicyConfig(vision_encoder_name="resnet10"), pretrained=False)
    images = torch.randint(0, 256, (3, *FEATURES.image_shape), dtype=torch.uint8)
    whole, differ_by = encoder.features(images), {}
    encoder.uses_amp = True
    for has_it in (False, True):
        monkeypatch.setattr(encoders, "reckons_in_bfloat16", lambda _, has_it=has_it: has_it)
        halved = encoder.features(images)
        assert halved.dtype == torch.float32
        differ_by[has_it] = float((halved - whole).abs().max() / whole.abs().max())
    assert differ_by[False] == 0.0
    assert 0.0 < differ_by[True] < 0.03


def test_resnet10_has_the_published_names_shapes_and_size() -> None:
    net = ResNet10()
    assert sum(parameter.numel() for parameter in net.parameters()) == 4_905_792
    names = net.state_dict().keys()
    for name in (
        "embedder.0.weight",
        "embedder.1.group_norm.bias",
        "encoder.stages.0.norm1.group_norm.weight",
        "encoder.stages.1.shortcut.0.conv.weight",
        "encoder.stages.3.conv2.conv.weight",
    ):
        assert name in names
    assert net(torch.zeros(1, 128, 128, 3, dtype=torch.uint8)).shape == (1, 512, 4, 4)


def test_resnet10_loads_a_safetensors_file_and_refuses_another_network(tmp_path: Path) -> None:
    source, path = ResNet10(), tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in source.state_dict().items()}, path)
    policy = PolicyConfig(vision_encoder_name=str(path), latent_dim=8)
    encoder = ObservationEncoder(FEATURES, policy)
    torch.testing.assert_close(encoder.backbone.state_dict(), source.state_dict())
    save_file({"something": torch.zeros(1)}, path)
    with pytest.raises(BackboneNotFound, match=r"lack .* of ResNet-10's tensors"):
        load_resnet10(ResNet10(), str(path))
    with pytest.raises(BackboneNotFound, match="check the path"):
        load_resnet10(ResNet10(), str(tmp_path / "none.safetensors"))
