"""Statistics of a column, as `meta/stats.json` and the list of episodes have them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_LEVELS = np.arange(256) / 255.0
_LARGE_PX, _LOOKED_AT_PX = 300, 150  # LeRobot's `auto_downsample_height_width`

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
    """How often each level of each channel occurs: all that is needed of any number of pictures.

    Of a large picture only as many rows and columns are looked at as LeRobot looks at: every second or third.
    """

    def __init__(self) -> None:
        self._count = 0
        self._levels = np.zeros((3, 256), np.int64)

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Take in a picture [H, W, 3]."""
        self._count += 1
        longer = max(picture.shape[:2])
        step = longer // _LOOKED_AT_PX if longer >= _LARGE_PX else 1
        looked_at = picture[::step, ::step]
        for channel in range(3):
            self._levels[channel] += np.bincount(looked_at[..., channel].ravel(), minlength=256)

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


def aggregated(parts: Sequence[Mapping[str, Stats]]) -> dict[str, Stats]:
    """Statistics of several parts of a dataset together, by column, as LeRobot's `aggregate_stats` has them.

    Mean and deviation are exact; quantiles are the mean of the parts', weighted by their frames.
    """
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: _together([part[key] for part in parts if key in part]) for key in keys}


def _together(parts: Sequence[Stats]) -> Stats:
    counts = np.array([np.ravel(part["count"])[0] for part in parts])
    share = counts / counts.sum()

    def weighted(values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.tensordot(share, np.stack(values), axes=1)

    mean = weighted([part["mean"] for part in parts])
    variance = weighted([part["std"] ** 2 + (part["mean"] - mean) ** 2 for part in parts])
    known = [name for name in QUANTILES if all(name in part for part in parts)]
    return {
        "min": np.min([part["min"] for part in parts], axis=0),
        "max": np.max([part["max"] for part in parts], axis=0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": np.array([counts.sum()]),
        **{name: weighted([part[name] for part in parts]) for name in known},
    }
