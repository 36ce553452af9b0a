"""Intake: all logs of a run as one stream, fair, in an order that is told again exactly."""

import os
from pathlib import Path

import pytest

from tests.learner.runs import Arm, tiny_config
from workers.config import Config
from workers.learner.checkpoint import LogPosition
from workers.learner.intake import Intake
from workers.learner.intake_order import IntakeMark, IntakeOrder
from workers.learner.session import LearnerSession
from workers.processors.build import feature_spec


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return tiny_config(tmp_path)


def taken(intake: Intake, limit: int) -> list[tuple[str, int]]:
    return [(source, len(records)) for source, records in intake.read_new(limit)]


def test_every_source_gets_the_same_share(config: Config) -> None:
    arms = [Arm(config, 1), Arm(config, 2, "left"), Arm(config, 3, "right")]
    for arm, count in zip(arms, (1000, 30, 12), strict=True):
        arm.record(count)
    intake = Intake(config.run_dir, feature_spec(config))
    left, right = "left-0000000000000002", "right-0000000000000003"
    assert taken(intake, 30) == [("", 10), (left, 10), (right, 10)]
    assert taken(intake, 30) == [("", 10), (left, 10), (right, 2)]
    assert taken(intake, 30) == [("", 10), (left, 10)]
    assert taken(intake, 30) == [("", 10)]
    assert {name: position.records for name, position in intake.positions().items()} == {
        "": 40, left: 30, right: 12,
    }  # fmt: skip


def test_an_actor_that_joins_later_is_found(config: Config) -> None:
    session = LearnerSession(config)
    assert session.take_in() == []
    local = Arm(config, 1)
    local.record(5)
    assert session.take_in() == [("", 5)]
    joined = Arm(config, 2, "left")
    joined.record(7)
    local.record(1)
    assert session.take_in() == [("", 1), ("left-0000000000000002", 7)]
    session.close()


def test_two_actors_with_the_same_numbers_are_not_mixed_up(config: Config) -> None:
    """Both count sessions, episodes and steps from zero: one of them discards an episode, the other keeps it."""
    arms = [Arm(config, 1), Arm(config, 1, "left")]
    session = LearnerSession(config)
    for _ in range(4):
        for arm in arms:
            arm._step()
            session.take_in()
    assert session.replay.demonstration_size == 6
    session.replay.discard_episode(0, 0, "left-0000000000000001")
    assert session.replay.demonstration_size == 3
    arms[0]._step()
    session.take_in()
    assert session.replay.demonstration_size == 4
    session.close()


def test_one_log_writes_one_line_a_checkpoint(config: Config) -> None:
    arm = Arm(config, 1)
    session = LearnerSession(config)
    for number in range(1, 4):
        for _ in range(20):
            arm.record(2)
            session.take_in()
            assert (config.run_dir / "intake").exists() == (number > 1)
        session.update()
        session.save_checkpoint(wait=True)
        assert len((config.run_dir / "intake").read_text().splitlines()) == number
    session.close()


def test_the_order_is_read_up_to_each_mark(tmp_path: Path) -> None:
    order = IntakeOrder(tmp_path / "intake")
    assert order.read(order.mark()) == []
    order.note("", 3)
    order.note("", 4)
    order.note("arm-01", 1)
    first = order.mark()
    order.note("arm-01", 2)
    second = order.mark()
    again = IntakeOrder(tmp_path / "intake")
    assert again.read(first) == [("", 7), ("arm-01", 1)]
    assert again.read(second) == [("", 7), ("arm-01", 1), ("arm-01", 2)]
    again.go_on_from(first)
    again.note("", 5)
    assert again.read(again.mark()) == [("", 7), ("arm-01", 1), ("", 5)]
    with pytest.raises(ValueError, match="shorter than it was, or another"):
        again.read(second)


def test_any_flipped_bit_of_the_order_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "intake"
    order = IntakeOrder(path)
    for source, count in (("", 7), ("arm-01", 12), ("", 256)):
        order.note(source, count)
    mark = order.mark()
    good = path.read_bytes()
    assert len(good) == mark.size
    for bit in range(8 * len(good)):
        data = bytearray(good)
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        with pytest.raises(ValueError, match="intake"):
            order.read(mark)


def test_a_disk_that_fills_up_tears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = IntakeOrder(tmp_path / "intake")
    order.note("", 1)
    first = order.mark()
    order.note("arm-01", 2)
    plain = os.pwrite

    def half(descriptor: int, data: bytes, offset: int) -> int:
        if offset > first.size:
            raise OSError(28, "No space left on device")
        return plain(descriptor, data[: len(data) // 2], offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", half)
        with pytest.raises(OSError, match="No space"):
            order.mark()
    assert order.read(first) == [("", 1)]
    order.note("", 3)
    assert order.read(order.mark()) == [("", 1), ("arm-01", 2), ("", 3)]


def test_a_long_order_is_not_held_in_memory(tmp_path: Path) -> None:
    order = IntakeOrder(tmp_path / "intake")
    for number in range(10_000):
        order.note(f"arm-{number % 2}", 1)
    assert len(order._runs) < 5000
    assert sum(count for _, count in order.read(order.mark())) == 10_000


def test_without_its_order_records_come_in_turns(config: Config) -> None:
    arms = [Arm(config, 1), Arm(config, 2, "left")]
    for arm in arms:
        arm.record(300)
    intake = Intake(config.run_dir, feature_spec(config))
    positions = {"": LogPosition(300), "left-0000000000000002": LogPosition(260)}
    sources = [source for source, _ in intake.restore(positions, IntakeMark(9, 9))]
    assert sources == [""] * 256 + ["left-0000000000000002"] * 256 + [""] * 44 + ["left-0000000000000002"] * 4
