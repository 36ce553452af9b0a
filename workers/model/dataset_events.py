"""Events about datasets: what a recorder saved, what a console looks at."""

import msgspec

from workers.model.event import Event


class DatasetOpened(Event, frozen=True):
    """The recorder has the dataset open; sent again when it was opened anew."""

    root: str
    episodes: int
    frames: int
    through: int = -1
    """Every episode of the run up to this number was saved or dropped before."""
    positives: int = 0
    """Frames with a reward above 0, where success does not end an episode; else they are not counted."""


class EpisodeSaved(Event, frozen=True):
    """An episode is in the dataset and survives anything that kills a process."""

    episode: int  # number in the run
    index: int | None  # in the dataset; None when it was saved before this recorder started
    frames: int
    positives: int  # frames with a reward above 0
    episodes: int  # in the dataset now
    total_frames: int


class Pixels(msgspec.Struct, frozen=True):
    """`rgb` is height x width x 3 bytes, row by row."""

    height: int = 0
    width: int = 0
    rgb: bytes = b""


class Looked(Event, frozen=True):
    """The answer to `Look`, for the console that asked; in no journal."""

    number: int
    camera: str
    trouble: str = ""
    """Why there is no picture, for a person; the rest is empty then."""
    height: int = 0
    width: int = 0
    """Of the whole picture, in pixels."""
    part: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Top, left, height and width of what is shown of it, in pixels of the picture."""
    shown: Pixels = Pixels()
    policy: Pixels = Pixels()
    """The crop as the policy would get it, pixel by pixel."""
    taken_s: float = 0.0
    """Wall clock of the picture; 0 of one from a dataset."""
    episode: int = 0
    episodes: int = 0
    """How many the dataset has; 0 of a live camera."""
    frame: int = 0
    frames: int = 0
    """How many the episode has."""


class StoredEpisode(msgspec.Struct, frozen=True):
    """One episode of a dataset."""

    frames: int
    reward: float  # of all its frames
    success: bool
    by_person: int  # frames in which a person took over from a policy
    task: str


class EpisodesListed(Event, frozen=True):
    """What a dataset has; again after every edit."""

    root: str
    fps: float
    cameras: tuple[str, ...]
    episodes: tuple[StoredEpisode, ...]
    undo: bool = False
    """Whether the last edit can be undone."""
    said: str = ""
    """What was just done, or why it was not."""


class FrameShown(Event, frozen=True):
    """The answer to `ShowFrame`."""

    number: int
    episode: int
    frame: int
    pictures: dict[str, Pixels] = {}
    action: dict[str, float] = {}
    reward: float = 0.0
    success: bool = False
    by_person: bool = False
    trouble: str = ""
    """Why there is nothing to show, for a person."""
