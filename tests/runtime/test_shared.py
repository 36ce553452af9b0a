"""Shared memory hands over whole records only, whatever happens to the writer."""

import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

from workers.runtime.shared import Beat, Newest, SharedNewest

SPAWN = multiprocessing.get_context("spawn")
RECORD = np.dtype([("number", "<i8"), ("body", "<i8", (512,))])


def write_for_ever(block: SharedNewest) -> None:
    record = np.zeros((), RECORD)
    while True:
        record["number"] += 1
        record["body"] = record["number"]
        block.write(record)


def test_nothing_is_read_before_the_first_write() -> None:
    assert SharedNewest(SPAWN, RECORD).read() is None


def test_the_newest_record_comes_back_with_its_count() -> None:
    block = SharedNewest(SPAWN, np.uint8, (2, 3))
    for value in range(7):
        block.write(np.full((2, 3), value, np.uint8))
    read = block.read()
    assert read is not None
    assert read[0] == 7
    assert (read[1] == 6).all() and read[1].shape == (2, 3)


@pytest.mark.timeout(60)
def test_records_of_a_killed_writer_are_whole_and_go_on_after_its_successor() -> None:
    block = SharedNewest(SPAWN, RECORD)
    for _ in range(2):
        writer = SPAWN.Process(target=write_for_ever, args=(block,), daemon=True)
        writer.start()
        start = None
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            read = block.read()
            if read is None or not writer.is_alive():
                continue
            start = start or read[0]
            assert (read[1]["body"] == read[1]["number"]).all()
            if read[0] > start + 2000:
                break
        assert start is not None
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        read = block.read()
        assert read is not None and (read[1]["body"] == read[1]["number"]).all()


def test_shared_memory_leaves_no_name_behind() -> None:
    """multiprocessing names its memory after the process (`pym-<pid>-...`) and unlinks it at once."""
    block = SharedNewest(SPAWN, np.uint8, (1_000_000,))
    block.write(np.ones(1_000_000, np.uint8))
    names = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else []
    assert [name for name in names if name.startswith(f"pym-{os.getpid()}-")] == []


def test_a_beat_has_an_age_only_after_its_first_mark() -> None:
    beat = Beat(SPAWN)
    assert beat.age_s(5) is None
    beat.mark(1_000_000_000)
    assert beat.age_s(3_500_000_000) == 2.5


def test_a_reader_takes_each_record_once_and_keeps_the_newest() -> None:
    layout = np.dtype([("number", "<i8"), ("on", "?"), ("pose", "<f8", (2,))])
    block = SharedNewest(SPAWN, layout)
    reader = Newest(block)
    assert reader.look() is None
    record = np.zeros((), layout)
    record["number"], record["on"], record["pose"] = 7, True, (1.0, 2.0)
    block.write(record)
    seen = reader.look()
    assert seen is not None
    assert (seen["number"], seen["on"], seen["pose"]) == (7, True, (1.0, 2.0))
    assert type(seen["number"]) is int and type(seen["on"]) is bool
    assert reader.look() is seen  # nothing new: not read again
    record["number"] = 8
    block.write(record)
    again = reader.look()
    assert again is not None and again["number"] == 8 and seen["number"] == 7


def test_a_damaged_record_is_not_taken_and_the_one_before_it_stays() -> None:
    block = SharedNewest(SPAWN, np.dtype([("number", "<i8")]))
    reader = Newest(block)
    block.write(np.array((1,), [("number", "<i8")]))
    before = reader.look()
    block.write(np.array((2,), [("number", "<i8")]))
    block._memory[8 + 2 * block._slot_bytes + 16] ^= 0xFF  # the newest record's first byte
    assert block.read() is None
    assert reader.look() is before
