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
