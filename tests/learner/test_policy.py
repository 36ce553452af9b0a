"""The policy runtime: acts as the learner's networks do, and takes no weights that must not drive an arm."""

import numpy as np
import pytest
import torch
from safetensors.torch import save

from workers.actor.policy import Policy, PolicyRejected
from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.batch import Observation
from workers.learner.sac import SAC
from workers.learner.sac_state import policy_tensors
from workers.transport.record import FeatureSpec

FEATURES = FeatureSpec(state_dim=3, cameras=("front", "side"), height=32, width=32)
POLICY = PolicyConfig(latent_dim=16)
ALGORITHM = AlgorithmConfig()


def observe(features: FeatureSpec = FEATURES, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    size = (1, features.height, features.width, 3)
    pictures = {
        f"observation.images.{camera}": torch.randint(0, 255, size, dtype=torch.uint8, generator=generator)
        for camera in reversed(features.cameras)
    }
    return pictures | {"observation.state": torch.randn(1, features.state_dim, generator=generator)}


@pytest.fixture
def sac() -> SAC:
    return SAC(FEATURES, POLICY, ALGORITHM, seed=1)


def test_deterministic_is_the_mean_and_the_best_command_of_the_learner(sac: SAC) -> None:
    policy = Policy(FEATURES, POLICY, ALGORITHM)
    policy.load_bytes(save(policy_tensors(sac)), version=4)
    seen = observe()
    pictures = torch.stack([seen["observation.images.front"], seen["observation.images.side"]], dim=1)
    with torch.no_grad():
        z = sac.encoder(Observation(seen["observation.state"], pictures))
        command = sac.gripper.critic(z).argmax(1, keepdim=True).float()
        expected = torch.cat([sac.actor(z)[0].tanh(), command], dim=1)[0]
    action = policy.act(seen, deterministic=True, generator=torch.Generator())
    assert (action.dtype, action.shape, policy.version) == (np.float32, (4,), 4)
    np.testing.assert_allclose(action, expected.numpy(), atol=1e-6)


def test_sampled_actions_differ_stay_in_range_and_repeat_with_the_seed(sac: SAC) -> None:
    policy = Policy(FEATURES, POLICY, ALGORITHM)
    policy.load(policy_tensors(sac), version=1)
    runs = []
    for _ in range(2):
        generator = torch.Generator().manual_seed(5)
        runs.append(np.stack([policy.act(observe(), False, generator) for _ in range(200)]))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (np.abs(runs[0][:, :3]) <= 1).all()
    assert runs[0][:, :3].std(axis=0).min() > 0.1
    assert set(runs[0][:, 3]) == {0.0, 1.0, 2.0}


def test_the_gripper_explores_as_often_as_set(sac: SAC) -> None:
    seen, generator = observe(), torch.Generator().manual_seed(0)
    commands = {}
    for probability in (0.0, 1.0):
        policy = Policy(FEATURES, POLICY, AlgorithmConfig(discrete_exploration=probability))
        policy.load(policy_tensors(sac), version=1)
        commands[probability] = {float(policy.act(seen, False, generator)[3]) for _ in range(40)}
    assert len(commands[0.0]) == 1
    assert commands[1.0] == {0.0, 1.0, 2.0}


@pytest.mark.parametrize("fault", ["nan", "shape", "missing", "unknown", "garbage"])
def test_bad_weights_are_refused_and_the_old_ones_stay(sac: SAC, fault: str) -> None:
    policy = Policy(FEATURES, POLICY, ALGORITHM)
    policy.load(policy_tensors(sac), version=1)
    before = policy.act(observe(), True, torch.Generator())
    tensors = policy_tensors(SAC(FEATURES, POLICY, ALGORITHM, seed=2))
    name = "actor.mean.bias"
    match fault:
        case "nan":
            tensors[name][0] = float("nan")
        case "shape":
            tensors[name] = torch.zeros(7)
        case "missing":
            del tensors[name]
        case "unknown":
            tensors["actor.extra"] = torch.zeros(1)
    data = b"not safetensors" if fault == "garbage" else save(tensors)
    with pytest.raises(PolicyRejected, match="policy 2"):
        policy.load_bytes(data, version=2)
    assert policy.version == 1
    np.testing.assert_array_equal(policy.act(observe(), True, torch.Generator()), before)


def test_a_frozen_backbone_is_sent_once() -> None:
    resnet = PolicyConfig(vision_encoder_name="resnet10", image_embedding_pooling_dim=2, latent_dim=8)
    sac = SAC(FEATURES, resnet, ALGORITHM, seed=0, pretrained=False)
    heads = policy_tensors(sac, include_frozen=False)
    assert not any(name.startswith("encoder.backbone.") for name in heads)
    policy = Policy(FEATURES, resnet, ALGORITHM)
    with pytest.raises(PolicyRejected):
        policy.load(heads, version=1)
    policy.load(policy_tensors(sac), version=1)
    policy.load(heads, version=2)
    assert policy.version == 2
