"""What a kill left behind in a dataset: a saving that was agreed on is finished, everything else taken away."""

from pathlib import Path

from workers.dataset.durable import PART, part_of, remove, take_names
from workers.dataset.layout import read_info
from workers.dataset.notes import read_notes


def recover(root: Path) -> None:
    """Make `root` what it was after the last episode whose saving had begun. Raises OSError or DatasetError.

    When the notes name an episode, every file of it is on the disk, if only under a temporary name, and
    `meta/info.json` counts it when all have their own.
    """
    saving, info = read_notes(root).saving, read_info(root)
    if saving is not None and (info is None or info.total_episodes <= saving.episode):
        paths = [root / name for name in saving.files]
        take_names(path for path in paths if part_of(path).exists())
    remove_parts(root)


def remove_parts(root: Path) -> None:
    """Take away every file of the dataset that is not whole."""
    remove(path for room in ("data", "videos", "meta") for path in (root / room).rglob("*" + PART))
