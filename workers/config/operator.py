"""[operator]: who helps the policy, and when."""

from typing import Literal

from workers.config.values import Count, CountOr0, Section, Share


class OperatorConfig(Section, frozen=True, kw_only=True):
    scripted: bool = False
    """The scripted person demonstrates and intervenes until somebody takes over (simulator only)."""
    demonstrations: CountOr0 = 20
    """Demonstration episodes recorded before training starts."""
    patience_steps: Count = 6
    """Steps without progress after which the scripted person takes over."""
    failures: Share = 0.0
    """Share of the scripted person's recorded episodes in which it fails on purpose: for a reward classifier to learn
    what is no success (`mode = "record"` only)."""
    lost: Literal["hold", "continue"] = "hold"
    """When no console holds the controls: `hold` keeps the arm still, `continue` lets the policy go on."""
