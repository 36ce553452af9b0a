"""The exceptions of this room; their texts are for the operator."""

from workers.config.lines import KeyPath, dotted


class DatasetError(Exception):
    """A dataset that cannot be written, read or uploaded."""


class DatasetRefused(DatasetError):
    """A dataset that does not fit the configuration; found before anything moves.

    `path` is the key at fault, from the root of the configuration on; `text` says what is wrong with it.
    """

    def __init__(self, path: KeyPath, text: str) -> None:
        super().__init__(path, text)
        self.path, self.text = path, text

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.text}"
