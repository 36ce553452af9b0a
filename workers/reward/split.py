"""Which episodes are kept from training, to measure with.

By episode: neighbouring frames are nearly the same picture, so that frames of one episode on both sides would make the
figures too good. Episodes of each kind are split for themselves, so that a rare kind (the cube is dropped again) is not
measured without having been learnt: where there is one of a kind, it is learnt from. An episode stays on its side when
others are recorded after it, or the labels of another change.
"""

from collections.abc import Hashable, Sequence
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from workers.reward.labels import settled

_LOST_FRAMES = 3


def held_out(episodes: Sequence[tuple[Hashable, Hashable]], share: float, seed: int) -> frozenset[int]:
    """Numbers of the episodes that are kept from training.

    Args:
        episodes: what names each, the same in every training; and its kind (`kind_of`).
        share: of each kind; at least one of a kind that has two, never all of one.
    """
    kept: set[int] = set()
    for kind in dict.fromkeys(kind for _, kind in episodes):
        numbers = [number for number, (_, other) in enumerate(episodes) if other == kind]
        numbers.sort(key=lambda number: _lot(episodes[number][0], seed))
        count = min(max(1, round(share * len(numbers))), len(numbers) - 1)
        kept.update(numbers[: max(0, count)])
    return frozenset(kept)


def kind_of(success: NDArray[np.bool_]) -> str:
    """What happens in an episode whose frames show success or not: [frames] to never, kept, or lost again.

    It is lost where it is gone for longer than a wrong label or two.
    """
    shown = np.flatnonzero(settled(success))
    if not len(shown):
        return "never"
    return "lost" if np.diff(shown, append=len(success)).max() > _LOST_FRAMES else "kept"


def _lot(name: Hashable, seed: int) -> bytes:
    """Where a name comes in the order of a seed."""
    return sha256(f"{seed} {name}".encode()).digest()
