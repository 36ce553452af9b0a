"""Damage in the learner's copy of a log, set aside: the robot PC has those records and sends them again.

In an actor's own log damage stops the run, because there is no other copy.
"""

import logging
import os
from pathlib import Path

from workers.transport.log_format import holds_a_header, read_packed, segments, sync_directory

log = logging.getLogger(__name__)


def set_damage_aside(directory: Path, verified: dict[Path, int]) -> None:
    """Cut the log before its first bad or missing record; what follows is kept as `<segment>.damaged-<n>`.

    Args:
        directory: of a log whose lock is held.
        verified: full segments that were read before by this process and are not read again, and the number of the
            record after each; filled here.

    A torn tail is left as it is. Raises OSError.
    """
    paths = segments(directory)
    seq = 0
    for number, path in enumerate(paths):
        newest = number == len(paths) - 1
        if not newest and path in verified:
            seq = verified[path]
            continue
        seq, good, bad = _read(path, seq)
        if int(path.stem) != number or (bad and not (newest and _is_torn(path, good))):
            _cut(path, good if int(path.stem) == number else 0, paths[number + 1 :])
            for gone in paths[max(0, number - 1) :]:
                verified.pop(gone, None)
            log.warning("%s is damaged before record %d: from there on it is fetched again", path, seq)
            return
        if not newest:
            verified[path] = seq


def _read(path: Path, seq: int) -> tuple[int, int, int]:
    """Of a segment that begins with `seq`: number of the record after its good ones; their bytes; those after."""
    good = 0
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
        for record, end in read_packed(file.fileno(), 0):
            if record.seq != seq:
                break
            seq, good = seq + 1, end
        return seq, good, os.fstat(file.fileno()).st_size - good


def _is_torn(path: Path, good: int) -> bool:
    """Whether nothing follows `good` but the record at which a writer died."""
    with path.open("rb") as file:
        file.seek(good)
        return not holds_a_header(file.read())


def _cut(path: Path, good: int, later: list[Path]) -> None:
    """The newest goes first: wherever this is interrupted, what is left is a log."""
    for segment in reversed(later):
        segment.rename(_aside(segment))
    if good:
        with path.open("r+b") as file, _aside(path).open("xb") as aside:
            file.seek(good)
            aside.write(file.read())
            aside.flush()
            os.fsync(aside.fileno())
            file.truncate(good)
            os.fsync(file.fileno())
    else:
        path.rename(_aside(path))
    sync_directory(path.parent)


def _aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return aside
