"""The log is the truth: nothing torn is read, nothing written is lost, one writer."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.transport.log import (
    LogDamaged,
    LogFull,
    LogLocked,
    LogMismatch,
    LogReader,
    LogUnsaved,
    LogWriter,
)
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Step

SPEC = FeatureSpec(state_dim=3, cameras=("front", "side"), height=4, width=4)


def make_step(number: int, episode: int = 0, **changes: object) -> Step:
    fields: dict[str, object] = {
        "episode": episode,
        "step": number,
        "state": np.full(3, number, np.float32),
        "images": np.full(SPEC.image_shape, number % 256, np.uint8),
        "action": np.array([0.5, -0.5, 0.25, 2], np.float32),
        "reward": 0.0,
        "terminated": False,
        "truncated": False,
    }
    return Step(**(fields | changes))  # type: ignore[arg-type]


def write(directory: Path, count: int, **options: int) -> None:
    with LogWriter(directory, SPEC, **options) as writer:
        for number in range(count):
            writer.append(make_step(number))


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    step = make_step(
        7, episode=3, reward=1.0, terminated=True, is_intervention=True, discrete_penalty=-0.5,
        policy_version=12, captured_ns=34, executed_ns=56,
    )  # fmt: skip
    end = EpisodeEnd(episode=3, outcome=Outcome.SUCCESS, state=step.state + 1, images=step.images + 1)
    bare = EpisodeEnd(episode=4, outcome=Outcome.STOPPED, discard=True)
    with LogWriter(tmp_path, SPEC) as writer:
        assert [writer.append(record) for record in (step, end, bare)] == [0, 1, 2]
    read_step, read_end, read_bare = LogReader(tmp_path).read_new()
    assert isinstance(read_step, Step)
    assert isinstance(read_end, EpisodeEnd)
    assert isinstance(read_bare, EpisodeEnd)
    for name in ("state", "images", "action"):
        np.testing.assert_array_equal(getattr(read_step, name), getattr(step, name))
    plain = set(Step.__dataclass_fields__) - {"state", "images", "action", "seq", "session"}
    assert {name: getattr(read_step, name) for name in plain} == {name: getattr(step, name) for name in plain}
    assert (read_end.outcome, read_end.discard, read_end.seq) == (Outcome.SUCCESS, False, 1)
    np.testing.assert_array_equal(read_end.images, end.images)
    assert (read_bare.outcome, read_bare.discard, read_bare.state) == (Outcome.STOPPED, True, None)


@settings(max_examples=60, deadline=None)
@given(lost=st.integers(1, 400))
def test_a_torn_tail_is_cut_and_the_rest_is_kept(tmp_path_factory: pytest.TempPathFactory, lost: int) -> None:
    directory = tmp_path_factory.mktemp("log")
    write(directory, 5)
    segment = directory / "00000000.seg"
    record_bytes = segment.stat().st_size // 5
    os.truncate(segment, segment.stat().st_size - lost)
    whole = (5 * record_bytes - lost) // record_bytes
    assert len(LogReader(directory).read_new()) == whole
    with LogWriter(directory, SPEC) as writer:
        assert writer.next_seq == whole
        assert writer.cut_bytes == (record_bytes - lost % record_bytes) % record_bytes
        writer.append(make_step(99))
    assert [record.seq for record in LogReader(directory).read_new()] == list(range(whole + 1))


@settings(max_examples=80, deadline=None)
@given(place=st.floats(0, 0.999), bit=st.integers(0, 7))
def test_a_flipped_bit_never_yields_a_wrong_record(
    tmp_path_factory: pytest.TempPathFactory, place: float, bit: int
) -> None:
    directory = tmp_path_factory.mktemp("log")
    write(directory, 3)
    segment = directory / "00000000.seg"
    data = bytearray(segment.read_bytes())
    at = int(place * len(data))
    data[at] ^= 1 << bit
    segment.write_bytes(data)
    records = LogReader(directory).read_new()
    assert len(records) == at // (len(data) // 3)
    assert [record.step for record in records if isinstance(record, Step)] == list(range(len(records)))


def test_damage_before_whole_records_is_reported_not_cut(tmp_path: Path) -> None:
    write(tmp_path, 3)
    segment = tmp_path / "00000000.seg"
    data = bytearray(segment.read_bytes())
    data[60] ^= 1
    segment.write_bytes(data)
    with pytest.raises(LogDamaged, match="disk may be failing"):
        LogWriter(tmp_path, SPEC)
    assert segment.read_bytes() == data


def test_a_reader_follows_a_writer_across_segments_and_restarts(tmp_path: Path) -> None:
    reader = LogReader(tmp_path, SPEC)
    assert reader.read_new() == []
    seen = []
    for session in range(3):
        with LogWriter(tmp_path, SPEC, segment_bytes=500) as writer:
            assert (writer.session, writer.last_episode) == (session, session - 1)
            for number in range(10):
                writer.append(make_step(number, episode=session))
                seen += reader.read_new()
    assert [record.seq for record in seen] == list(range(30))
    assert [record.session for record in seen] == [0] * 10 + [1] * 10 + [2] * 10
    assert len(list(tmp_path.glob("*.seg"))) > 3
    assert reader.position == 30


def test_a_reader_waits_at_a_half_written_record(tmp_path: Path) -> None:
    write(tmp_path, 2)
    segment = tmp_path / "00000000.seg"
    data = segment.read_bytes()
    reader = LogReader(tmp_path)
    segment.write_bytes(data[: len(data) * 3 // 4])
    assert len(reader.read_new()) == 1
    assert reader.read_new() == []
    segment.write_bytes(data)
    assert [record.seq for record in reader.read_new()] == [1]


def test_reading_in_portions_gives_the_same_records(tmp_path: Path) -> None:
    write(tmp_path, 20, segment_bytes=500)
    reader = LogReader(tmp_path)
    portions = [reader.read_new(limit=3) for _ in range(8)]
    assert [len(portion) for portion in portions] == [3] * 6 + [2, 0]
    assert [record.seq for portion in portions for record in portion] == list(range(20))


def test_a_second_writer_is_told_who_has_the_log(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SPEC), pytest.raises(LogLocked, match="Another process is recording"):
        LogWriter(tmp_path, SPEC)
    LogWriter(tmp_path, SPEC).close()


@pytest.mark.parametrize("gripper", [True, False])
@pytest.mark.parametrize("motion_dim", [1, 3, 7])
@pytest.mark.parametrize("cameras", [(), ("front", "side")])
def test_actions_of_any_size_come_back_with_or_without_pictures(
    tmp_path: Path, motion_dim: int, gripper: bool, cameras: tuple[str, ...]
) -> None:
    side = 4 if cameras else 0
    spec = FeatureSpec(
        state_dim=3, cameras=cameras, height=side, width=side, motion_dim=motion_dim, gripper=gripper
    )
    action = np.arange(spec.action_dim, dtype=np.float32)
    images = np.full(spec.image_shape, 7, np.uint8)
    with LogWriter(tmp_path, spec) as writer:
        writer.append(make_step(0, action=action, images=images))
        writer.append(
            EpisodeEnd(episode=0, outcome=Outcome.SUCCESS, state=np.ones(3, np.float32), images=images)
        )
    step, end = LogReader(tmp_path, spec).read_new()
    np.testing.assert_array_equal(step.action, action)
    np.testing.assert_array_equal(step.images, images)
    np.testing.assert_array_equal(end.images, images)


def test_a_log_from_before_there_were_other_actions_is_an_arms(tmp_path: Path) -> None:
    write(tmp_path, 2)
    features = '{"state_dim":3,"cameras":["front","side"],"height":4,"width":4}'
    (tmp_path / "spec.json").write_text(f'{{"format":1,"features":{features}}}')
    assert LogReader(tmp_path, SPEC).spec == SPEC
    with LogWriter(tmp_path, SPEC) as writer:
        assert writer.append(make_step(2)) == 2
    assert [record.action.tolist() for record in LogReader(tmp_path).read_new()] == [[0.5, -0.5, 0.25, 2]] * 3


def test_other_actions_are_refused_with_the_difference(tmp_path: Path) -> None:
    write(tmp_path, 1)
    other = FeatureSpec(state_dim=3, cameras=SPEC.cameras, height=4, width=4, motion_dim=6, gripper=False)
    with pytest.raises(LogMismatch, match="motion_dim: 6 here, 3 there; gripper: False here, True there"):
        LogReader(tmp_path, other)


def test_other_observations_are_refused_with_the_difference(tmp_path: Path) -> None:
    write(tmp_path, 1)
    other = FeatureSpec(state_dim=18, cameras=("front",), height=4, width=4)
    with pytest.raises(LogMismatch, match=r"state_dim: 18 here, 3 there; cameras: \('front',\) here"):
        LogWriter(tmp_path, other)
    with pytest.raises(LogMismatch, match="state_dim"):
        LogReader(tmp_path, other)


def test_a_record_of_another_shape_is_refused_and_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    with LogWriter(tmp_path, SPEC) as writer:
        with pytest.raises(ValueError, match="observation has state"):
            writer.append(make_step(0, state=np.zeros(5, np.float32)))
        with pytest.raises(ValueError, match=r"action has shape \(3,\), this log takes \(4,\)"):
            writer.append(make_step(0, action=np.zeros(3, np.float32)))
        assert writer.append(make_step(0)) == 0


def test_a_full_disk_is_told_and_leaves_nothing_torn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LogWriter(tmp_path, SPEC) as writer:
        writer.append(make_step(0))
        size = (tmp_path / "00000000.seg").stat().st_size
        real_write = os.write

        def full_after_half(file: int, data: bytes) -> int:
            if len(data) < size:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real_write(file, data[: len(data) // 2])

        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full_after_half)
            with pytest.raises(LogFull, match=r"full.*Free some space"):
                writer.append(make_step(1))
        assert (tmp_path / "00000000.seg").stat().st_size == size
        assert writer.append(make_step(1)) == 1
    assert len(LogReader(tmp_path).read_new()) == 2


def fails(descriptor: int) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def heard(writer: LogWriter) -> None:
    """The threads that sync are done."""
    writer._later.wait()


def test_a_disk_that_did_not_save_is_told_to_the_next_append_and_goes_on_after_an_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LogWriter(tmp_path, SPEC)
    writer.append(make_step(0))
    with monkeypatch.context() as failing:
        failing.setattr(os, "fdatasync", fails)
        writer.sync_soon()
        heard(writer)
    for _ in range(2):
        with pytest.raises(LogUnsaved, match=r"Input/output error.*dmesg.*goes on"):
            writer.append(make_step(1))
    writer.close()
    with LogWriter(tmp_path, SPEC) as again:
        again.append(make_step(again.next_seq))
    assert [record.seq for record in LogReader(tmp_path).read_new()] == [0, 1]


def test_a_disk_that_did_not_save_the_last_records_is_told_when_the_log_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LogWriter(tmp_path, SPEC)
    writer.append(make_step(0))
    sync, begins = os.fdatasync, [fails]
    monkeypatch.setattr(os, "fdatasync", lambda file: begins.pop()(file) if begins else sync(file))
    writer.sync_soon()
    with pytest.raises(LogUnsaved):
        writer.close()
    LogWriter(tmp_path, SPEC).close()  # the lock is free


def test_a_full_segment_that_was_not_saved_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = LogWriter(tmp_path, SPEC, segment_bytes=500)
    writer.append(make_step(0))
    with monkeypatch.context() as failing:
        failing.setattr(os, "fdatasync", fails)
        for number in (1, 2, 3):
            writer.append(make_step(number))
            if len(list(tmp_path.glob("*.seg"))) > 1:
                break
        heard(writer)
    with pytest.raises(LogUnsaved):
        writer.append(make_step(9))
    writer.close()
