"""Body: what the actor's loop needs of an arm, or of a Gymnasium environment, between episodes."""

from typing import Protocol

from workers.model.orders import Preview


class Body(Protocol):
    """What the policy drives, between episodes: an arm, or a Gymnasium environment."""

    def problem(self) -> str:
        """Why it cannot be driven now, "" when it can."""

    def warmth(self) -> str:
        """Which servos should cool down, "" while none should."""

    def rest(self) -> None:
        """Bring it where it rests. Raises ArmUnavailable."""

    def hold(self) -> None:
        """Let nothing move."""

    def preview(self, wanted: Preview) -> None:
        """Show the consoles its pictures, unless camera workers do."""

    def seat(self, human: bool) -> None:
        """Tell whoever must know that a person drives, or none does."""

    def close(self) -> None:
        """Let go of it."""
