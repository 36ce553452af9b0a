"""Statistics of a column, as `meta/stats.json` and the list of episodes have them; exact, none is estimated."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_LEVELS = np.arange(256) / 255.0

Stats = dict[str, NDArray[Any]]
"""min, max, mean, std and the quantiles, in the shape of one element (pictures: [3, 1, 1]); count int64 [1]."""


def of_values(values: NDArray[Any]) -> Stats:
    """Statistics of numbers [n] or [n, k] over n, each [k] (of [n]: [1])."""
    rows = values.reshape(len(values), -1).astype(np.float64)
    quantiles = np.quantile(rows, list(QUANTILES.values()), axis=0)
    return {
        "min": rows.min(axis=0),
        "max": rows.max(axis=0),
        "mean": rows.mean(axis=0),
        "std": rows.std(axis=0),
        "count": np.array([len(rows)]),
        **dict(zip(QUANTILES, quantiles, strict=True)),
    }


class PictureLevels:
    """How often each level of each channel occurs: all that is needed of any number of pictures."""

    def __init__(self) -> None:
        self._count = 0
        self._levels = np.zeros((3, 256), np.int64)

    def add(self, pictures: NDArray[np.uint8]) -> None:
        """Take in pictures [n, H, W, 3]."""
        self._count += len(pictures)
        for channel in range(3):
            self._levels[channel] += np.bincount(pictures[..., channel].ravel(), minlength=256)

    def merge(self, other: "PictureLevels") -> None:
        """Take in the pictures of another one."""
        self._count += other._count
        self._levels += other._levels

    def stats(self) -> Stats:
        """Statistics per channel, each [3, 1, 1], with levels from 0 to 1; `count` is that of the pictures."""
        share = self._levels / self._levels.sum(axis=1, keepdims=True)
        cumulated = np.cumsum(self._levels, axis=1)
        seen = [np.flatnonzero(levels) for levels in self._levels]
        mean = share @ _LEVELS
        values = {
            "min": _LEVELS[[levels[0] for levels in seen]],
            "max": _LEVELS[[levels[-1] for levels in seen]],
            "mean": mean,
            "std": np.sqrt(np.maximum(share @ _LEVELS**2 - mean**2, 0.0)),
            **{
                name: _LEVELS[[np.searchsorted(row, quantile * row[-1]) for row in cumulated]]
                for name, quantile in QUANTILES.items()
            },
        }
        shaped = {name: value.reshape(3, 1, 1) for name, value in values.items()}
        return {**shaped, "count": np.array([self._count])}
