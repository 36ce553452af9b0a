"""Which episodes are kept from training, to measure with.

By episode: neighbouring frames are nearly the same picture, so that frames of one episode on both sides would make the
figures too good. Successes and failures are split each for themselves, and an episode stays on its side when others
are recorded after it, or the labels of another change.
"""

from collections.abc import Hashable, Sequence
from hashlib import sha256


def held_out(episodes: Sequence[tuple[Hashable, bool]], share: float, seed: int) -> frozenset[int]:
    """Numbers of the episodes that are kept from training.

    Args:
        episodes: what names each, the same in every training; and whether it has a success.
        share: of each kind; at least one of a kind that has two, never all of one.
    """
    kept: set[int] = set()
    for kind in (False, True):
        numbers = [number for number, (_, success) in enumerate(episodes) if success is kind]
        numbers.sort(key=lambda number: _lot(episodes[number][0], seed))
        count = min(max(1, round(share * len(numbers))), len(numbers) - 1)
        kept.update(numbers[: max(0, count)])
    return frozenset(kept)


def _lot(name: Hashable, seed: int) -> bytes:
    """Where a name comes in the order of a seed."""
    return sha256(f"{seed} {name}".encode()).digest()
