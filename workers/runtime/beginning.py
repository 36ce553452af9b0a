"""How a learner begins: `--resume`, `--fresh`, or neither."""

from enum import StrEnum


class Beginning(StrEnum):
    """What a learner does with the checkpoints it finds."""

    AS_LEFT = "as left"  # goes on from them, begins where there are none
    RESUME = "resume"  # goes on from them, refuses where there are none
    FRESH = "fresh"  # moves them aside and begins
