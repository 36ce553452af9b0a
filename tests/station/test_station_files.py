"""Files a station leaves: a torn line costs itself only, a lock tells who is alive, a bad name is refused."""

import fcntl
import os
from pathlib import Path

import msgspec
import pytest

from tests.station.test_station import ENDED
from workers.config.ready import ready_config
from workers.model.events import Level, LogLine
from workers.model.places import EVENTS_NAME, StationLock, lock_path, read_lock, write_lock
from workers.runtime.episode_book import BOOK_NAME, EpisodeBook
from workers.station.journal import Journal
from workers.station.main import StationRefused, run_station

LOCK = StationLock(os.getpid(), 1, "/nowhere", "c.toml", "run")


def test_a_torn_line_of_the_journal_does_not_take_the_next_one_with_it(tmp_path: Path) -> None:
    path = tmp_path / EVENTS_NAME
    path.write_bytes(b'{"t": 1.0, "ev')
    for text in ("first", "second"):
        journal = Journal(tmp_path)
        journal.write(LogLine("w", Level.INFO, text))
        journal.close()
    lines = path.read_bytes().splitlines()
    assert [msgspec.json.decode(line)["event"]["text"] for line in lines[1:]] == ["first", "second"]


def test_a_torn_line_of_the_episode_book_does_not_take_the_next_one_with_it(tmp_path: Path) -> None:
    book = EpisodeBook(tmp_path)
    book.append(ENDED)
    (tmp_path / BOOK_NAME).write_bytes((tmp_path / BOOK_NAME).read_bytes() + b'{"type":"Epi')
    book.append(ENDED)
    assert book.read() == [ENDED, ENDED]


def test_a_lock_whose_pid_is_another_process_now_is_dead(tmp_path: Path) -> None:
    write_lock(tmp_path, LOCK)
    assert read_lock(tmp_path) is None
    with lock_path(tmp_path).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert read_lock(tmp_path) == LOCK
    assert read_lock(tmp_path) is None


@pytest.mark.parametrize(("key", "value"), [("name", "../x"), ("name", ""), ("seed", -1)])
async def test_a_name_or_seed_that_the_file_would_not_take_is_refused(
    key: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = ready_config()
    with pytest.raises(StationRefused, match=f"--{key}.*must be"):
        await run_station(config, **{key: value})
    assert not any(tmp_path.iterdir())
