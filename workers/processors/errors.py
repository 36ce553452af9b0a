"""The one exception of this room."""


class ProcessorError(ValueError):
    """An observation or action that a step cannot take; the text names the step, what was wrong and why."""

    def __init__(self, step: object, text: str) -> None:
        name = step if isinstance(step, str) else type(step).__name__
        super().__init__(f"{name}: {text}")
