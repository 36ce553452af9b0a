"""The learner's copy of a log: the same bytes, each record once, none missing, whatever cuts it short."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.linked import FEATURES, log_bytes, records
from workers.transport.log import LogLocked, LogMismatch, LogReader, LogWriter
from workers.transport.log_format import PackedRecord, read_epoch
from workers.transport.log_reader import PackedReader
from workers.transport.replica import LogGap, ReplicaWriter

SEGMENT = 8000  # five records


def origin(directory: Path, count: int, sessions: int = 1) -> list[PackedRecord]:
    """A log of `count` records in several openings, packed."""
    made = records(FEATURES)
    for _ in range(sessions):
        with LogWriter(directory, FEATURES, segment_bytes=SEGMENT) as log:
            for _ in range(count // sessions):
                log.append(next(made))
    return PackedReader(directory).read_new()


def copy(directory: Path, epoch: int = 5) -> ReplicaWriter:
    return ReplicaWriter(directory, FEATURES, epoch, segment_bytes=SEGMENT)


def test_a_copy_is_the_same_byte_for_byte_sessions_and_segments_included(tmp_path: Path) -> None:
    packed = origin(tmp_path / "a", 30, sessions=3)
    writer = copy(tmp_path / "b")
    assert writer.append(packed) == 30
    writer.close()
    here, there = (sorted((tmp_path / name).glob("*.seg")) for name in ("a", "b"))
    assert [path.read_bytes() for path in here] == [path.read_bytes() for path in there]
    assert len(there) > 4
    assert {record.session for record in LogReader(tmp_path / "b").read_new()} == {0, 1, 2}


def test_what_comes_twice_is_dropped_and_what_leaves_a_gap_is_refused(tmp_path: Path) -> None:
    packed = origin(tmp_path / "a", 20)
    writer = copy(tmp_path / "b")
    assert writer.append(packed[:10]) == 10
    assert writer.append(packed[3:12]) == 12
    with pytest.raises(LogGap, match="record 13 came where 12 was due"):
        writer.append(packed[13:])
    assert writer.append(packed[5:]) == 20
    writer.close()
    assert log_bytes(tmp_path / "b") == log_bytes(tmp_path / "a")


def test_records_before_a_gap_are_kept_and_durable_with_the_next_append(tmp_path: Path) -> None:
    packed = origin(tmp_path / "a", 10)
    writer = copy(tmp_path / "b")
    with pytest.raises(LogGap):
        writer.append([*packed[:3], packed[5]])
    assert writer.durable_seq == 0
    assert writer.append([]) == 3


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), min_size=1, max_size=3))
def test_a_copy_cut_anywhere_is_completed_by_what_follows(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    packed = origin(folder / "a", 24)
    for cut in cuts:
        writer = copy(folder / "b")
        writer.append(packed[writer.durable_seq :][:11])
        writer.close()
        last = max((folder / "b").glob("*.seg"))
        os.truncate(last, max(0, last.stat().st_size - cut))
    writer = copy(folder / "b")
    assert writer.append(packed[writer.durable_seq :]) == 24
    writer.close()
    assert log_bytes(folder / "b") == log_bytes(folder / "a")


def test_acknowledged_means_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = origin(tmp_path / "a", 12)
    writer = copy(tmp_path / "b")
    unsynced: set[str] = set()
    real_write: Callable[[int, bytes], int] = os.write

    def write(file: int, data: bytes) -> int:
        unsynced.add(os.readlink(f"/proc/self/fd/{file}"))
        return real_write(file, data)

    def sync(file: int) -> None:
        unsynced.discard(os.readlink(f"/proc/self/fd/{file}"))

    monkeypatch.setattr("workers.transport.segment_writer.os.write", write)
    monkeypatch.setattr("workers.transport.segment_writer.os.fdatasync", sync)
    assert writer.append(packed) == 12  # three segments
    assert unsynced == set()
    writer.close()


def test_an_epoch_is_drawn_once_and_another_log_is_not_continued(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "a", FEATURES) as log:
        epoch = log.epoch
    with LogWriter(tmp_path / "a", FEATURES) as log:
        assert log.epoch == epoch == read_epoch(tmp_path / "a")
    with LogWriter(tmp_path / "other", FEATURES) as log:
        assert log.epoch != epoch
    copy(tmp_path / "b", epoch).close()
    with pytest.raises(LogMismatch, match="is the log with epoch"):
        copy(tmp_path / "b", epoch + 1)
    with copy_held(tmp_path / "b", epoch), pytest.raises(LogLocked):
        copy(tmp_path / "b", epoch)


def copy_held(directory: Path, epoch: int) -> LogWriter:
    """A writer that holds the directory's lock."""
    log = LogWriter(directory, FEATURES)
    assert log.epoch == epoch
    return log


@pytest.mark.parametrize("seq", [0, 1, 4, 5, 6, 17, 23, 24])
def test_a_reader_goes_to_any_record_of_a_log_and_counts_the_bytes_before_it(
    tmp_path: Path, seq: int
) -> None:
    packed = origin(tmp_path, 24)
    reader = PackedReader(tmp_path)
    assert reader.go_to(seq)
    assert reader.bytes_passed == sum(len(record.packed()) for record in packed[:seq])
    assert reader.read_new() == packed[seq:]
    assert reader.bytes_passed == len(log_bytes(tmp_path))


def test_a_reader_says_when_a_log_does_not_reach_so_far(tmp_path: Path) -> None:
    origin(tmp_path, 24)
    reader = PackedReader(tmp_path)
    assert not reader.go_to(25)
    assert reader.position == 24


def test_batches_keep_within_their_bytes_but_for_a_single_record(tmp_path: Path) -> None:
    packed = origin(tmp_path, 24)
    one = len(packed[0].payload)
    reader = PackedReader(tmp_path)
    assert [len(reader.read_new(limit_bytes=3 * one)) for _ in range(3)] == [3, 3, 3]
    assert len(reader.read_new(limit_bytes=1)) == 1
    reader.skip_new()
    assert reader.position == 24 and reader.read_new() == []
