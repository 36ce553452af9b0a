"""A policy in LeRobot's layout: what its `GaussianActorPolicy.from_pretrained` and its processors load.

    config.json, model.safetensors
    policy_preprocessor.json, policy_preprocessor_step_3_normalizer_processor.safetensors
    policy_postprocessor.json, policy_postprocessor_step_0_unnormalizer_processor.safetensors
    README.md

Both compute the same mean and gripper values. LeRobot hands its std layer's exp(.) to a distribution as a
covariance, so that it acts with sigma = sqrt(clamp(exp(.), std_min, std_max)); here sigma = clamp(exp(.)). The
layer is therefore doubled, in log space, and the bounds are squared.
"""

from collections.abc import Iterator

import msgspec
import torch
from safetensors.torch import save
from torch import Tensor

from workers.config import PolicyConfig
from workers.learner.backbones import IMAGENET_MEAN, IMAGENET_STD, RESNET10_HUB_ID
from workers.learner.networks import NUM_DISCRETE_ACTIONS
from workers.policy_export.folder import CARD, card
from workers.policy_export.source import Exportable, ExportRefused
from workers.processors.features import ACTION, IMAGES, STATE
from workers.transport.record import FeatureSpec

PREPROCESSOR, POSTPROCESSOR = "policy_preprocessor", "policy_postprocessor"
_NORMALISATION = {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ENV": "MIN_MAX", "ACTION": "MIN_MAX"}
_LOADER = "`lerobot.policies.gaussian_actor.GaussianActorPolicy.from_pretrained(folder)` loads it."
Statistics = dict[str, dict[str, Tensor]]


def lerobot_files(exportable: Exportable) -> dict[str, bytes]:
    """The files of LeRobot's layout, by name. Raises ExportRefused when its networks cannot express the policy."""
    settings = exportable.settings
    wrong = list(obstacles(settings.policy, settings.features))
    if wrong:
        lines = "".join(f"\n  {line}" for line in wrong)
        raise ExportRefused(
            f"LeRobot's networks cannot express this policy. Train one with, in the TOML:{lines}"
        )
    statistics = _statistics(settings.policy, settings.features)
    return {
        "config.json": _json(_config(settings.policy, settings.features, statistics)),
        "model.safetensors": save(lerobot_tensors(exportable), {"format": "pt"}),
        CARD: card(exportable, _LOADER),
        **_preprocessor(settings.features, statistics),
        **_postprocessor(settings.features, statistics),
    }


def obstacles(policy: PolicyConfig, features: FeatureSpec) -> Iterator[str]:
    """The settings that would have to be others, as lines of TOML."""
    if features.cameras and policy.vision_encoder_name in ("cnn", "resnet18"):
        yield 'policy.vision_encoder_name = "lerobot_cnn"  # or "resnet10"'
    if features.cameras and not policy.image_embedding_pooling_dim:
        yield "policy.image_embedding_pooling_dim = 8  # LeRobot's; any but 0"
    if policy.state_encoder_hidden_dim != policy.latent_dim:
        yield f"policy.state_encoder_hidden_dim = {policy.latent_dim}  # the same as policy.latent_dim"


# Weights


def lerobot_tensors(exportable: Exportable) -> dict[str, Tensor]:
    """The weights under LeRobot's names, in its shapes."""
    cameras = exportable.settings.features.cameras
    places = _map_places(exportable)
    tensors = {}
    for name, tensor in exportable.tensors.items():
        if name.startswith("actor.log_std."):
            tensor = 2 * tensor
        if name.endswith(".kernel"):
            channels, _, per_channel = tensor.shape
            tensor = tensor.reshape(channels, *places, per_channel)
        tensors[lerobot_name(name, cameras)] = tensor.contiguous()
    return tensors


def lerobot_name(name: str, cameras: tuple[str, ...]) -> str:
    """LeRobot's name of one of our tensors."""
    network, rest = name.split(".", 1)
    if network == "actor":
        for mine, theirs in (("body.", "network.net."), ("mean.", "mean_layer."), ("log_std.", "std_layer.")):
            if rest.startswith(mine):
                return f"actor.{theirs}{rest.removeprefix(mine)}"
    if network == "gripper":
        for mine, theirs in (("body.", "net.net."), ("out.", "output_layer.")):
            if rest.startswith(mine):
                return f"discrete_critic.{theirs}{rest.removeprefix(mine)}"
    return f"actor.encoder.{_encoder_name(rest, cameras)}"


def _encoder_name(name: str, cameras: tuple[str, ...]) -> str:
    """E.g. "picture_heads.0.1.0.weight" -> "post_encoders.observation_images_front.1.weight"."""
    part, rest = name.split(".", 1)
    if part == "state_head":
        return f"state_encoder.{rest}"
    if part == "backbone":
        if rest.startswith("convolutions."):
            _, layer, kind = rest.split(".")
            rest = f"{2 * int(layer)}.{kind}"  # a ReLU after each
        return f"image_encoder.image_enc_layers.{rest}"
    number, rest = rest.split(".", 1)
    camera = (IMAGES + cameras[int(number)]).replace(".", "_")
    if rest == "0.kernel":
        return f"spatial_embeddings.{camera}.kernel"
    _, layer, kind = rest.split(".")
    return f"post_encoders.{camera}.{int(layer) + 1}.{kind}"  # theirs begins with a dropout


def _map_places(exportable: Exportable) -> tuple[int, int]:
    """Height and width of the feature map."""
    settings = exportable.settings
    height, width = settings.features.height, settings.features.width
    if settings.policy.vision_encoder_name != "lerobot_cnn":
        return -(-height // 32), -(-width // 32)
    for kernel in (7, 5, 3, 3):
        height, width = (height - kernel) // 2 + 1, (width - kernel) // 2 + 1
    return height, width


# Descriptions


def _config(policy: PolicyConfig, features: FeatureSpec, statistics: Statistics) -> dict[str, object]:
    published = policy.vision_encoder_name != "lerobot_cnn" and bool(features.cameras)
    name = policy.vision_encoder_name
    of_hub = "/" in name and not name.endswith(".safetensors")
    hub_id = name if of_hub else RESNET10_HUB_ID  # gives the network: the weights are in model.safetensors
    return {
        "type": "gaussian_actor",
        "n_obs_steps": 1,
        "input_features": _inputs(features),
        "output_features": _outputs(features),
        "device": "cpu",
        "push_to_hub": False,
        "normalization_mapping": _NORMALISATION,
        "dataset_stats": {
            key: {name: tensor.flatten().tolist() for name, tensor in of.items()}
            for key, of in statistics.items()
        },
        "vision_encoder_name": hub_id if published else None,
        "freeze_vision_encoder": published and policy.freeze_vision_encoder,
        "image_encoder_hidden_dim": policy.image_encoder_hidden_dim,
        "shared_encoder": True,
        "num_discrete_actions": NUM_DISCRETE_ACTIONS if features.gripper else None,
        "image_embedding_pooling_dim": policy.image_embedding_pooling_dim,
        "state_encoder_hidden_dim": policy.state_encoder_hidden_dim,
        "latent_dim": policy.latent_dim,
        "actor_network_kwargs": {
            "hidden_dims": list(policy.actor_network_kwargs.hidden_dims),
            "activate_final": True,
        },
        "policy_kwargs": {
            "use_tanh_squash": True,
            "std_min": policy.policy_kwargs.std_min**2,
            "std_max": policy.policy_kwargs.std_max**2,
            "init_final": policy.policy_kwargs.init_final,
        },
        "discrete_critic_network_kwargs": {
            "hidden_dims": list(policy.discrete_critic_network_kwargs.hidden_dims),
            "activate_final": True,
            "final_activation": None,
        },
    }


def _inputs(features: FeatureSpec) -> dict[str, object]:
    picture = {"type": "VISUAL", "shape": [3, features.height, features.width]}
    pictures = {IMAGES + camera: picture for camera in features.cameras}
    return {**pictures, STATE: {"type": "STATE", "shape": [features.state_dim]}}


def _outputs(features: FeatureSpec) -> dict[str, object]:
    """The motion only: LeRobot adds the gripper's command to it."""
    return {ACTION: {"type": "ACTION", "shape": [features.motion_dim]}}


def _statistics(policy: PolicyConfig, features: FeatureSpec) -> Statistics:
    """What makes LeRobot's normaliser do to pictures what our networks do inside, and nothing to the rest."""
    ours = policy.vision_encoder_name == "lerobot_cnn"
    mean, std = ((0.5,) * 3, (1.0,) * 3) if ours else (IMAGENET_MEAN, IMAGENET_STD)
    picture = {"mean": torch.tensor(mean).view(3, 1, 1), "std": torch.tensor(std).view(3, 1, 1)}
    return {
        **{IMAGES + camera: picture for camera in features.cameras},
        STATE: _as_it_is(features.state_dim),
        ACTION: _as_it_is(features.motion_dim),
    }


def _as_it_is(size: int) -> dict[str, Tensor]:
    """MIN_MAX maps [min, max] to [-1, 1]."""
    return {"min": -torch.ones(size), "max": torch.ones(size)}


def _preprocessor(features: FeatureSpec, statistics: Statistics) -> dict[str, bytes]:
    state = f"{PREPROCESSOR}_step_3_normalizer_processor.safetensors"
    described = {**_inputs(features), **_outputs(features)}
    steps = [
        {"registry_name": "rename_observations_processor", "config": {"rename_map": {}}},
        {"registry_name": "to_batch_processor", "config": {}},
        {"registry_name": "device_processor", "config": {"device": "cpu", "float_dtype": None}},
        _normaliser("normalizer_processor", described, state),
    ]
    return {f"{PREPROCESSOR}.json": _json({"name": PREPROCESSOR, "steps": steps}), state: _state(statistics)}


def _postprocessor(features: FeatureSpec, statistics: Statistics) -> dict[str, bytes]:
    state = f"{POSTPROCESSOR}_step_0_unnormalizer_processor.safetensors"
    steps = [
        _normaliser("unnormalizer_processor", _outputs(features), state),
        {"registry_name": "device_processor", "config": {"device": "cpu", "float_dtype": None}},
    ]
    return {
        f"{POSTPROCESSOR}.json": _json({"name": POSTPROCESSOR, "steps": steps}),
        state: _state(statistics),
    }


def _normaliser(name: str, features: dict[str, object], state_file: str) -> dict[str, object]:
    config = {"eps": 1e-8, "features": features, "norm_map": _NORMALISATION}
    return {"registry_name": name, "config": config, "state_file": state_file}


def _state(statistics: Statistics) -> bytes:
    return save(
        {f"{key}.{name}": tensor.clone() for key, of in statistics.items() for name, tensor in of.items()}
    )


def _json(contents: dict[str, object]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(contents), indent=4)
