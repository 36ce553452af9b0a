"""check: everything that is wrong with a dataset, in the files and in what they hold. Nothing is written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from workers.dataset.durable import PART
from workers.dataset.errors import DatasetError
from workers.dataset.findings import Finding, Kind
from workers.dataset.layout import STATS, VERSION, Frames, Info, read_info
from workers.dataset.listing import Episode, episodes_of, list_files, read_tasks
from workers.dataset.pictures import video_frames
from workers.dataset.reader import READING_FAILS, stored_pictures, values_of
from workers.processors.features import ACTION, STATE

_TIME_TOLERANCE_S = 1e-4  # LeRobot's
_FROZEN_S, _FROZEN_FRAMES = 1.0, 5  # at least that long, and that many pictures
_SAME_PNG, _SAME_VIDEO = 0.0, 0.05  # mean difference of levels between pictures that are the same
_MOVED = 0.02  # of the way between the least and the greatest value of a joint
_LEFT_OUT = "; a repair leaves it out, and keeps it in the backup"
_CLIPPED_SHARE, _CONTINUOUS = 0.5, 10  # of the frames; different values from which an action is no switch


def check(root: Path, *, pictures: bool = True) -> list[Finding]:
    """What is wrong with the dataset in `root`; empty when nothing is.

    Without `pictures` no picture is decoded: videos are not looked into, and no camera is found frozen.
    Raises DatasetError where there is no dataset at all.
    """
    try:
        info = read_info(root)
    except DatasetError as error:
        return [Finding(Kind.INFO, str(error), mendable=False)]
    if info is None:
        raise DatasetError(f"there is no dataset in {root}: it has no meta/info.json. Is the folder right?")
    return [*_leftovers(root), *_check(root, info, pictures)]


def _check(root: Path, info: Info, pictures: bool) -> Iterator[Finding]:
    damaged = list(_damaged_lists(root, info))
    yield from damaged
    if damaged:
        return
    try:
        episodes, tasks = episodes_of(root, info), read_tasks(root, info) if info.total_episodes else []
    except READING_FAILS as error:
        yield Finding(Kind.LIST, f"the list of episodes or tasks cannot be read: {error}", mendable=False)
        return
    yield from _counts(info, episodes)
    yield from _files(root, info, episodes)
    read: dict[int, Frames] = {}
    for episode in episodes:
        frames = _frames(info, episode)
        if isinstance(frames, Finding):
            yield frames
            continue
        read[episode.index] = frames
        yield from _numbers(info, episode, frames, len(tasks))
        if pictures:
            for key in info.cameras:
                yield from _camera(info, episode, key, frames)
    yield from _clipped(list(read.values()))
    if info.codebase_version == VERSION:
        yield from _statistics(root, info)


# files


def _leftovers(root: Path) -> Iterator[Finding]:
    parts = [path for room in ("data", "videos", "meta") for path in (root / room).rglob("*" + PART)]
    if parts:
        text = f"{len(parts)} unfinished files of a recording that was cut off, {parts[0].relative_to(root)} for one"
        yield Finding(Kind.LEFTOVER, text, mendable=True)


def _damaged_lists(root: Path, info: Info) -> Iterator[Finding]:
    if info.codebase_version != VERSION or not info.total_episodes:
        return
    if not list_files(root):
        yield Finding(Kind.MISSING, "the list of episodes (meta/episodes) is missing", mendable=True)
    for path in list_files(root):
        if why := _unreadable(path):
            yield Finding(Kind.FOOTER, f"{path.relative_to(root)} {why}", mendable=True)


def _unreadable(path: Path) -> str:
    try:
        pq.read_metadata(path)
    except READING_FAILS as error:
        return f"was not written or copied to its end ({error})"
    return ""


def _files(root: Path, info: Info, episodes: Sequence[Episode]) -> Iterator[Finding]:
    tables = dict.fromkeys(episode.data for episode in episodes)
    videos = dict.fromkeys(span.path for episode in episodes for span in episode.videos.values())
    for path in [*tables, *videos]:
        losing = [episode.index for episode in episodes if _needs(episode, path)]
        if not path.is_file():
            text = f"{path.relative_to(root)} is missing, and with it {_words(losing)}"
            yield Finding(Kind.MISSING, text, mendable=len(losing) < len(episodes))
        elif path in tables and (why := _unreadable(path)):
            text = f"{path.relative_to(root)} {why}, and with it goes {_words(losing)}"
            yield Finding(Kind.FOOTER, text, mendable=len(losing) < len(episodes))
    if info.codebase_version == VERSION:
        for path in sorted((root / "data").glob("*/*.parquet")):
            if path not in tables:
                text = f"{path.relative_to(root)} belongs to no episode, but LeRobot reads it"
                yield Finding(Kind.ORPHAN, text, mendable=True)


def _needs(episode: Episode, path: Path) -> bool:
    return path == episode.data or any(path == span.path for span in episode.videos.values())


def _words(episodes: Sequence[int]) -> str:
    few = ", ".join(map(str, episodes[:8]))
    return f"episode {few}{' and more' if len(episodes) > 8 else ''}"


def _counts(info: Info, episodes: Sequence[Episode]) -> Iterator[Finding]:
    frames = sum(episode.length for episode in episodes)
    for what, counted, there in (
        ("episodes", info.total_episodes, len(episodes)),
        ("frames", info.total_frames, frames),
    ):
        if counted != there:
            text = f"meta/info.json counts {counted} {what}, {there} are listed"
            yield Finding(Kind.COUNTS, text, mendable=True)
    first = 0
    for number, episode in enumerate(episodes):
        if (episode.index, episode.first) != (number, first):
            text = (
                f"the list has it as {episode.index} from frame {episode.first}; it is {number}, from {first}"
            )
            yield Finding(Kind.INDEX, text, mendable=True, episode=episode.index)
        first += episode.length


def _statistics(root: Path, info: Info) -> Iterator[Finding]:
    try:
        stats = msgspec.json.decode((root / STATS).read_bytes())
        counted = stats[ACTION]["count"][0] if ACTION in stats else info.total_frames
    except (*READING_FAILS, KeyError) as error:
        yield Finding(Kind.STATISTICS, f"meta/stats.json cannot be read: {error}", mendable=True)
        return
    missing = [key for key in info.features if key not in stats and info.features[key].dtype != "string"]
    if missing:
        yield Finding(Kind.STATISTICS, f"meta/stats.json lacks {', '.join(missing)}", mendable=True)
    if counted != info.total_frames:
        text = f"meta/stats.json is of {counted} frames, the dataset has {info.total_frames}"
        yield Finding(Kind.STATISTICS, text, mendable=True)


# what the files hold


def _frames(info: Info, episode: Episode) -> Frames | Finding:
    """The columns of an episode that are in its table, in the order of the file."""
    try:
        columns = {key: column for key, column in info.features.items() if not column.is_picture}
        wanted = [("episode_index", "==", episode.index)]
        table = pq.read_table(episode.data, columns=list(columns), filters=wanted, partitioning=None)
        return {key: values_of(table[key], column) for key, column in columns.items()}
    except READING_FAILS as error:
        return Finding(Kind.GAP, f"its frames cannot be read: {error}", mendable=False, episode=episode.index)


def _numbers(info: Info, episode: Episode, frames: Frames, tasks: int) -> Iterator[Finding]:
    """Faults of the columns of an episode."""
    number, count = episode.index, len(frames["frame_index"])
    if count != episode.length:
        text = f"{count} of its {episode.length} frames are there{_LEFT_OUT * (count < episode.length)}"
        yield Finding(Kind.GAP, text, mendable=True, episode=number)
        return
    steps = np.arange(count)
    if not np.array_equal(frames["frame_index"], steps):
        at = int(np.flatnonzero(frames["frame_index"] != steps)[0])
        text = f"frame_index is {frames['frame_index'][at]} at frame {at}"
        yield Finding(Kind.GAP, text, mendable=True, episode=number)
    if not np.array_equal(frames["index"], episode.first + steps):
        text = f"index does not run from {episode.first} to {episode.first + count - 1}"
        yield Finding(Kind.INDEX, text, mendable=True, episode=number)
    off_s = np.abs(frames["timestamp"] - steps / info.fps)
    if count and off_s.max() > _TIME_TOLERANCE_S:
        text = f"a time is {off_s.max():.3g} s from its frame at {info.fps:g} frames a second"
        yield Finding(Kind.FPS, text, mendable=True, episode=number)
    if count and not 0 <= frames["task_index"].min() <= frames["task_index"].max() < tasks:
        text = f"task_index {frames['task_index'].max()} has no words in meta/tasks.parquet"
        yield Finding(Kind.TASKS, text, mendable=False, episode=number)
    for key, rows in frames.items():
        if rows.dtype.kind == "f" and not np.isfinite(rows).all():
            at = int(np.argwhere(~np.isfinite(rows))[0][0])
            text = f"{key} is not a number at frame {at}: delete the episode or record it again"
            yield Finding(Kind.NAN, text, mendable=False, episode=number)


def _camera(info: Info, episode: Episode, key: str, frames: Frames) -> Iterator[Finding]:
    """A camera's pictures: there are enough of them, and they change while the arm moves."""
    video = info.features[key].dtype == "video"
    least = max(_FROZEN_FRAMES, round(_FROZEN_S * info.fps))
    same = _SAME_VIDEO if video else _SAME_PNG
    before: NDArray[np.int16] | None = None
    since, number = 0, 0
    try:
        for number, picture in enumerate(_pictures(info, episode, key)):
            now = picture.astype(np.int16)
            if before is None or np.abs(now - before).mean() > same:
                since = number
            before = now
            if number - since + 1 == least and (moved := _moved(frames, since, number)):
                text = f"{key} shows one picture from frame {since} on, while {moved}"
                yield Finding(Kind.FROZEN, text, mendable=False, episode=episode.index)
                return
    except READING_FAILS as error:
        kind = Kind.VIDEO if video else Kind.GAP
        text = f"{key} cannot be read: {error}{_LEFT_OUT * video}"
        yield Finding(kind, text, mendable=video, episode=episode.index)


def _pictures(info: Info, episode: Episode, key: str) -> Iterator[NDArray[np.uint8]]:
    if info.features[key].dtype != "video":
        return stored_pictures(episode, key, 0, episode.length)
    span = episode.videos[key]
    return video_frames(span.path, span.first, episode.length, info.fps)


def _moved(frames: Frames, first: int, last: int) -> str:
    """What moved between two frames, in words; empty when nothing did."""
    if STATE not in frames or len(frames[STATE]) <= last:
        return ""
    states = frames[STATE].reshape(len(frames[STATE]), -1)
    way = np.ptp(states, axis=0)
    part = np.ptp(states[first : last + 1], axis=0)
    return f"{STATE} moves" if ((part > _MOVED * way) & (way > 0)).any() else ""


def _clipped(episodes: Sequence[Frames]) -> Iterator[Finding]:
    """Actions that are at their least or greatest value most of the time, of those that are no switches."""
    actions = [frames[ACTION].reshape(len(frames[ACTION]), -1) for frames in episodes if ACTION in frames]
    if not actions:
        return
    rows = np.concatenate(actions)
    for element in range(rows.shape[1]):
        values: NDArray[Any] = rows[np.isfinite(rows[:, element]), element]
        if len(np.unique(values[:10_000])) < _CONTINUOUS:
            continue
        share = float(((values == values.min()) | (values == values.max())).mean())
        if share > _CLIPPED_SHARE:
            text = f"{ACTION}[{element}] is at its limit in {share:.0%} of all frames: it was clipped"
            yield Finding(Kind.CLIPPED, f"{text}. Use larger step sizes", mendable=False)
