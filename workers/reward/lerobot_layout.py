"""LeRobot's layout of a reward classifier: what its `Classifier.from_pretrained` and its processors load, both ways.

    config.json, model.safetensors
    classifier_preprocessor.json, classifier_preprocessor_step_0_normalizer_processor.safetensors
    classifier_postprocessor.json

The networks are the same, layer by layer; only names and the order of axes differ. LeRobot's run time skips its own
normaliser, which training used; here it is a part of the network, always.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from workers.learner.backbones import IMAGENET_MEAN, IMAGENET_STD, RESNET10_HUB_ID, ResNet10
from workers.processors.features import IMAGES, REWARD
from workers.reward.architecture import Architecture, Channels
from workers.reward.errors import ClassifierError
from workers.reward.model import RewardClassifier

CONFIG, WEIGHTS = "config.json", "model.safetensors"
PREPROCESSOR, POSTPROCESSOR = "classifier_preprocessor", "classifier_postprocessor"
STATE_FILE = f"{PREPROCESSOR}_step_0_normalizer_processor.safetensors"
_MAP = (4, 4)  # places of the map that its spatial embeddings take: of 128x128 pixels through a ResNet-10
_PLAIN: tuple[Channels, Channels] = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
_DAMAGED = (OSError, msgspec.MsgspecError, SafetensorError, KeyError, TypeError, ValueError, AttributeError)

# From there


def import_lerobot(folder: Path) -> RewardClassifier:
    """The classifier of a folder in LeRobot's layout. Raises ClassifierError."""
    try:
        settings = msgspec.json.decode((folder / CONFIG).read_bytes())
        tensors = load_file(folder / WEIGHTS)
        keys = [key for key in settings["input_features"] if key.startswith("observation.image")]
        architecture = _architecture(settings, keys, _normalisation(folder, settings, keys))
        heads = {key: f"encoders.{key.replace('.', '_')}." for key in keys}
        if architecture.model_type == "cnn" and "encoder.embedder.0.weight" not in _encoder(tensors, heads):
            raise ClassifierError(
                f"{folder} is a classifier of LeRobot's on {settings['model_name']}, of which this program has no"
                f" network: it knows ResNet-10 ({RESNET10_HUB_ID}) and, with transformers installed, transformers"
            )
        classifier = RewardClassifier(architecture, pretrained=architecture.model_type == "transformer")
        classifier.load_state_dict(_ours(tensors, heads, architecture.model_type))
    except ClassifierError:
        raise
    except RuntimeError as error:
        raise ClassifierError(f"{folder / WEIGHTS} does not fit its {CONFIG}: {error}") from error
    except _DAMAGED as error:
        raise ClassifierError(
            f"{folder} is no classifier of LeRobot's that can be read ({type(error).__name__}: {error}). Was it copied"
            " to its end?"
        ) from error
    return classifier.eval()


def _architecture(
    settings: Mapping[str, Any],
    keys: list[str],
    normalisation: tuple[dict[str, Channels], dict[str, Channels]],
) -> Architecture:
    cnn = settings.get("model_type", "cnn") == "cnn"
    classes = settings["num_classes"]
    return Architecture(
        cameras={_camera(key): tuple(settings["input_features"][key]["shape"][1:]) for key in keys},
        model_type="cnn" if cnn else "transformer",
        model_name="resnet10" if cnn else settings["model_name"],
        num_classes=classes,
        success_class=classes - 1,
        hidden_dim=settings["hidden_dim"],
        latent_dim=settings["latent_dim"],
        image_embedding_pooling_dim=settings["image_embedding_pooling_dim"],
        dropout_rate=settings["dropout_rate"],
        image_mean=normalisation[0],
        image_std=normalisation[1],
    )


def _camera(key: str) -> str:
    """observation.images.front -> front; observation.image -> image."""
    return key.removeprefix(IMAGES) if key.startswith(IMAGES) else key.removeprefix("observation.")


def _normalisation(
    folder: Path, settings: Mapping[str, Any], keys: list[str]
) -> tuple[dict[str, Channels], dict[str, Channels]]:
    """Mean and standard deviation by camera, as its preprocessor has them; none where it has none."""
    mode = settings.get("normalization_mapping", {}).get("VISUAL", "IDENTITY")
    state = _preprocessor_state(folder) if mode != "IDENTITY" else {}
    means, stds = {}, {}
    for key in keys:
        mean, std = _PLAIN
        if mode == "MEAN_STD" and f"{key}.mean" in state:
            mean, std = _channels(state[f"{key}.mean"]), _channels(state[f"{key}.std"])
        elif mode == "MIN_MAX" and f"{key}.min" in state:
            least, most = state[f"{key}.min"], state[f"{key}.max"]
            mean, std = _channels((least + most) / 2), _channels((most - least) / 2)
        means[_camera(key)], stds[_camera(key)] = mean, std
    return means, stds


def _preprocessor_state(folder: Path) -> dict[str, Tensor]:
    path = folder / f"{PREPROCESSOR}.json"
    if not path.exists():
        return {}
    steps = msgspec.json.decode(path.read_bytes())["steps"]
    names = [step["state_file"] for step in steps if step.get("state_file")]
    states = [load_file(folder / Path(name).name) for name in names]
    return {name: tensor for state in states for name, tensor in state.items()}


def _channels(values: Tensor) -> Channels:
    red, green, blue = values.flatten().tolist()
    return red, green, blue


def _encoder(tensors: Mapping[str, Tensor], heads: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors of the shared encoder as `encoder.*`: a file keeps one of the names under which they are shared."""
    found = {name: tensor for name, tensor in tensors.items() if name.startswith("encoder.")}
    for head in heads.values():
        for name, tensor in tensors.items():
            if name.startswith(f"{head}0."):
                found.setdefault("encoder." + name.removeprefix(f"{head}0."), tensor)
    return found


def _ours(tensors: Mapping[str, Tensor], heads: Mapping[str, str], model_type: str) -> dict[str, Tensor]:
    """All tensors under our names."""
    ours = {name: tensor for name, tensor in tensors.items() if name.startswith("classifier_head.")}
    inside = "encoder.backbone." + ("model." if model_type == "transformer" else "")
    for name, tensor in _encoder(tensors, heads).items():
        ours[inside + name.removeprefix("encoder.")] = tensor
    for number, head in enumerate(heads.values() if model_type == "cnn" else ()):
        ours[f"heads.{number}.0.kernel"] = tensors[f"{head}1.kernel"].flatten(1, 2)
        for theirs, mine in ((3, 2), (4, 3)):  # linear, LayerNorm
            for part in ("weight", "bias"):
                ours[f"heads.{number}.{mine}.{part}"] = tensors[f"{head}{theirs}.{part}"]
    return ours


# To there


def lerobot_files(classifier: RewardClassifier) -> dict[str, bytes]:
    """The files of LeRobot's layout, by name. Raises ClassifierError where its network cannot express this one."""
    of = classifier.architecture
    if wrong := list(obstacles(classifier)):
        lines = "".join(f"\n  {line}" for line in wrong)
        raise ClassifierError(f"LeRobot's network cannot express this classifier. It would need:{lines}")
    state = {
        f"{IMAGES}{camera}.{name}": torch.tensor(given.get(camera, usual)).view(3, 1, 1)
        for name, given, usual in (
            ("mean", of.image_mean, IMAGENET_MEAN),
            ("std", of.image_std, IMAGENET_STD),
        )
        for camera in of.cameras
    }
    inputs = {
        f"{IMAGES}{camera}": {"type": "VISUAL", "shape": [3, height, width]}
        for camera, (height, width) in of.cameras.items()
    }
    return {
        CONFIG: _json(_config(of, inputs)),
        WEIGHTS: save(_theirs(classifier), {"format": "pt"}),
        f"{PREPROCESSOR}.json": _json(_preprocessor(inputs)),
        STATE_FILE: save(state),
        f"{POSTPROCESSOR}.json": _json(_postprocessor()),
    }


def obstacles(classifier: RewardClassifier) -> list[str]:
    """What of a classifier LeRobot's network has no place for, as lines of TOML with what would do."""
    of = classifier.architecture
    if of.model_type == "transformer":
        size = of.input_size
        return [
            f"pictures of {size[0]}x{size[1]}, which the transformer takes, not {given[0]}x{given[1]} of {camera}"
            for camera, given in of.cameras.items()
            if size is not None and given != size
        ]
    lines = []
    if not isinstance(classifier.encoder.backbone, ResNet10):
        lines.append('reward_classifier.model_name = "resnet10"')
    lines += [
        f"pictures of 97 to 128 pixels each way, not {height}x{width} of {camera}"
        for camera, (height, width) in of.cameras.items()
        if (-(-height // 32), -(-width // 32)) != _MAP
    ]
    if of.num_classes > 2 and of.success_class != of.num_classes - 1:
        lines.append("reward_classifier.success_class: the last class")
    return lines


def _theirs(classifier: RewardClassifier) -> dict[str, Tensor]:
    """All tensors under LeRobot's names; aliases of the shared encoder are left to its loader."""
    keys = [f"{IMAGES}{camera}".replace(".", "_") for camera in classifier.cameras]
    inside = "encoder.backbone." + ("model." if classifier.architecture.model_type == "transformer" else "")
    theirs = {}
    for name, tensor in classifier.state_dict().items():
        if name.startswith(inside):
            name = "encoder." + name.removeprefix(inside)
        elif name.startswith("heads."):
            _, number, layer, part = name.split(".")
            name = f"encoders.{keys[int(number)]}.{int(layer) + 1}.{part}"
            if part == "kernel":
                tensor = tensor.unflatten(1, _MAP)
        theirs[name] = tensor.detach().cpu().contiguous()
    return theirs


def _config(of: Architecture, inputs: Mapping[str, object]) -> dict[str, object]:
    hub_id = of.model_name if "/" in of.model_name and not of.model_name.endswith(".safetensors") else None
    return {
        "type": "reward_classifier",
        "n_obs_steps": 1,
        "input_features": inputs,
        "output_features": {REWARD: {"type": "REWARD", "shape": [1]}},
        "device": "cpu",
        "use_amp": False,
        "push_to_hub": False,
        "name": "reward_classifier",
        "num_classes": of.num_classes,
        "hidden_dim": of.hidden_dim,
        "latent_dim": of.latent_dim,
        "image_embedding_pooling_dim": of.image_embedding_pooling_dim,
        "dropout_rate": of.dropout_rate,
        "model_name": hub_id or RESNET10_HUB_ID,
        "model_type": of.model_type,
        "num_cameras": len(of.cameras),
        "normalization_mapping": {"VISUAL": "MEAN_STD"},
    }


def _preprocessor(inputs: Mapping[str, object]) -> dict[str, object]:
    normalise = {"eps": 1e-8, "features": inputs, "norm_map": {"VISUAL": "MEAN_STD"}}
    steps = [
        {"registry_name": "normalizer_processor", "config": normalise, "state_file": STATE_FILE},
        {"registry_name": "device_processor", "config": {"device": "cpu", "float_dtype": None}},
    ]
    return {"name": PREPROCESSOR, "steps": steps}


def _postprocessor() -> dict[str, object]:
    step = {"registry_name": "device_processor", "config": {"device": "cpu", "float_dtype": None}}
    return {"name": POSTPROCESSOR, "steps": [step]}


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value))
