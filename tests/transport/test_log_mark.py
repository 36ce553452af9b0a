"""The mark of a log: the same for the same records in either form, another for any others."""

import zlib
from pathlib import Path

import pytest

from tests.transport.linked import FEATURES, records
from workers.transport.codec import as_jpeg
from workers.transport.log import LogWriter
from workers.transport.log_mark import mark_before
from workers.transport.log_reader import PackedReader
from workers.transport.replica import ReplicaWriter


def write(directory: Path, count: int, first_episode: int = 0, session: int = 0) -> None:
    made = records(FEATURES, first_episode)
    with LogWriter(directory, FEATURES, segment_bytes=8000) as log:
        log.session = session
        for _ in range(count):
            log.append(next(made))


def test_a_copy_with_jpeg_pictures_has_the_same_mark(tmp_path: Path) -> None:
    write(tmp_path / "a", 40)
    thinned = []
    for record in PackedReader(tmp_path / "a").read_new():
        kind, payload = as_jpeg(record.kind, record.payload, FEATURES)
        thinned.append(record._replace(kind=kind, payload=payload, crc32=zlib.crc32(payload)))
    copy = ReplicaWriter(tmp_path / "b", FEATURES, 5)
    copy.append(thinned)
    copy.close()
    for seq in (0, 1, 11, 33, 40):
        assert mark_before(tmp_path / "a", seq, FEATURES) == mark_before(tmp_path / "b", seq, FEATURES)
    assert ReplicaWriter(tmp_path / "b", FEATURES, 5).mark == mark_before(tmp_path / "a", 40, FEATURES)


@pytest.mark.parametrize(("first_episode", "session"), [(1, 0), (0, 1)])
def test_other_records_or_another_opening_have_another_mark(
    tmp_path: Path, first_episode: int, session: int
) -> None:
    write(tmp_path / "a", 30)
    write(tmp_path / "b", 30, first_episode, session)
    assert mark_before(tmp_path / "a", 30, FEATURES) != mark_before(tmp_path / "b", 30, FEATURES)


def test_a_log_that_does_not_reach_so_far_has_none(tmp_path: Path) -> None:
    write(tmp_path, 10)
    assert mark_before(tmp_path, 10, FEATURES) is not None
    assert mark_before(tmp_path, 11, FEATURES) is None
    assert mark_before(tmp_path, 100, FEATURES) is None
