"""Care of a recorded dataset: relabel, delete, trim and merge episodes, join its files, and undo.

Every change makes a new version beside the dataset, looks whether it is right, and lets the two change places in one
step; the version before is kept (`workers.dataset.versions`). What goes wrong on the way leaves the dataset as it was.
"""

import contextlib
import errno
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from workers.dataset.columns import DONE, SUCCESS, TRUNCATED
from workers.dataset.errors import DatasetError
from workers.dataset.join import check_worth, join, joins_of
from workers.dataset.layout import differences, episodes_in_words
from workers.dataset.locking import locked
from workers.dataset.pieces import Label, Piece, Progress, Source, unheard
from workers.dataset.reader import READING_FAILS, Dataset
from workers.dataset.rebuild import rebuild
from workers.dataset.recover import recover
from workers.dataset.versions import Versions
from workers.processors.features import REWARD

Pieces = list[Piece]
Build = Callable[[Path, Sequence[Piece], Source, Progress], None]


@dataclass(frozen=True, slots=True)
class Edited:
    """What was done, and where the version before it is; None of a dataset that is new."""

    words: str
    backup: Path | None


def relabel(
    root: Path,
    episodes: Collection[int],
    *,
    success: bool | None = None,
    reward: float | None = None,
    frames: tuple[int, int] | None = None,
    progress: Progress = unheard,
) -> Edited:
    """Give episodes another outcome, or frames `frames[0]` to `frames[1] - 1` of each another reward.

    `success` alone says how an episode ended: its last frame gets reward 1 and is a success and the end, or no frame
    has reward and success. With `frames` it says so of these frames, without touching where the episode ends. `reward`
    is given to the frames (all without `frames`), and takes the place of 1 where there is a success.
    Raises DatasetError for what is not there; the dataset is then as it was.
    """
    if success is None and reward is None:
        raise DatasetError("nothing to change: give a success or a reward")

    def edit(source: Source) -> tuple[Pieces, str]:
        _must_have(source, episodes)
        _must_have_column(source, REWARD)
        pieces = source.wholes()
        for number in episodes:
            labels = _labels(pieces[number], success, reward, frames)
            known = tuple(label for label in labels if label.column in source.info.features)
            pieces[number] = replace(pieces[number], labels=known)
        what = "reward" if success is None else "success" if success else "failure"
        value = "" if reward is None else f" {reward:g}"
        where = "" if frames is None else f", frames {frames[0]} to {frames[1] - 1}"
        return pieces, f"relabelled {_named(episodes)}{where}: {what}{value}"

    return _edited(root, edit, progress)


def delete(root: Path, episodes: Collection[int], progress: Progress = unheard) -> Edited:
    """Take episodes out; those after them are counted anew. Raises DatasetError, where none would stay too."""

    def edit(source: Source) -> tuple[Pieces, str]:
        _must_have(source, episodes)
        pieces = [piece for piece in source.wholes() if piece.episode not in episodes]
        if not pieces:
            raise DatasetError(
                f"that would leave no episode in {root}, and LeRobot opens no empty dataset: remove the folder instead"
            )
        return pieces, f"deleted {_named(episodes)}"

    return _edited(root, edit, progress)


def trim(root: Path, episode: int, start: int, stop: int, progress: Progress = unheard) -> Edited:
    """Keep frames `start` to `stop - 1` of an episode. Where its end goes, it ends there without being finished.

    Raises DatasetError, where no frame would stay too.
    """
    return _edited(root, lambda source: _trimmed(source, episode, start, stop), progress)


def cut(root: Path, episode: int, start: int, end: int, progress: Progress = unheard) -> Edited:
    """Like `trim`, by how many frames go from the beginning and from the end."""

    def edit(source: Source) -> tuple[Pieces, str]:
        _must_have(source, [episode])
        return _trimmed(source, episode, start, source.whole(episode).stop - end)

    return _edited(root, edit, progress)


def merge(root: Path, others: Sequence[Path], progress: Progress = unheard) -> Edited:
    """Append the episodes of other datasets, which stay as they are; where `root` is not there, it becomes new.

    An episode that is in both by its origin is taken once. Raises DatasetError, with a table of the differences where
    a dataset has other features or another frame rate.
    """
    if any(other.resolve() == root.resolve() for other in others):
        raise DatasetError(f"{root} cannot be merged with itself")

    def edit(source: Source) -> tuple[Pieces, str]:
        pieces, twice = source.wholes(), 0
        for other in _checked(source, others[0 if has_own else 1 :]):
            here = _origins(pieces)
            new = [piece for piece in other.wholes() if not _origins([piece]) & here]
            twice += len(other.rows) - len(new)
            pieces += new
        left_out = f"; {episodes_in_words(twice)} left out that were there already" if twice else ""
        names = ", ".join(str(other) for other in others)
        return pieces, f"merged with {names}{left_out}"

    has_own = root.exists() and (not root.is_dir() or any(root.iterdir()))
    return _edited(root, edit, progress) if has_own else _made(root, others[0], edit, progress)


def compact(root: Path, progress: Progress = unheard) -> Edited:
    """Join the files of its episodes into fewer, as large as LeRobot makes them. Raises DatasetError."""

    def edit(source: Source) -> tuple[Pieces, str]:
        joins = joins_of(source)
        check_worth(joins, root)
        return source.wholes(), f"joined {joins.before} files into {joins.after}"

    return _edited(root, edit, progress, join)


def undo(root: Path) -> Edited:
    """Bring the dataset back that was there before the newest change; what goes is kept beside it until the next.

    Raises DatasetError where there is nothing to undo, or the dataset was recorded into since.
    """
    versions = Versions(root)
    with _telling(root), _held(versions):
        words, undone = versions.undo()
    return Edited(f"undone: {words}", undone)


# one edit


def _edited(
    root: Path, edit: Callable[[Source], tuple[Pieces, str]], progress: Progress, build: Build = rebuild
) -> Edited:
    """Let the dataset that `edit` describes and `build` writes take the place of the one in `root`."""
    versions = Versions(root)
    with _telling(root), _held(versions):
        recover(versions.root)
        source = Source(versions.root)
        pieces, words = edit(source)
        with versions.next() as aside:
            build(aside, pieces, source, progress)
            _verify(aside, pieces)
            return Edited(words, versions.take_place(aside, words))


def _made(
    root: Path, first: Path, edit: Callable[[Source], tuple[Pieces, str]], progress: Progress
) -> Edited:
    """Let the dataset that `edit` makes of `first` be in `root`, where there is none yet."""
    versions = Versions(root)
    with _telling(root):
        root.mkdir(parents=True, exist_ok=True)  # an empty folder is what is replaced
        try:
            with _held(versions):
                source = Source(first)
                pieces, words = edit(source)
                with versions.next() as aside:
                    rebuild(aside, pieces, source, progress)
                    _verify(aside, pieces)
                    aside.rename(versions.root)
        finally:
            for folder in (versions.folder, root):
                with contextlib.suppress(OSError):
                    folder.rmdir()  # where it is empty
    return Edited(words, None)


@contextlib.contextmanager
def _held(versions: Versions) -> Iterator[None]:
    """Nobody else writes or edits the dataset, and what a kill left is cleared away."""
    if not versions.root.exists():
        versions.settle()
    if not versions.root.is_dir():
        raise DatasetError(f"there is no dataset in {versions.root}")
    with locked(versions.root):
        versions.settle()
        yield


@contextlib.contextmanager
def _telling(root: Path) -> Iterator[None]:
    """What a disk or a damaged file raises becomes one sentence."""
    try:
        yield
    except DatasetError:
        raise
    except READING_FAILS as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        cause = "the disk is full; make space and do it again" if full else str(error)
        raise DatasetError(f"{root} was left as it was: {cause}") from error


def _verify(aside: Path, pieces: Pieces) -> None:
    """Look whether the new version can be opened and has every frame once, in order. Raises DatasetError."""
    dataset = Dataset(aside)
    lengths = [episode.length for episode in dataset.episodes]
    if lengths != [piece.length for piece in pieces]:
        raise DatasetError("the edited dataset does not have the frames it should have; nothing was changed")
    for path in sorted({episode.data for episode in dataset.episodes}):
        inside = [episode for episode in dataset.episodes if episode.data == path]
        table = pq.read_table(path, columns=["index", "episode_index", "frame_index"], partitioning=None)
        wanted = {
            "index": np.concatenate([np.arange(one.length) + one.first for one in inside]),
            "episode_index": np.repeat([one.index for one in inside], [one.length for one in inside]),
            "frame_index": np.concatenate([np.arange(one.length) for one in inside]),
        }
        for key, values in wanted.items():
            if not np.array_equal(table[key].to_numpy(), values):
                raise DatasetError(
                    f"{key} of {episodes_in_words(len(inside))} from {inside[0].index} on is not as it should be;"
                    " nothing was changed. `hilserl-worker dataset check` says what is wrong with the dataset."
                )


# what is asked for


def _trimmed(source: Source, episode: int, start: int, stop: int) -> tuple[Pieces, str]:
    _must_have(source, [episode])
    pieces = source.wholes()
    length = pieces[episode].length
    if not 0 <= start < stop <= length:
        raise DatasetError(
            f"no frame would stay of episode {episode}, or there are not so many: it has {length}, 0 to {length - 1}"
        )
    cut_short = [Label(column, True, stop - 1, stop) for column in (DONE, TRUNCATED)]
    known = tuple(label for label in cut_short if label.column in source.info.features)
    pieces[episode] = Piece(source, episode, start, stop, known if stop < length else ())
    return pieces, f"trimmed episode {episode} to frames {start} to {stop - 1} of {length}"


def _must_have(source: Source, episodes: Collection[int]) -> None:
    count = len(source.rows)
    missing = sorted(number for number in episodes if not 0 <= number < count)
    if missing or not episodes:
        asked = f"no episode {missing[0]}" if missing else "no episode was named"
        raise DatasetError(f"{asked}: {source.root} has {count}, 0 to {count - 1}")


def _must_have_column(source: Source, key: str) -> None:
    column = source.info.features.get(key)
    if column is None or column.shape != (1,):
        raise DatasetError(
            f"{source.root} has no column {key} of one number, so there is nothing to relabel in it"
        )


def _labels(
    piece: Piece, success: bool | None, reward: float | None, frames: tuple[int, int] | None
) -> list[Label]:
    """Raises DatasetError for frames that the episode does not have."""
    start, stop = frames or (0, piece.length)
    if not 0 <= start < stop <= piece.length:
        raise DatasetError(
            f"no frames {start} to {stop - 1} in episode {piece.episode}: it has {piece.length}, 0 to"
            f" {piece.length - 1}"
        )
    if success is None:
        return [Label(REWARD, reward or 0.0, start, stop)]
    value = (1.0 if reward is None else reward) if success else reward or 0.0
    if frames is not None or not success:
        return [Label(REWARD, value, start, stop), Label(SUCCESS, success, start, stop)]
    last = (piece.length - 1, piece.length)
    ended = [Label(SUCCESS, True, *last), Label(DONE, True, *last), Label(TRUNCATED, False, *last)]
    return [Label(REWARD, value, *last), *ended]


def _checked(base: Source, others: Sequence[Path]) -> list[Source]:
    """The other datasets, opened. Raises DatasetError with the differences of all that do not fit."""
    sources, lines = [Source(other) for other in others], []
    for source in sources:
        info = source.info
        lines += [
            f"  {source.root}: {line}"
            for line in differences(base.info.features, base.info.fps, info, base.info.robot_type)
        ]
    if lines:
        table = "\n".join(lines)
        raise DatasetError(
            f"what differs from {base.root} (here) cannot be merged with it; nothing was changed:\n{table}"
        )
    return sources


def _origins(pieces: Pieces) -> set[str]:
    """What the recorders call these episodes, where they gave a name."""
    found = set()
    for source in dict.fromkeys(piece.source for piece in pieces):
        numbers = {piece.episode for piece in pieces if piece.source is source}
        origins = source.notes.get("origins", {})
        found |= {origin for origin, number in origins.items() if number in numbers}
    return found


def _named(episodes: Collection[int]) -> str:
    numbers = ", ".join(map(str, sorted(episodes)))
    return f"episode {numbers}" if len(episodes) == 1 else f"episodes {numbers}"
