"""[evaluation]: when the policy is tried alone, which one, and how often."""

from pathlib import Path
from typing import Annotated

import msgspec

from workers.config.values import Count, CountOr0, Section

RUN_SUFFIX = "-evaluate"
"""A run that evaluates is called after the run whose policies it tries, which keeps its results."""


class EvaluationConfig(Section, frozen=True, kw_only=True):
    episodes: Count = 50
    """Trials of an evaluation, of each policy: alone, deterministic."""
    checkpoint: str | None = None
    """What `mode = "evaluate"` tries: the step of a checkpoint, `best`, or the folder of a checkpoint, of a run or of
    an exported policy; without it, the newest of the run."""
    against: str | None = None
    """A second policy, of the same kinds, that takes turns with it."""
    go_on: bool = False
    """Go on with the newest evaluation of the run that was cut off: its policies, its starts, the trials it lacks;
    `evaluate --continue` sets it."""
    start_at_success: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.85
    """Autonomous success over the last 20 training episodes at which an evaluation starts."""
    start_after_episodes: CountOr0 = 0
    """Training episodes since the run was opened after which its first evaluation starts in any case, as who explores
    succeeds less often than what is evaluated; 0 waits for that success."""


def evaluated_run(run_dir: Path) -> Path:
    """The directory of the run whose policies are tried by the run in `run_dir`: its own, unless it only evaluates."""
    name = run_dir.name.removesuffix(RUN_SUFFIX)
    return run_dir.with_name(name) if name else run_dir
