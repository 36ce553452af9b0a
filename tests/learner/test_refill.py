"""A learner's copy of an actor's log that lost records is waited for; its robot PC sends them again."""

import logging
import os
import threading
from pathlib import Path

import pytest

from tests.learner.runs import Arm, contents, tiny_config
from workers.config import Config
from workers.learner.session import LearnerSession
from workers.transport.log import LogDamaged
from workers.transport.log_format import segments
from workers.transport.record import Record

COPY = "left-0000000000000002"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return tiny_config(tmp_path)


def trained(config: Config) -> LearnerSession:
    """A session with a checkpoint, of records of this machine and of another one's."""
    for arm in (Arm(config, 1), Arm(config, 2, "left")):
        arm.record(30)
        arm.close()
    session = LearnerSession(config)
    session.update()
    session.save_checkpoint(wait=True)
    session.close()
    return session


def test_a_resume_waits_until_the_missing_records_are_there_and_is_exact(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    before = trained(config)
    segment = segments(config.run_dir / "actors" / COPY)[-1]
    whole = segment.read_bytes()
    os.truncate(segment, len(whole) // 2)
    breaths: list[None] = []
    refill = threading.Timer(2.5, lambda: segment.write_bytes(whole))
    refill.start()
    with caplog.at_level(logging.WARNING):
        again = LearnerSession(config, breathe=lambda: breaths.append(None))
    refill.join()
    assert contents(again) == contents(before)
    assert len(breaths) >= 3, "who watches sees life"
    assert [record for record in caplog.messages if COPY in record and "waiting" in record] == [
        f"records of {COPY} that were here are missing or damaged: waiting until its robot PC is linked and"
        " sends them again"
    ]
    again.close()


@pytest.mark.parametrize("source", ["", COPY], ids=["own log", "copy"])
def test_a_damaged_copy_has_nothing_new_until_it_is_whole_but_the_own_log_ends_the_learner(
    config: Config, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    trained(config)
    session = LearnerSession(config)
    reader = session._intake._readers[source]

    def damaged(limit: int | None = None) -> list[Record]:
        raise LogDamaged("flipped")

    with monkeypatch.context() as broken:
        broken.setattr(reader, "read_new", damaged)
        if source:
            assert session.take_in() == []
        else:
            with pytest.raises(LogDamaged):
                session.take_in()
    session.close()
