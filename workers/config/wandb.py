"""[wandb]: metrics to Weights & Biases besides the run's own files."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import Section


class WandbConfig(Section, frozen=True, kw_only=True):
    enable: bool = False
    """Send metrics to Weights & Biases as well; local files are always written."""
    project: Annotated[str, msgspec.Meta(min_length=1)] = "hilserl"
    """Project the run appears in."""
    entity: str | None = None
    """Team or user that owns the project; without it, the account's own."""
    notes: str | None = None
    """Text shown beside the run."""
    run_id: str | None = None
    """Id of an existing Weights & Biases run to go on with."""
    mode: Literal["online", "offline"] = "online"
    """`offline` writes to the run's folder for `wandb sync` later."""
