"""A backbone that is laid out for acting: the same maps, the newest weights, and nothing where it cannot be done."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tests.learner.test_policy import ALGORITHM, FEATURES, observe
from workers.actor.policy import Policy, PolicyRejected
from workers.config import PolicyConfig
from workers.learner import packed as module
from workers.learner.backbones import ResNet10, ResNet18, SmallCNN
from workers.learner.devices import reckons_in_bfloat16
from workers.learner.packed import packed
from workers.learner.sac import SAC
from workers.learner.sac_state import policy_tensors

RESNET = {"vision_encoder_name": "resnet10", "image_embedding_pooling_dim": 2, "latent_dim": 8}
in_bfloat16 = pytest.mark.skipif(
    not reckons_in_bfloat16(torch.device("cpu")), reason="this processor does not compute in bfloat16"
)


def frozen(kind: type[nn.Module]) -> nn.Module:
    """With weights of chance, and batch norms that have statistics."""
    torch.manual_seed(0)
    net = ResNet18(pretrained=False) if kind is ResNet18 else kind()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            for tensor in (part.running_mean, part.running_var, part.weight, part.bias):
                tensor.data.uniform_(0.5, 1.5)
    return net.eval().requires_grad_(False)


def pictures(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def error(net: nn.Module, dtype: torch.dtype, *shapes: tuple[int, ...]) -> float:
    """Largest difference between the maps of any of these pictures, as a share of the largest element."""
    made, errors = packed(net, dtype, shapes[0]), []
    assert made is not None
    for shape in shapes:
        images = pictures(*shape)
        expected = net(images)
        errors.append(float((made(images).float() - expected).abs().max() / expected.abs().max()))
    return max(errors)


@pytest.mark.parametrize("kind", [ResNet10, ResNet18])
def test_the_maps_are_those_of_the_original_whatever_the_pictures(kind: type) -> None:
    assert error(frozen(kind), torch.float32, (2, 48, 48, 3), (1, 48, 48, 3), (3, 37, 50, 3)) < 1e-5


@in_bfloat16
@pytest.mark.parametrize("kind", [ResNet10, ResNet18])
def test_in_half_precision_the_maps_are_near(kind: type) -> None:
    assert 0 < error(frozen(kind), torch.bfloat16, (2, 64, 64, 3)) < 0.03


def test_what_is_trained_and_what_is_no_resnet_stays_as_it_is() -> None:
    assert packed(frozen(ResNet10).requires_grad_(True), torch.float32, (1, 64, 64, 3)) is None
    small = SmallCNN(8, halves=False, stems=1).requires_grad_(False)
    assert packed(small, torch.float32, (1, 64, 64, 3)) is None
    assert packed(nn.Identity(), torch.float32, (1, 64, 64, 3)) is None


@pytest.mark.parametrize("fault", ["is missing", "fails", "computes something else", "gives NaN"])
def test_kernels_that_cannot_be_used_are_found_out(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    right = module._PackedConv2d.forward

    def forward(self: module._PackedConv2d, maps: torch.Tensor) -> torch.Tensor:
        match fault:
            case "is missing":
                return torch.ops.mkldnn._no_such_operation(maps)
            case "fails":
                raise RuntimeError("could not create a primitive")
            case "gives NaN":
                return right(self, maps) * torch.nan
        return right(self, maps).flip(1)

    monkeypatch.setattr(module._PackedConv2d, "forward", forward)
    assert packed(frozen(ResNet10), torch.float32, (1, 32, 32, 3)) is None


def test_a_policy_acts_without_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = acted(made()[0])
    monkeypatch.delattr(module._PackedConv2d, "forward")
    policy, _ = made()
    assert policy._networks.encoder.packed is None
    np.testing.assert_allclose(acted(policy), expected, atol=1e-5)


def made(seed: int = 0, **change: object) -> tuple[Policy, SAC]:
    """A policy with the learner whose weights it has as version 1."""
    settings = PolicyConfig(**{**RESNET, **change})
    sac = SAC(FEATURES, settings, ALGORITHM, seed=seed, pretrained=False)
    policy = Policy(FEATURES, settings, ALGORITHM)
    policy.load(policy_tensors(sac), version=1)
    return policy, sac


def acted(policy: Policy, plainly: bool = False) -> NDArray[np.float32]:
    """Actions for a few observations; `plainly` with the backbone as it was sent."""
    encoder = policy._networks.encoder
    kept = encoder.packed
    encoder.packed = None if plainly else kept
    seen = [policy.act(observe(FEATURES, seed), True, torch.Generator()) for seed in range(4)]
    encoder.packed = kept
    return np.stack(seen)


def test_the_policy_acts_as_with_the_backbone_that_was_sent() -> None:
    policy, _ = made()
    assert policy._networks.encoder.packed is not None
    np.testing.assert_allclose(acted(policy), acted(policy, plainly=True), atol=1e-5)


@in_bfloat16
def test_in_half_precision_actions_are_near_those_of_single_precision() -> None:
    exact, half = acted(made()[0]), acted(made(use_amp=True)[0])
    assert 0 < np.abs(half - exact).max() < 0.02


def test_every_push_reaches_what_is_driven_with() -> None:
    policy, sac = made()
    first = acted(policy)
    for version in (2, 3):
        with torch.no_grad():
            for parameter in (*sac.actor.parameters(), *sac.encoder.picture_heads.parameters()):
                parameter.add_(torch.randn_like(parameter))
        sac.average.follow()
        policy.load(policy_tensors(sac, include_frozen=False), version)
        now = acted(policy)
        assert np.abs(now - first).max() > 1e-3
        np.testing.assert_allclose(now, acted(policy, plainly=True), atol=1e-5)


def test_the_backbone_of_refused_weights_is_not_driven_with() -> None:
    good, bad = (
        policy_tensors(SAC(FEATURES, PolicyConfig(**RESNET), ALGORITHM, seed=seed, pretrained=False))
        for seed in (1, 2)
    )
    bad["actor.mean.bias"][0] = torch.nan
    policy = Policy(FEATURES, PolicyConfig(**RESNET), ALGORITHM)
    with pytest.raises(PolicyRejected):
        policy.load(bad, version=1)
    policy.load(good, version=2)
    np.testing.assert_allclose(acted(policy), acted(policy, plainly=True), atol=1e-5)


def test_weights_digest_and_what_is_kept_do_not_change() -> None:
    policy, sac = made()
    tensors = policy._networks.state_dict()
    assert tensors.keys() == policy_tensors(sac).keys()
    digest = policy.digest
    policy._networks.encoder.packed = None
    policy._digest = -1, ""
    assert policy.digest == digest


def test_a_trained_resnet_and_the_small_cnn_are_not_packed() -> None:
    for change in ({"freeze_vision_encoder": False}, {"vision_encoder_name": "cnn"}):
        assert made(**change)[0]._networks.encoder.packed is None
