"""Pictures of a batch out of replay on an NVIDIA GPU, each shifted on the way, in one pass over memory."""

import torch
import triton
from torch import Tensor

from workers.learner.gpu_kernels import shift_kernel

ROWS, WARPS = 4, 2
"""Rows of a picture for one program, and its groups of 32 threads: as was fastest."""


def shift_into(out: Tensor, images: Tensor, numbers: Tensor) -> None:
    """out[b, c, y, x] = images[slot_b, c, clamp(y + down_b), clamp(x + right_b)].

    uint8 [B, cameras, H, W, 3] from [slots, cameras, H, W, 3]; `numbers`, int64 [3, B], are slots, down and right.
    """
    count, cameras, height, width, channels = out.shape
    parts = triton.cdiv(height, ROWS)
    size = triton.next_power_of_2(width * channels)
    # Triton takes the current GPU, whatever the tensors are on.
    with torch.cuda.device_of(out):  # type: ignore[no-untyped-call]
        shift_kernel[count, cameras * parts](
            images, numbers, out, count, cameras, height, width, parts, ROWS, size, num_warps=WARPS
        )
