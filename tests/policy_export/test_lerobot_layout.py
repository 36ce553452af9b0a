"""LeRobot's layout: its names, shapes and numbers, and what it cannot express."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import load, load_file
from torch import Tensor
from torch.nn import functional as F

from tests.emulators.policies import FEATURES, FOR_LEROBOT, exportable, observations
from workers.config import PolicyConfig
from workers.config.policy import PolicyKwargsConfig
from workers.policy_export.folder import write_folder
from workers.policy_export.lerobot_layout import lerobot_files, obstacles
from workers.policy_export.source import Exportable, ExportRefused
from workers.transport.record import FeatureSpec

CLAMPED = replace(FOR_LEROBOT, policy_kwargs=PolicyKwargsConfig(std_min=0.05, std_max=2.0))


def ours(source: Exportable, seen: dict[str, Tensor]) -> list[Tensor]:
    """Mean and sigma [B, motions] and, with a gripper, its values [B, 3], of our own networks."""
    policy = source.policy()
    nets = policy._networks
    z = nets.encoder(policy._as_batch(seen))
    mean, log_std = nets.actor(z)
    return [mean, log_std.exp()] + ([] if nets.gripper is None else [nets.gripper(z)])


def theirs(files: dict[str, bytes], seen: dict[str, Tensor]) -> list[Tensor]:
    """The same by LeRobot's arithmetic, written down from its specification and nothing of our networks."""
    weights, config = load(files["model.safetensors"]), json.loads(files["config.json"])
    statistics = load(files["policy_preprocessor_step_3_normalizer_processor.safetensors"])

    def dense(name: str, x: Tensor) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[1:], weights[f"{name}.weight"], weights[f"{name}.bias"])

    def mlp(name: str, x: Tensor) -> Tensor:
        for layer in (0, 3):
            x = F.silu(norm(f"{name}.{layer + 1}", dense(f"{name}.{layer}", x)))
        return x

    parts = []
    for key in (key for key in config["input_features"] if key.startswith("observation.image")):
        x = seen[key].permute(0, 3, 1, 2) / 255
        x = (x - statistics[f"{key}.mean"]) / (statistics[f"{key}.std"] + 1e-8)
        for layer in (0, 2, 4, 6):
            name = f"actor.encoder.image_encoder.image_enc_layers.{layer}"
            x = F.relu(F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], stride=2))
        name = key.replace(".", "_")
        kernel = weights[f"actor.encoder.spatial_embeddings.{name}.kernel"]
        x = (x[..., None] * kernel[None]).sum(dim=(2, 3)).flatten(1)
        head = f"actor.encoder.post_encoders.{name}"
        parts.append(norm(f"{head}.2", dense(f"{head}.1", x)).tanh())
    least, most = (statistics[f"observation.state.{name}"] for name in ("min", "max"))
    state = 2 * (seen["observation.state"] - least) / (most - least) - 1
    parts.append(norm("actor.encoder.state_encoder.1", dense("actor.encoder.state_encoder.0", state)).tanh())
    z = torch.cat(parts, dim=1)
    hidden = mlp("actor.network.net", z)
    kwargs = config["policy_kwargs"]
    covariance = dense("actor.std_layer", hidden).exp().clamp(kwargs["std_min"], kwargs["std_max"])
    commands = dense("discrete_critic.output_layer", mlp("discrete_critic.net.net", z))
    return [dense("actor.mean_layer", hidden), covariance.sqrt(), commands]


@pytest.mark.parametrize("policy", [FOR_LEROBOT, CLAMPED])
def test_lerobots_arithmetic_gives_the_same_mean_sigma_and_gripper(policy: PolicyConfig) -> None:
    source, seen = exportable(policy), observations(32)
    expected = ours(source, seen)
    assert expected[1].min() < 0.3 * expected[1].max()
    for mine, other in zip(expected, theirs(lerobot_files(source), seen), strict=True):
        torch.testing.assert_close(mine, other, atol=1e-5, rtol=1e-5)


def test_names_and_shapes_are_those_that_lerobot_saves() -> None:
    features = FeatureSpec(state_dim=18, cameras=("front",), height=128, width=128)
    policy = PolicyConfig(vision_encoder_name="lerobot_cnn", image_embedding_pooling_dim=8)
    weights = load(lerobot_files(exportable(policy, features))["model.safetensors"])
    encoder = "actor.encoder."
    shapes = {
        f"{encoder}image_encoder.image_enc_layers.0.weight": (32, 3, 7, 7),
        f"{encoder}image_encoder.image_enc_layers.2.weight": (32, 32, 5, 5),
        f"{encoder}image_encoder.image_enc_layers.4.weight": (32, 32, 3, 3),
        f"{encoder}image_encoder.image_enc_layers.6.weight": (32, 32, 3, 3),
        f"{encoder}spatial_embeddings.observation_images_front.kernel": (32, 6, 6, 8),
        f"{encoder}post_encoders.observation_images_front.1.weight": (256, 256),
        f"{encoder}post_encoders.observation_images_front.2.weight": (256,),
        f"{encoder}state_encoder.0.weight": (256, 18),
        f"{encoder}state_encoder.1.weight": (256,),
        "actor.network.net.0.weight": (256, 512),
        "actor.network.net.1.weight": (256,),
        "actor.network.net.3.weight": (256, 256),
        "actor.network.net.4.weight": (256,),
        "actor.mean_layer.weight": (3, 256),
        "actor.std_layer.weight": (3, 256),
        "discrete_critic.net.net.0.weight": (256, 512),
        "discrete_critic.net.net.1.weight": (256,),
        "discrete_critic.net.net.3.weight": (256, 256),
        "discrete_critic.net.net.4.weight": (256,),
        "discrete_critic.output_layer.weight": (3, 256),
    }
    assert {name: tuple(tensor.shape) for name, tensor in weights.items() if "bias" not in name} == shapes
    biases = {name.replace("weight", "bias") for name in shapes if not name.endswith("kernel")}
    assert weights.keys() == shapes.keys() | biases


def test_a_resnet10_keeps_its_published_names() -> None:
    policy = replace(
        FOR_LEROBOT, vision_encoder_name="somewhere/mine.safetensors", image_encoder_hidden_dim=32
    )
    files = lerobot_files(exportable(policy))
    weights, config = load(files["model.safetensors"]), json.loads(files["config.json"])
    layers = "actor.encoder.image_encoder.image_enc_layers."
    assert f"{layers}encoder.stages.3.conv2.conv.weight" in weights
    assert weights["actor.encoder.spatial_embeddings.observation_images_front.kernel"].shape == (512, 2, 3, 3)
    assert (config["vision_encoder_name"], config["freeze_vision_encoder"]) == ("lerobot/resnet10", True)
    assert config["dataset_stats"]["observation.images.front"]["mean"] == pytest.approx([0.485, 0.456, 0.406])


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, []),
        ({"vision_encoder_name": "cnn"}, ['vision_encoder_name = "lerobot_cnn"']),
        ({"vision_encoder_name": "resnet18"}, ['vision_encoder_name = "lerobot_cnn"']),
        ({"image_embedding_pooling_dim": 0}, ["image_embedding_pooling_dim = 8"]),
        ({"state_encoder_hidden_dim": 8}, ["state_encoder_hidden_dim = 16"]),
        (
            {"vision_encoder_name": "cnn", "image_embedding_pooling_dim": 0, "latent_dim": 32},
            ["vision_encoder_name", "image_embedding_pooling_dim", "state_encoder_hidden_dim = 32"],
        ),
    ],
)
def test_what_lerobot_cannot_express_is_refused_with_the_keys_to_set(
    changes: dict[str, object], keys: list[str]
) -> None:
    policy = replace(FOR_LEROBOT, **changes)
    found = list(obstacles(policy, FEATURES))
    assert len(found) == len(keys) and all(key in line for key, line in zip(keys, found, strict=True))
    if keys:
        with pytest.raises(ExportRefused, match=keys[0]):
            lerobot_files(exportable(policy))


def test_a_policy_without_cameras_or_gripper_needs_no_picture_settings() -> None:
    features = FeatureSpec(state_dim=4, cameras=(), height=0, width=0, motion_dim=2, gripper=False)
    policy = PolicyConfig(latent_dim=16, state_encoder_hidden_dim=16)
    files = lerobot_files(exportable(policy, features))
    config = json.loads(files["config.json"])
    assert (config["num_discrete_actions"], config["vision_encoder_name"]) == (None, None)
    assert not any("discrete" in name or "image" in name for name in load(files["model.safetensors"]))


@pytest.mark.parametrize("policy", [FOR_LEROBOT, CLAMPED])
@pytest.mark.parametrize(
    "features",
    [FEATURES, replace(FEATURES, gripper=False), FeatureSpec(state_dim=4, cameras=(), height=0, width=0)],
    ids=["whole", "no gripper", "no cameras"],
)
def test_lerobot_itself_loads_it_and_acts_the_same(
    tmp_path: Path, policy: PolicyConfig, features: FeatureSpec
) -> None:
    pytest.importorskip("lerobot.policies.gaussian_actor", reason="LeRobot is not installed here")
    from lerobot.policies.gaussian_actor import GaussianActorPolicy
    from lerobot.policies.gaussian_actor.modeling_gaussian_actor import Policy as Head
    from lerobot.processor import PolicyProcessorPipeline

    if not features.cameras:
        policy = replace(policy, vision_encoder_name="cnn", image_encoder_hidden_dim=32)
    source, count = exportable(policy, features), 24
    write_folder(tmp_path / "out", lerobot_files(source))
    loaded = GaussianActorPolicy.from_pretrained(tmp_path / "out", strict=True)
    prepare = PolicyProcessorPipeline.from_pretrained(
        tmp_path / "out", config_filename="policy_preprocessor.json"
    )
    finish = PolicyProcessorPipeline.from_pretrained(
        tmp_path / "out", config_filename="policy_postprocessor.json"
    )
    seen = observations(count, features)
    given = {
        key: value.permute(0, 3, 1, 2) / 255 if "images" in key else value for key, value in seen.items()
    }
    batch = prepare.process_observation(given)
    mean, sigma, *commands = ours(source, seen)
    head: Head = loaded.actor
    hidden = head.network(head.encoder(batch))
    torch.testing.assert_close(head.mean_layer(hidden), mean, atol=1e-5, rtol=1e-5)
    covariance = head.std_layer(hidden).exp().clamp(head.std_min, head.std_max)
    torch.testing.assert_close(covariance.sqrt(), sigma, atol=1e-5, rtol=1e-5)
    action = loaded.select_action(batch)
    assert action.shape == (count, features.action_dim)
    if features.gripper:
        np.testing.assert_array_equal(action[:, -1].numpy(), commands[0].argmax(1).numpy())
    torch.testing.assert_close(
        finish.process_action(action[:, : features.motion_dim]), action[:, : features.motion_dim]
    )
    saved = load_file(tmp_path / "out" / "model.safetensors")
    loaded.save_pretrained(tmp_path / "again")
    again = load_file(tmp_path / "again" / "model.safetensors")
    assert saved.keys() == again.keys()
