"""How far the log of a recording is in its dataset; also what tells a recording's run directory from others."""

from pathlib import Path
from typing import NamedTuple

from workers.dataset.errors import DatasetError

NAME = "recorded"


class Taken(NamedTuple):
    """What is taken in: the records before `seq`, and with them every episode up to `episode` (-1: none)."""

    seq: int = 0
    episode: int = -1


class RecordedMark:
    """A file in the run's directory."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / NAME
        self._aside = run_dir / f".{NAME}.new"

    def read(self) -> Taken | None:
        """None where nothing was recorded for a dataset. Raises DatasetError when it cannot be read."""
        try:
            seq, episode = self._path.read_text().split()
            return Taken(int(seq), int(episode))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise DatasetError(
                f"{self._path} cannot be read ({error}): it says how much of the run's log is in the dataset. Give the"
                " recording another run.name."
            ) from error

    def write(self, taken: Taken) -> None:
        """Raises DatasetError."""
        try:
            self._aside.write_text(f"{taken.seq} {taken.episode}\n")
            self._aside.rename(self._path)
        except OSError as error:
            raise DatasetError(f"{self._path} cannot be written: {error.strerror}") from error
