"""Replay against a plain list: same transitions, right successors, each frame once."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.config import PolicyConfig
from workers.learner.augment import shift_into
from workers.learner.memory import ReplayTooLarge, check_fits, frame_bytes, replay_bytes
from workers.learner.replay import Replay
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Record, Step

FEATURES = FeatureSpec(state_dim=2, cameras=("front", "side"), height=6, width=5)


def make_step(episode: int, step: int, mark: int, session: int = 0, **flags: bool) -> Step:
    """A step whose observation, pictures and reward all say `mark`."""
    return Step(
        episode=episode,
        step=step,
        state=np.full(2, mark, np.float32),
        images=np.full(FEATURES.image_shape, mark % 251, np.uint8),
        action=np.array([0, 0, 0, 1], np.float32),
        reward=float(mark),
        terminated=flags.pop("terminated", False),
        truncated=False,
        session=session,
        **flags,
    )


def make_end(episode: int, mark: int, session: int = 0, discard: bool = False) -> EpisodeEnd:
    return EpisodeEnd(
        episode=episode,
        outcome=Outcome.TIME_LIMIT,
        state=np.full(2, mark, np.float32),
        images=np.full(FEATURES.image_shape, mark % 251, np.uint8),
        session=session,
        discard=discard,
    )


def pairs(replay: Replay, online_ratio: float, draws: int = 400) -> set[tuple[int, int]]:
    """(mark, mark of the successor) of everything drawn."""
    batch = replay.sample(draws, online_ratio, np.random.default_rng(0))
    marks = batch.observation.state[:, 0].int().tolist()
    successors = batch.next_observation.state[:, 0].int().tolist()
    for half, numbers in ((batch.observation, marks), (batch.next_observation, successors)):
        expected = np.array(numbers)[:, None] % 251
        assert (half.images.numpy().reshape(draws, -1) == expected).all()
    assert batch.reward.int().tolist() == marks
    return set(zip(marks, successors, strict=True))


@dataclass
class ListReplay:
    """The specification: completed transitions in a list; nothing is ever evicted."""

    records: list[Record]

    def transitions(self) -> list[tuple[Step, int]]:
        done: list[tuple[Step, int]] = []
        for record, following in zip(self.records[:-1], self.records[1:], strict=True):
            if not isinstance(record, Step) or (record.session, record.episode) != (
                following.session,
                following.episode,
            ):
                continue
            follows = isinstance(following, EpisodeEnd) or following.step == record.step + 1
            if follows and following.state is not None:
                done.append((record, int(following.state[0])))
        gone = {(r.session, r.episode) for r in self.records if isinstance(r, EpisodeEnd) and r.discard}
        return [(step, after) for step, after in done if (step.session, step.episode) not in gone]

    def online(self) -> list[tuple[int, int]]:
        return [(int(s.reward), after) for s, after in self.transitions() if not s.is_demonstration]

    def offline(self) -> list[tuple[int, int]]:
        wanted = [(s, after) for s, after in self.transitions() if s.is_demonstration or s.is_intervention]
        return [(int(step.reward), after) for step, after in wanted]


@st.composite
def logs(draw: st.DrawFn) -> list[Record]:
    """Episodes that end, are discarded, or break off in a crash (new session); with interventions."""
    records: list[Record] = []
    mark, session = 0, 0
    for episode in range(draw(st.integers(1, 7))):
        demonstration = draw(st.booleans())
        length = draw(st.integers(1, 6))
        for step in range(length):
            flags = {"is_demonstration": demonstration}
            flags["is_intervention"] = not demonstration and draw(st.booleans())
            last = step == length - 1
            flags["terminated"] = last and draw(st.booleans())
            records.append(make_step(episode, step, mark, session, **flags))
            mark += 1
        ending = draw(st.sampled_from(["closed", "closed", "discarded", "crashed", "blind"]))
        if ending == "crashed":
            session += 1
        else:
            end = make_end(episode, mark, session, discard=ending == "discarded")
            records.append(replace(end, state=None, images=None) if ending == "blind" else end)
            mark += 1
    return records


@settings(max_examples=150, deadline=None)
@given(records=logs())
def test_replay_holds_exactly_the_transitions_of_the_log(records: list[Record]) -> None:
    replay, plain = Replay(FEATURES, 100, 100), ListReplay(records)
    for record in records:
        replay.add(record)
    assert (replay.online_size, replay.offline_size) == (len(plain.online()), len(plain.offline()))
    if plain.online():
        assert pairs(replay, 1.0) == set(plain.online())
    if plain.offline():
        assert pairs(replay, 0.0) == set(plain.offline())


@settings(max_examples=40, deadline=None)
@given(records=logs(), capacity=st.integers(1, 6), offline_capacity=st.integers(1, 6))
def test_a_small_replay_keeps_the_newest_and_never_a_wrong_pair(
    records: list[Record], capacity: int, offline_capacity: int
) -> None:
    replay, fed = Replay(FEATURES, capacity, offline_capacity), []
    for record in records:
        replay.add(record)
        fed.append(record)
        plain = ListReplay(fed)
        assert replay.online_size <= capacity
        assert replay.offline_size <= offline_capacity
        if replay.online_size and not any(isinstance(r, EpisodeEnd) and r.discard for r in fed):
            assert pairs(replay, 1.0, draws=120) == set(plain.online()[-replay.online_size :])
        if replay.offline_size:
            assert pairs(replay, 0.0, draws=60) <= set(plain.offline())


def offset(record: Record, by: int) -> Record:
    """The same record as another arm would have made it: same numbers, other marks."""
    if isinstance(record, EpisodeEnd) and record.state is None:
        return record
    assert record.state is not None and record.images is not None
    mark = int(record.state[0]) + by
    changed = replace(record, state=record.state + by, images=np.full_like(record.images, mark % 251))
    return replace(changed, reward=changed.reward + by) if isinstance(changed, Step) else changed


@settings(max_examples=100, deadline=None)
@given(first=logs(), second=logs(), data=st.data())
def test_two_sources_are_the_sum_of_each_alone(
    first: list[Record], second: list[Record], data: st.DataObject
) -> None:
    second = [offset(record, 1000) for record in second]
    turns = data.draw(st.permutations(["a"] * len(first) + ["b"] * len(second)))
    replay, streams = Replay(FEATURES, 100, 100), {"a": iter(first), "b": iter(second)}
    for source in turns:
        replay.add(next(streams[source]), source)
    alone = [ListReplay(first), ListReplay(second)]
    for share, expected in (
        (1.0, [pair for one in alone for pair in one.online()]),
        (0.0, [pair for one in alone for pair in one.offline()]),
    ):
        assert (replay.online_size if share else replay.offline_size) == len(expected)
        if expected:
            assert pairs(replay, share) == set(expected)


def test_more_sources_than_frames_lose_steps_in_waiting_and_nothing_hangs() -> None:
    replay = Replay(FEATURES, 2, 1)
    for number in range(3):
        for source in "abcdefgh":
            replay.add(make_step(0, number, 10 * number), source)
    assert replay.online_size <= 2
    for number in range(3, 6):
        replay.add(make_step(0, number, number), "a")
    assert pairs(replay, 1.0) <= {(3, 4), (4, 5)}


def test_every_frame_is_given_back() -> None:
    replay = Replay(FEATURES, 8, 4)
    for episode in range(200):
        for step in range(5):
            held = episode % 7 == 3
            replay.add(make_step(episode, step, step, is_intervention=held and step % 2 == 0))
        if episode % 3:
            replay.add(make_end(episode, 5, discard=episode % 5 == 0))
    for episode in range(200):
        replay.discard_episode(0, episode)
    assert (replay.online_size, replay.offline_size) == (0, 0)
    assert replay._store.free == 8 + 4 + 2


def test_demonstrations_stay_while_online_moves_on() -> None:
    replay = Replay(FEATURES, 10, 5)
    for step in range(3):
        replay.add(make_step(0, step, step, is_demonstration=True))
    replay.add(make_end(0, 3))
    for step in range(100):
        replay.add(make_step(1, step, 100 + step))
    assert pairs(replay, 0.0) == {(0, 1), (1, 2), (2, 3)}
    assert pairs(replay, 1.0) == {(mark, mark + 1) for mark in range(189, 199)}


def test_terminated_is_told_and_time_limit_is_not() -> None:
    replay = Replay(FEATURES, 10, 5)
    replay.add(make_step(0, 0, 1, terminated=True))
    replay.add(make_end(0, 2))
    replay.add(replace(make_step(1, 0, 3), truncated=True))
    replay.add(make_end(1, 4))
    batch = replay.sample(64, 1.0, np.random.default_rng(0))
    terminated = set(zip(batch.reward.int().tolist(), batch.terminated.int().tolist(), strict=True))
    assert terminated == {(1, 1), (3, 0)}
    assert pairs(replay, 1.0) == {(1, 2), (3, 4)}


def test_a_batch_is_mixed_as_asked_and_marks_its_offline_rows() -> None:
    replay = Replay(FEATURES, 10, 10)
    for episode, demonstration in enumerate((True, False)):
        for step in range(4):
            replay.add(make_step(episode, step, 10 * episode + step, is_demonstration=demonstration))
    batch = replay.sample(16, 0.25, np.random.default_rng(0))
    assert batch.offline.tolist() == [0.0] * 4 + [1.0] * 12
    assert (batch.reward[:4] >= 10).all()
    assert (batch.reward[4:] < 10).all()


def test_one_empty_view_leaves_the_whole_batch_to_the_other() -> None:
    replay = Replay(FEATURES, 10, 10)
    with pytest.raises(ValueError, match="replay is empty"):
        replay.sample(4, 0.5, np.random.default_rng(0))
    replay.add(make_step(0, 0, 0))
    replay.add(make_step(0, 1, 1))
    assert replay.sample(4, 0.5, np.random.default_rng(0)).offline.sum() == 0


def test_a_step_with_nan_breaks_the_chain_and_is_counted() -> None:
    replay = Replay(FEATURES, 10, 10)
    for step in range(5):
        record = make_step(0, step, step)
        replay.add(replace(record, reward=float("nan")) if step == 2 else record)
    assert replay.rejected == 1
    assert pairs(replay, 1.0) == {(0, 1), (3, 4)}


def test_records_of_another_shape_are_refused() -> None:
    other = FeatureSpec(state_dim=3, cameras=("front", "side"), height=6, width=5)
    with pytest.raises(ValueError, match="record has state"):
        Replay(other, 10, 10).add(make_step(0, 0, 0))


@given(down=st.integers(-4, 4), right=st.integers(-4, 4))
def test_a_shift_equals_padding_by_replication_and_cropping(down: int, right: int) -> None:
    source = np.random.default_rng(0).integers(0, 255, (2, 9, 7, 3), dtype=np.uint8)
    padded = np.pad(source, ((0, 0), (4, 4), (4, 4), (0, 0)), mode="edge")
    out = np.empty_like(source)
    shift_into(out, source, down, right)
    np.testing.assert_array_equal(out, padded[:, 4 + down : 13 + down, 4 + right : 11 + right])


def test_a_replay_that_cannot_fit_is_refused_with_one_that_would() -> None:
    wanted = PolicyConfig(online_buffer_capacity=1000, offline_buffer_capacity=500)
    room = replay_bytes(FEATURES, wanted) // 3
    with pytest.raises(ReplayTooLarge, match="online_buffer_capacity to at most 33"):
        check_fits(FEATURES, wanted, room)
    check_fits(FEATURES, PolicyConfig(online_buffer_capacity=330, offline_buffer_capacity=165), room)


def test_two_128_pixel_cameras_stay_under_110_kb_a_transition() -> None:
    features = FeatureSpec(state_dim=18, cameras=("front", "side"), height=128, width=128)
    assert frame_bytes(features) < 98_600
