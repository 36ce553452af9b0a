"""The exceptions of this room."""

from workers.config.lines import KeyPath, dotted


class ProcessorError(ValueError):
    """An observation or action that a step cannot take; the text names the step, what was wrong and why."""

    def __init__(self, step: object, text: str) -> None:
        name = step if isinstance(step, str) else type(step).__name__
        super().__init__(f"{name}: {text}")


class EnvironmentRefused(Exception):
    """A Gymnasium environment that cannot be made, or does not fit the configuration; before anything moves.

    `path` is the key at fault, from the root of the configuration on; `text` is for the operator.
    """

    def __init__(self, path: KeyPath, text: str) -> None:
        super().__init__(path, text)
        self.path, self.text = path, text

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.text}"
