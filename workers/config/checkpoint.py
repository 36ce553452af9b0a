"""[checkpoint]: how often the learner saves, and how much it keeps."""

from typing import Annotated

import msgspec

from workers.config.values import Count, Section


class CheckpointConfig(Section, frozen=True, kw_only=True):
    save_checkpoint: bool = True
    """Write checkpoints; without them a run cannot be resumed where it was."""
    save_freq: Count = 2000
    """Updates between two checkpoints."""
    keep: Annotated[int, msgspec.Meta(ge=3)] = 3
    """Newest checkpoints kept; three at least, so that a damaged one can be stepped over."""
