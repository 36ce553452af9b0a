"""[evaluation]: when the policy is tried alone, and how often."""

from typing import Annotated

import msgspec

from workers.config.values import Count, Section


class EvaluationConfig(Section, frozen=True, kw_only=True):
    episodes: Count = 50
    """Episodes of an evaluation: policy alone, deterministic."""
    start_at_success: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.85
    """Autonomous success over the last 20 training episodes at which an evaluation starts."""
