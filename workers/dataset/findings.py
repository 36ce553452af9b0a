"""What may be wrong with a dataset."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of faults."""

    INFO = "info"  # no readable meta/info.json, or it is contradicted
    LIST = "list"  # the list of episodes
    FOOTER = "footer"  # a table that was not written, or not copied, to its end
    MISSING = "missing"  # a file
    COUNTS = "counts"  # what info.json counts is not what there is
    GAP = "gap"  # frames are missing
    INDEX = "index"  # numbers of frames or episodes do not run on
    FPS = "fps"  # times that do not fit the frame rate
    NAN = "nan"  # numbers that are none
    FROZEN = "frozen"  # a camera that shows one picture while the arm moves
    CLIPPED = "clipped"  # actions at their limit nearly all the time
    TASKS = "tasks"  # frames of a task that has no words
    VIDEO = "video"  # a video that is damaged or too short
    STATISTICS = "statistics"
    LEFTOVER = "leftover"  # of a recording that was killed
    ORPHAN = "orphan"  # a table of frames that belongs to no episode, and is read all the same


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong with a dataset, and what can be done."""

    kind: Kind
    text: str  # what is wrong, where
    mendable: bool  # by `repair`
    episode: int | None = None

    def __str__(self) -> str:
        where = "" if self.episode is None else f"episode {self.episode}: "
        return f"{self.kind}: {where}{self.text}{' (can be repaired)' if self.mendable else ''}"
