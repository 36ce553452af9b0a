"""Convolutions over blocks of pixels are the strided ones, forwards and backwards."""

import pytest
import torch
from torch.nn import functional as F

from workers.learner.blocks import ALIGNED, block_conv2d


@pytest.mark.parametrize(
    ("size", "out", "kernel", "stride", "padding"),
    [
        (128, 8, 4, 4, 0),
        (64, 8, 4, 4, 0),
        (128, 6, 7, 2, 0),
        (128, 6, 7, 2, 3),
        (39, 5, 7, 2, 0),
        (41, 5, 3, 2, 1),
    ],
)
def test_the_same_sums(size: int, out: int, kernel: int, stride: int, padding: int) -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(2, size, size - 3, 3, generator=generator, dtype=torch.float64).permute(0, 3, 1, 2)
    weights = [
        torch.randn(
            out, 3, kernel, kernel, generator=generator.manual_seed(1), dtype=torch.float64
        ).requires_grad_()
        for _ in range(2)
    ]
    bias = torch.randn(out, generator=generator, dtype=torch.float64)
    plain = F.conv2d(pixels, weights[0], bias, stride, padding)
    blocks = block_conv2d(pixels, weights[1], bias, stride, padding)
    assert blocks.shape == plain.shape
    torch.testing.assert_close(blocks, plain, rtol=1e-12, atol=1e-12)
    for maps in (plain, blocks):
        maps.square().sum().backward()
    torch.testing.assert_close(weights[1].grad, weights[0].grad, rtol=1e-10, atol=1e-10)


def test_channels_are_what_matrix_units_ask_for(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    plain = F.conv2d

    def conv2d(pixels: torch.Tensor, weight: torch.Tensor, *others: object) -> torch.Tensor:
        seen.extend([pixels.shape[1], weight.shape[1]])
        assert pixels.is_contiguous(memory_format=torch.channels_last)
        return plain(pixels, weight, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("workers.learner.blocks.F.conv2d", conv2d)
    for kernel, stride in ((7, 2), (4, 4)):
        block_conv2d(torch.rand(1, 3, 32, 32), torch.rand(4, 3, kernel, kernel), None, stride)
    assert seen == [ALIGNED, ALIGNED, 3 * ALIGNED, 3 * ALIGNED]
