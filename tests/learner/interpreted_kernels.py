"""Run by `test_gpu_kernels.py` with TRITON_INTERPRET=1: the kernels for GPUs, step by step on the processor."""

import sys

import torch
from torch import nn

from workers.learner.backbones import ResNet10
from workers.learner.gpu_pictures import shift_into
from workers.learner.gpu_resnet import GpuResNet10
from workers.learner.pictures import row_by_row


def pictures_differ() -> bool:
    shape = (2, 9, 7, 3)
    images = torch.randint(0, 256, (5, *shape), dtype=torch.uint8)
    numbers = torch.stack([torch.randint(low, high, (40,)) for low, high in ((0, 5), (-6, 7), (-6, 7))])
    out = torch.empty((40, *shape), dtype=torch.uint8)
    shift_into(out, images, numbers)
    return not torch.equal(out, row_by_row(images, *numbers.unbind()))


def resnet_error() -> float:
    """Of the feature maps, as a share of their size; norms have scales of both signs, as they follow pooling."""
    backbone = ResNet10().requires_grad_(False)
    for module in backbone.modules():
        if isinstance(module, nn.GroupNorm):
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias, std=0.3)
    fast, errors = GpuResNet10(backbone), []
    for side in (64, 256):  # maps that fit into registers, and maps that do not
        images = torch.randint(0, 256, (1, side, side, 3), dtype=torch.uint8)
        exact = backbone(images)
        errors.append(float((fast(images).float() - exact).norm() / exact.norm()))
    return max(errors)


if __name__ == "__main__":
    torch.manual_seed(0)
    sys.exit(f"pictures differ: {pictures_differ()}, error of the ResNet: {resnet_error():.4f}")
