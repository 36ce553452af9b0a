"""Weights digest: by which people tell whether two places run the same policy.

Of the tensors and not of a file: a checkpoint, an exported folder and an actor's memory give the same.
"""

from collections.abc import Mapping
from hashlib import sha256

import torch
from torch import Tensor


def weights_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 in hexadecimal of every tensor by name, each with its name, number type, shape and bytes."""
    whole = sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        whole.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        whole.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return whole.hexdigest()
