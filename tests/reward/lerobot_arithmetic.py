"""LeRobot's classifier written down from its specification and nothing of our networks."""

import json

import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional as F

STATE = "classifier_preprocessor_step_0_normalizer_processor.safetensors"


def their_logits(files: dict[str, bytes], seen: dict[str, Tensor]) -> Tensor:
    """Logits of uint8 [B, H, W, 3] by camera, from the files of its layout."""
    weights, config = load(files["model.safetensors"]), json.loads(files["config.json"])
    statistics = load(files[STATE])
    encoded = []
    for key in config["input_features"]:
        x = seen[key.removeprefix("observation.images.")].permute(0, 3, 1, 2) / 255
        x = (x - statistics[f"{key}.mean"]) / (statistics[f"{key}.std"] + 1e-8)
        name = f"encoders.{key.replace('.', '_')}"
        maps = _resnet10(weights, "encoder.", x)
        x = (maps.unsqueeze(-1) * weights[f"{name}.1.kernel"].unsqueeze(0)).sum(dim=(2, 3)).flatten(1)
        x = F.linear(x, weights[f"{name}.3.weight"], weights[f"{name}.3.bias"])
        encoded.append(
            F.layer_norm(x, x.shape[1:], weights[f"{name}.4.weight"], weights[f"{name}.4.bias"]).tanh()
        )
    x = F.linear(
        torch.hstack(encoded), weights["classifier_head.0.weight"], weights["classifier_head.0.bias"]
    )
    x = F.relu(
        F.layer_norm(x, x.shape[1:], weights["classifier_head.2.weight"], weights["classifier_head.2.bias"])
    )
    return F.linear(x, weights["classifier_head.4.weight"], weights["classifier_head.4.bias"]).squeeze(-1)


def _resnet10(weights: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Float32 [B, 3, 128, 128] -> [B, 512, 4, 4], with JAX's padding."""

    def norm(at: str, x: Tensor) -> Tensor:
        return F.group_norm(x, 4, weights[f"{at}.group_norm.weight"], weights[f"{at}.group_norm.bias"])

    def same(x: Tensor, stride: int, value: float = 0.0) -> Tensor:
        padding = []
        for length in reversed(x.shape[2:]):
            odd = max(0, (-(-length // stride) - 1) * stride + 3 - length)
            padding += [odd // 2, odd - odd // 2]
        return F.pad(x, padding, value=value)

    x = F.conv2d(x, weights[f"{name}embedder.0.weight"], stride=2, padding=3)
    x = F.relu(norm(f"{name}embedder.1", x))
    x = F.max_pool2d(same(x, 2, float("-inf")), 3, stride=2)
    for stage in range(4):
        at, stride = f"{name}encoder.stages.{stage}", 1 if stage == 0 else 2
        y = F.relu(
            norm(f"{at}.norm1", F.conv2d(same(x, stride), weights[f"{at}.conv1.conv.weight"], stride=stride))
        )
        y = norm(f"{at}.norm2", F.conv2d(same(y, 1), weights[f"{at}.conv2.conv.weight"]))
        if f"{at}.shortcut.0.conv.weight" in weights:
            x = norm(f"{at}.shortcut.1", F.conv2d(x, weights[f"{at}.shortcut.0.conv.weight"], stride=stride))
        x = F.relu(x + y)
    return x
