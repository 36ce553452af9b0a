"""A policy as what changed since one the other side has: one byte for each weight instead of four.

A change is a safetensors file with, for each float32 tensor W, int8 q of the same shape and a step s for each row:

    s = max |W - R| / 127 over the row,   q = round((W - R) / s),   R' = R + s q

R is what the other side has, R' what it has then, so |R' - W| <= s / 2: less than half a percent of the largest change
in its row. The next change is taken from R', which makes up for what this one left: errors do not add up (error
feedback, Seide et al. 2014). Both sides compute R' with the same float32 operations, bit for bit.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

_STEPS: Final = ":steps"
_WHOLE: Final = ":whole"
_MOST: Final = 127.0

Array = NDArray[Any]
Tensors = dict[str, Array]


class NoChange(ValueError):
    """There is no such change between these two policies, or these bytes are none."""


def change(base: bytes, new: bytes) -> bytes:
    """What leads from the policy `base` close to the policy `new`, both safetensors. Raises NoChange."""
    before, after = _loaded(base), _loaded(new)
    if _shapes(before) != _shapes(after):
        raise NoChange("they are of different networks")
    made: Tensors = {}
    for name, tensor in after.items():
        if tensor.dtype == np.float32:
            made[name], made[name + _STEPS] = _rounded(np.subtract(tensor, before[name], dtype=np.float32))
        else:
            made[name + _WHOLE] = tensor
    return save(made)


def changed(base: bytes, difference: bytes) -> bytes:
    """The policy that `difference` makes of the policy `base`, safetensors. Raises NoChange."""
    before, parts = _loaded(base), _loaded(difference)
    names = {name.removesuffix(_STEPS).removesuffix(_WHOLE) for name in parts}
    if names != before.keys():
        raise NoChange("it names other tensors")
    return save({name: _moved(name, tensor, parts) for name, tensor in before.items()})


def _rounded(moved: Array) -> tuple[Array, Array]:
    rows = _rows(moved)
    if not np.isfinite(rows).all():
        raise NoChange("a weight is not finite")
    steps = (np.abs(rows).max(axis=1, keepdims=True, initial=0.0) / np.float32(_MOST)).astype(np.float32)
    still = np.where(steps > 0.0, steps, np.float32(1.0))  # a row that did not move divides by one
    return np.rint(rows / still).astype(np.int8).reshape(moved.shape), steps


def _moved(name: str, tensor: Array, parts: Tensors) -> Array:
    if tensor.dtype != np.float32:
        whole = parts.get(name + _WHOLE)
        if whole is None or (whole.shape, whole.dtype) != (tensor.shape, tensor.dtype):
            raise NoChange(f"{name} does not fit")
        return whole
    counts, steps = parts.get(name), parts.get(name + _STEPS)
    rows = _rows(tensor)
    if counts is None or steps is None or counts.shape != tensor.shape or counts.dtype != np.int8:
        raise NoChange(f"{name} does not fit")
    if steps.shape != (len(rows), 1) or steps.dtype != np.float32:
        raise NoChange(f"the steps of {name} do not fit")
    with np.errstate(over="ignore", invalid="ignore"):  # the actor refuses what is not finite
        there: Array = (rows + steps * _rows(counts).astype(np.float32)).reshape(tensor.shape)
    return there


def _rows(tensor: Array) -> Array:
    """[rows, elements of a row]; a vector or a scalar is one row."""
    return tensor.reshape(tensor.shape[0] if tensor.ndim > 1 else 1, -1)


def _shapes(tensors: Tensors) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


def _loaded(data: bytes) -> Tensors:
    try:
        return load(data)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise NoChange(f"no safetensors: {error}") from error
