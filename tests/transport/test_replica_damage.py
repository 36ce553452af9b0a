"""A failing disk at the learner: what is damaged is fetched again, and what may not be on it is not acknowledged."""

import errno
import os
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transport.linked import FEATURES, Linked, log_bytes, records
from workers.transport.log import LogDamaged, LogReader, LogWriter
from workers.transport.log_format import LogError, PackedRecord
from workers.transport.log_reader import PackedReader
from workers.transport.replica import ReplicaWriter

SEGMENT = 8400  # five records
COUNT = 24


def origin(directory: Path) -> list[PackedRecord]:
    made = records(FEATURES)
    with LogWriter(directory, FEATURES, segment_bytes=SEGMENT) as log:
        for _ in range(COUNT):
            log.append(next(made))
    return PackedReader(directory).read_new()


def copy(directory: Path, verified: dict[Path, int] | None = None) -> ReplicaWriter:
    return ReplicaWriter(directory, FEATURES, 5, segment_bytes=SEGMENT, verified=verified)


def full_copy(folder: Path) -> list[PackedRecord]:
    packed = origin(folder / "a")
    writer = copy(folder / "b")
    writer.append(packed)
    writer.close()
    return packed


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@settings(max_examples=40, deadline=None)
@given(segment=st.integers(0, 4), place=st.floats(0, 0.999))
def test_a_flipped_bit_anywhere_is_cut_out_kept_aside_and_fetched_again(
    tmp_path_factory: pytest.TempPathFactory, segment: int, place: float
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    packed = full_copy(folder)
    path = folder / "b" / f"{segment:08d}.seg"
    at = int(place * path.stat().st_size)
    ends = list(accumulate(len(record.packed()) for record in packed[5 * segment : 5 * segment + 5]))
    first_bad = 5 * segment + bisect_right(ends, at)
    flip(path, at)
    before = log_bytes(folder / "b")
    writer = copy(folder / "b")
    assert writer.durable_seq <= min(first_bad, COUNT)
    assert [record.seq for record in LogReader(folder / "b").read_new()] == list(range(writer.durable_seq))
    set_aside = sum(aside.stat().st_size for aside in (folder / "b").glob("*.damaged-*"))
    assert set_aside + len(log_bytes(folder / "b")) == len(before) or first_bad == COUNT - 1
    assert writer.append(packed[writer.durable_seq :]) == COUNT
    writer.close()
    assert log_bytes(folder / "b") == log_bytes(folder / "a")


def test_a_lost_segment_is_fetched_again_with_all_after_it(tmp_path: Path) -> None:
    packed = full_copy(tmp_path)
    (tmp_path / "b" / "00000002.seg").unlink()
    writer = copy(tmp_path / "b")
    assert writer.durable_seq == 10
    assert writer.append(packed[10:]) == COUNT
    writer.close()
    assert log_bytes(tmp_path / "b") == log_bytes(tmp_path / "a")


def test_a_second_damage_does_not_overwrite_what_the_first_set_aside(tmp_path: Path) -> None:
    packed = full_copy(tmp_path)
    for _ in range(2):
        flip(tmp_path / "b" / "00000001.seg", 100)
        writer = copy(tmp_path / "b")
        assert writer.durable_seq == 5
        writer.append(packed[5:])
        writer.close()
    assert len(list((tmp_path / "b").glob("00000001.seg.damaged-*"))) == 2


def test_full_segments_are_read_once_by_a_process(tmp_path: Path) -> None:
    full_copy(tmp_path)
    verified: dict[Path, int] = {}
    copy(tmp_path / "b", verified).close()
    assert [seq for _, seq in sorted(verified.items())] == [5, 10, 15, 20]
    flip(tmp_path / "b" / "00000001.seg", 100)
    copy(tmp_path / "b", verified).close()
    copy(tmp_path / "b").close()
    assert (tmp_path / "b" / "00000001.seg.damaged-1").exists()


@pytest.mark.parametrize("damage", [flip, os.truncate])
def test_a_reader_does_not_pass_over_damage_and_goes_on_when_it_was_fetched_again(
    tmp_path: Path, damage: Callable[[Path, int], None]
) -> None:
    packed = full_copy(tmp_path)
    damage(tmp_path / "b" / "00000001.seg", len(packed[5].packed()))
    reader = LogReader(tmp_path / "b")
    assert [record.seq for record in reader.read_new()] == list(range(6))
    for _ in range(2):
        with pytest.raises(LogDamaged, match="damaged in record 6"):
            reader.read_new()
    writer = copy(tmp_path / "b")
    writer.append(packed[6:])
    writer.close()
    assert [record.seq for record in reader.read_new()] == list(range(6, COUNT))


async def test_damage_at_the_learner_stops_no_actor(linked: Linked) -> None:
    robot = await linked.add_robot()
    robot.append(30)
    await linked.until_copied(robot)
    await linked.learner.stop()
    flip(linked.learner.log_of(robot) / "00000000.seg", 5000)
    await linked.learner.start()
    robot.append(5)
    await linked.until_copied(robot)


def test_a_new_segment_has_its_name_on_the_disk_before_anything_in_it_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = origin(tmp_path / "a")
    writer = copy(tmp_path / "b")
    named: set[str] = set()

    def sync_directory(directory: Path) -> None:
        named.update(path.name for path in directory.glob("*.seg"))

    monkeypatch.setattr("workers.transport.segment_writer.sync_directory", sync_directory)
    for record in packed:
        writer.append([record])
        assert {path.name for path in (tmp_path / "b").glob("*.seg")} <= named | {"00000000.seg"}
    writer.close()
    assert len(named) == 5


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("fails_at", [0, 1])  # the newest segment, or a full one
def test_after_a_failed_sync_nothing_is_durable_until_the_disk_was_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, fails_at: int
) -> None:
    packed = origin(tmp_path / "a")
    writer = copy(tmp_path / "b")
    assert writer.append(packed[:3]) == 3
    dropped: list[int] = []

    def broken(file: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr("workers.transport.segment_writer.os.fdatasync", broken)
        patch.setattr(
            "workers.transport.segment_writer.os.posix_fadvise", lambda file, *_: dropped.append(file)
        )
        with pytest.raises((OSError, LogError)):
            writer.append(packed[3 : 4 + 4 * fails_at])
    assert dropped and writer.durable_seq == 3
    for _ in range(2):
        with pytest.raises(LogError, match="could not be written"):
            writer.append(packed[3:])
    writer.close()
    writer = copy(tmp_path / "b")
    assert writer.append(packed[writer.durable_seq :]) == COUNT
    writer.close()
