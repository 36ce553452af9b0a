"""`meta/hilserl.json`: what this program notes of a dataset beside what LeRobot reads."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from workers.config.crops import Crop
from workers.dataset.layout import INFO

NOTES = "meta/hilserl.json"
CROP_PARAMS = "meta/crop_params.json"
Crops = dict[str, Crop]


class Saving(msgspec.Struct, frozen=True):
    """The episode that was saved last, and the files that came with it; noted before they take their names."""

    episode: int
    files: tuple[str, ...]


class Notes(msgspec.Struct, frozen=True):
    """Where the episodes came from, so that none is added twice.

    `origins` has every episode that was ever added, by what its recorder calls it, with its number here; None of
    one that was dropped since. `pushed` has the last commit of every repository on the hub that this dataset was pushed
    to, or fetched from, when nothing but episodes was added since; an edit drops it. `crops` has what was cut out of
    each camera's pictures as they were recorded (top, left, height, width); None where nobody noted it.
    """

    origins: dict[str, int | None] = {}
    saving: Saving | None = None
    pushed: dict[str, str] = {}
    crops: Crops | None = None

    def up_to(self, episodes: int) -> "Notes":
        """Without what was noted of an episode that never came to be: those after the first `episodes`."""
        kept = {origin: index for origin, index in self.origins.items() if index is None or index < episodes}
        return msgspec.structs.replace(self, origins=kept)

    def with_episode(self, origin: str, saving: Saving) -> "Notes":
        """With an episode that is about to be saved; without an origin it may come again."""
        origins = {**self.origins, origin: saving.episode} if origin else self.origins
        return msgspec.structs.replace(self, origins=origins, saving=saving)

    def encoded(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1)


def read_notes(root: Path) -> Notes:
    """The notes in the dataset `root`; empty where there are none or they are unreadable."""
    try:
        return msgspec.json.decode((root / NOTES).read_bytes(), type=Notes)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Notes()


def crops_of(root: Path) -> Crops | None:
    """What was cut out of the pictures of the dataset `root`, by our notes or a cropping tool's; None: not known."""
    try:
        return msgspec.json.decode((root / CROP_PARAMS).read_bytes(), type=Crops)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return read_notes(root).crops


def raw_notes(root: Path) -> dict[str, Any]:
    """`meta/hilserl.json` with the keys of everybody; empty where it is missing or unreadable."""
    try:
        notes = msgspec.json.decode((root / NOTES).read_bytes())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return notes if isinstance(notes, dict) else {}


def fetched(root: Path, repo_id: str, commit: str) -> dict[str, str]:
    """The note, under `hub`, that the dataset in `root` is that commit of a repository on the hub."""
    return {
        "repo_id": repo_id,
        "commit": commit,
        "info": hashlib.sha256((root / INFO).read_bytes()).hexdigest(),
    }


def fetched_from(root: Path) -> tuple[str, str] | None:
    """The repository and the commit that the dataset is; None where it is none, or changed since."""
    try:
        note = raw_notes(root)["hub"]
        origin = (str(note["repo_id"]), str(note["commit"]))
        return origin if note == fetched(root, *origin) else None
    except (OSError, LookupError, TypeError):
        return None
