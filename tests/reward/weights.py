"""ResNet-10 weights of chance in a file, as a stand-in for published ones."""

from pathlib import Path

import torch
from safetensors.torch import save_file

from workers.learner.backbones import ResNet10


def resnet10_file(folder: Path, seed: int = 0) -> str:
    """A `.safetensors` file of them, for `reward_classifier.model_name`."""
    torch.manual_seed(seed)
    path = folder / f"resnet10-{seed}.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in ResNet10().state_dict().items()}, path)
    return str(path)
