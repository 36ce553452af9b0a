"""[operator]: who helps the policy, and when."""

from typing import Literal

from workers.config.values import Count, CountOr0, Section


class OperatorConfig(Section, frozen=True, kw_only=True):
    scripted: bool = False
    """The scripted person demonstrates and intervenes until somebody takes over (simulator only)."""
    demonstrations: CountOr0 = 20
    """Demonstration episodes recorded before training starts."""
    patience_steps: Count = 6
    """Steps without progress after which the scripted person takes over."""
    lost: Literal["hold", "continue"] = "hold"
    """When no console holds the controls: `hold` keeps the arm still, `continue` lets the policy go on."""
