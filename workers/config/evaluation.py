"""[evaluation]: when the policy is tried alone, which one, and how often."""

from typing import Annotated

import msgspec

from workers.config.values import Count, Section


class EvaluationConfig(Section, frozen=True, kw_only=True):
    episodes: Count = 50
    """Trials of an evaluation, of each policy: alone, deterministic."""
    checkpoint: str | None = None
    """What `mode = "evaluate"` tries: the step of a checkpoint, `best`, or the folder of a checkpoint, of a run or of an
    exported policy; without it, the newest of the run."""
    against: str | None = None
    """A second policy, of the same kinds, that takes turns with it."""
    start_at_success: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.85
    """Autonomous success over the last 20 training episodes at which an evaluation starts."""
