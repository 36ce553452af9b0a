"""`meta/hilserl.json`: what this program notes of a dataset beside what LeRobot reads."""

from pathlib import Path

import msgspec

NOTES = "meta/hilserl.json"


class Saving(msgspec.Struct, frozen=True):
    """The episode that was saved last, and the files that came with it; noted before they take their names."""

    episode: int
    files: tuple[str, ...]


class Notes(msgspec.Struct, frozen=True):
    """Where the episodes came from, so that none is added twice.

    `origins` has every episode that was ever added, by what its recorder calls it, with its number here; None of
    one that was dropped since.
    """

    origins: dict[str, int | None] = {}
    saving: Saving | None = None

    def up_to(self, episodes: int) -> "Notes":
        """Without what was noted of an episode that never came to be: those after the first `episodes`."""
        kept = {origin: index for origin, index in self.origins.items() if index is None or index < episodes}
        return msgspec.structs.replace(self, origins=kept)

    def with_episode(self, origin: str, saving: Saving) -> "Notes":
        """With an episode that is about to be saved; without an origin it may come again."""
        return Notes({**self.origins, origin: saving.episode} if origin else self.origins, saving)

    def encoded(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1)


def read_notes(root: Path) -> Notes:
    """The notes in the dataset `root`; empty where there are none or they are unreadable."""
    try:
        return msgspec.json.decode((root / NOTES).read_bytes(), type=Notes)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Notes()
