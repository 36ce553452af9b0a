"""Whether the dataset that a run was fed with is corrected while it runs: its next start takes that in."""

from pathlib import Path

from workers.config import Config
from workers.dataset.layout import dataset_folder

_Stand = tuple[int, int] | None


class DatasetWatch:
    """Looks at the folder: every edit puts another one in its place (`workers.dataset.versions`)."""

    def __init__(self, config: Config) -> None:
        self._root = dataset_folder(config.dataset) if config.feeds_dataset else None
        self._stand = self._look()

    def changed(self) -> str:
        """What a person is told, once for each change; "" while there is none."""
        stand = self._look()
        if stand == self._stand or stand is None:
            return ""
        self._stand = stand
        return (
            f"dataset: {self._root} was edited. This run learns from it as it was at its start; end the run and start"
            " it again, and labels that were corrected are in its offline buffer"
        )

    def _look(self) -> _Stand:
        return None if self._root is None else _stand_of(self._root)


def _stand_of(root: Path) -> _Stand:
    """Which folder it is, by what the file system calls it; None where there is none."""
    try:
        found = root.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
