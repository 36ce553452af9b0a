"""Which labels of an episode can be relied on.

A reward tells what came of a step, which is in the picture after it, while a person relabels the picture that is shown,
or presses a key late: where the label changes, the picture may show either.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sure(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """[n] of an episode's labels [n]: all but the first after a change, unless the label changes back at once."""
    begins = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    lengths = np.diff([*begins, len(labels)])
    kept = np.ones(len(labels), np.bool_)
    kept[begins[lengths > 1]] = False
    return kept


def settled(success: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[n] whether an episode's frames show success, where a label that changes back at once is not believed.

    For what is said of whole episodes: one wrong frame makes a failure no success. A success in the last frame alone,
    where it ended the episode, is one.
    """
    return success ^ flickers(success)


def flickers(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """[n] whether a frame's label differs from the one before and after it, which are alike.

    What a scene shows lasts for longer than a frame; a finger that slipped does not.
    """
    found = np.zeros(len(labels), np.bool_)
    found[1:-1] = (labels[1:-1] != labels[:-2]) & (labels[:-2] == labels[2:])
    return found
