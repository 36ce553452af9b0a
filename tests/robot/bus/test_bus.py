"""Exchanges on a bus in memory: which replies count, and which never do."""

from functools import partial

import pytest

from tests.robot.bus.fake_port import FakePort, FakeServos, status
from workers.robot.bus import Bus, BusCorrupt, BusTimeout

IDS = (1, 2, 3, 4, 5, 6)


def moment(data: bytes) -> int:
    return int.from_bytes(data[:2], "little")


def test_every_servo_answers_a_sync_read() -> None:
    servos = FakeServos()
    bus = Bus(FakePort(servos))
    replies = bus.sync_read(IDS, 56, 15)
    assert set(replies) == set(IDS)
    assert all(len(reply.data) == 15 and moment(reply.data) == servos.moment for reply in replies.values())


def test_the_length_asked_for_changes_from_request_to_request() -> None:
    port = FakePort(FakeServos())
    bus = Bus(port)
    for _ in range(200):
        begun_s = port.time_s
        bus.sync_read(IDS, 56, 15)
        port.time_s = begun_s + 0.02
    asked = [sent[6] for sent in port.sent]
    assert sorted(set(asked)) == list(range(15, 25))
    assert all(asked[at] not in asked[at + 1 : at + 6] for at in range(len(asked)))


@pytest.mark.parametrize("cycles", range(6))
@pytest.mark.parametrize("part_ms", [0.1, 0.5, 0.9, 1.1])
@pytest.mark.parametrize("copied", [1, 6])
def test_a_late_copy_of_a_reply_that_was_taken_is_never_taken_for_a_new_one(
    copied: int, part_ms: float, cycles: int
) -> None:
    """An adapter sends a reply twice, the second one into another exchange, before or amid its replies."""
    servos = FakeServos()
    servos.delay_s = lambda servo_id: 0.001
    port = FakePort(lambda request: twice(servos(request)))

    def twice(replies: list[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
        copies = [(0.02 * cycles + part_ms / 1e3, data) for _, data in replies if data[2] == copied]
        return replies + copies

    bus, taken = Bus(port, 0.008, 0.006), 0
    for _ in range(300):
        begun_s = port.time_s
        for reply in bus.sync_read(IDS, 56, 15).values():
            assert moment(reply.data) == servos.moment
            taken += 1
        port.time_s = max(port.time_s, begun_s + 0.02)
    assert taken == 300 * 6


def test_a_copy_with_another_content_beside_a_reply_makes_both_doubtful() -> None:
    """Of one length by chance, after a second exchange of that length."""

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        older, newer = (status(1, bytes((each,)) * request[6]) for each in (7, 8))
        return [(0.001, older), (0.0011, newer), (0.0012, status(2, bytes(request[6])))]

    bus = Bus(FakePort(answer))
    assert set(bus.sync_read((1, 2), 56, 15)) == {2}
    assert bus.counters.doubted == 1 and bus.restless


def test_a_reply_that_is_heard_before_its_turn_gives_way_to_the_one_in_its_turn() -> None:
    def answer(request: bytes) -> list[tuple[float, bytes]]:
        replies = [(0.001 * each, status(each, bytes((each,)) * request[6])) for each in (1, 2, 3)]
        return [(0.0005, status(3, bytes(request[6]))), *replies]

    replies = Bus(FakePort(answer)).sync_read((1, 2, 3), 56, 15)
    assert {each: reply.data[0] for each, reply in replies.items()} == {1: 1, 2: 2, 3: 3}


@pytest.mark.parametrize("late_ms", [1, 5, 19, 21, 30, 40, 60, 80, 120, 200, 300, 500])
@pytest.mark.parametrize("late_id", IDS)
@pytest.mark.parametrize(("reply_s", "quiet_s"), [(0.02, 0.02), (0.008, 0.006), (0.008, 0.0)])
def test_a_late_reply_is_never_taken_for_a_new_one(
    late_id: int, late_ms: int, reply_s: float, quiet_s: float
) -> None:
    servos = FakeServos()
    port = FakePort(servos)
    bus = Bus(port, reply_s, quiet_s)
    wrong = 0
    for cycle in range(60):
        begun_s = port.time_s
        is_late = cycle % 5 == 1
        servos.delay_s = partial(_delay_s, late_ms / 1e3 if is_late else 0.001, late_id)
        for reply in bus.sync_read(IDS, 56, 15).values():
            wrong += moment(reply.data) != servos.moment
        port.time_s = max(port.time_s, begun_s + 0.02)
    assert wrong == 0
    if late_ms > 21:
        assert bus.counters.missed > 0
        assert bus.counters.late > 0


@pytest.mark.parametrize("late_ms", [25, 65, 130, 300, 500, 900])
@pytest.mark.parametrize(("reply_s", "quiet_s"), [(0.02, 0.02), (0.008, 0.006), (0.008, 0.0)])
def test_a_reply_that_is_always_late_is_never_taken_for_a_new_one(
    late_ms: int, reply_s: float, quiet_s: float
) -> None:
    servos = FakeServos()
    servos.delay_s = lambda servo_id: late_ms / 1e3 if servo_id == 3 else 0.001
    port = FakePort(servos)
    bus = Bus(port, reply_s, quiet_s)
    for _ in range(500):
        replies = bus.sync_read(IDS, 56, 15)
        assert 3 not in replies
        assert all(moment(reply.data) == servos.moment for reply in replies.values())


def test_a_reply_that_came_while_nobody_looked_still_counts() -> None:
    """As after another thread held the interpreter: the deadline is over, but the bytes are there."""

    class Sleepy(FakePort):
        def read(self, timeout_s: float) -> bytes:
            if timeout_s > 0.0:
                self.time_s += 0.3
                return b""
            return super().read(timeout_s)

    bus = Bus(Sleepy(FakeServos()))
    assert set(bus.sync_read(IDS, 56, 15)) == set(IDS)


def test_a_servo_that_is_silent_for_long_costs_the_others_nothing_and_is_taken_back() -> None:
    """It would use up the lengths that tell replies apart, and with them the others' replies."""
    servos = FakeServos()
    three = servos.memory.pop(3)
    port = FakePort(servos)
    bus = Bus(port, 0.008)
    for cycle in range(500):
        begun_s = port.time_s
        assert set(bus.sync_read(IDS, 56, 15)) == {1, 2, 4, 5, 6}
        bus.sync_write(42, dict.fromkeys(IDS, bytes(2)))
        with pytest.raises(BusTimeout):
            bus.read(3, 40, 10)
        assert cycle == 0 or port.time_s - begun_s < 0.055
        port.time_s = max(port.time_s, begun_s + 0.02)
    assert bus.counters.missed_by == {3: 1000}
    servos.memory[3] = three
    back = 0
    for _ in range(100):
        begun_s = port.time_s
        replies = bus.sync_read(IDS, 56, 15)
        assert all(moment(reply.data) == servos.moment for reply in replies.values())
        back += 3 in replies
        port.time_s = max(port.time_s, begun_s + 0.02)
    assert back > 45


def test_goals_are_not_held_up_by_a_servo_that_was_silent() -> None:
    port = FakePort(FakeServos((1, 2, 4, 5, 6)))
    bus = Bus(port, 0.008)
    for _ in range(5):
        begun_s = port.time_s
        bus.sync_read(IDS, 56, 15)
        before_s = port.time_s
        bus.sync_write(42, dict.fromkeys(IDS, bytes(2)))
        assert port.time_s == before_s
        assert port.time_s - begun_s < 0.02
        port.time_s = begun_s + 0.02


def test_the_missing_servo_is_missing_and_the_others_are_there() -> None:
    bus = Bus(FakePort(FakeServos((1, 2, 4, 5, 6))))
    assert set(bus.sync_read(IDS, 56, 15)) == {1, 2, 4, 5, 6}
    assert bus.counters.missed_by == {3: 1}


def test_silence_and_unreadable_replies_are_told_apart() -> None:
    servos = FakeServos()
    servos.mangle = lambda servo_id, reply: reply[:-1] + bytes((reply[-1] ^ 1,))
    with pytest.raises(BusCorrupt, match="servo 1"):
        Bus(FakePort(servos)).read(1, 56, 2)
    with pytest.raises(BusTimeout, match="servo 9"):
        Bus(FakePort(FakeServos())).read(9, 56, 2)


@pytest.mark.parametrize("noise", [b"\x55", b"\x00\xff\x12", bytes(9)])
def test_a_noisy_line_is_not_taken_for_silent_servos(noise: bytes) -> None:
    """A reply that something follows may be a torn one, and does not count; that is no silence."""
    servos = FakeServos((1, 2, 4, 5, 6))
    servos.mangle = lambda servo_id, reply: reply + noise
    bus = Bus(FakePort(servos))
    assert bus.sync_read((1, 2), 56, 15) == {} and bus.garbled == {1, 2}
    with pytest.raises(BusCorrupt, match=r"servo 1 .* noise on the line"):
        bus.read(1, 56, 15)
    servos.mangle = lambda servo_id, reply: reply
    assert set(bus.sync_read(IDS, 56, 15)) == {1, 2, 4, 5, 6}
    assert bus.garbled == set(), "3 is silent"


def test_a_late_reply_is_no_noise() -> None:
    servos = FakeServos()
    servos.delay_s = lambda servo_id: 0.030 if servo_id == 3 else 0.001
    bus = Bus(FakePort(servos))
    for cycle in range(20):
        bus.sync_read(IDS, 56, 15)
        assert bus.garbled == set()
        assert bus.belated == ({3} if cycle else set())
    servos.delay_s = lambda servo_id: 0.001
    for _ in range(3):
        bus.sync_read(IDS, 56, 15)
    assert bus.belated == set()


def test_an_adapter_that_echoes_requests_is_heard_through() -> None:
    servos = FakeServos()

    def echoing(request: bytes) -> list[tuple[float, bytes]]:
        return [(0.0005, request), *servos(request)]

    bus = Bus(FakePort(echoing))
    for _ in range(20):
        assert moment(bus.read(1, 56, 2).data) == servos.moment
        assert set(bus.sync_read(IDS, 56, 15)) == set(IDS)
        bus.write(2, 41, b"\x07")
    assert bus.counters.echoes == 60
    assert servos.memory[2][41] == 7


def test_what_lies_on_the_line_before_a_request_is_thrown_away_and_counted() -> None:
    servos = FakeServos()
    port = FakePort(servos)
    bus = Bus(port)
    port.arrive(0.0, status(1, bytes(15)))
    assert moment(bus.read(1, 56, 15).data) == servos.moment
    assert bus.counters.drained == 21


def test_error_bits_come_with_every_reply() -> None:
    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return [(0.001, status(1, bytes(request[6]), 0x20) + status(2, bytes(request[6]), 0x05))]

    replies = Bus(FakePort(answer)).sync_read((1, 2), 56, 15)
    assert {each: reply.error_bits for each, reply in replies.items()} == {1: 0x20, 2: 0x05}


def test_after_a_miss_the_line_must_be_silent_before_the_next_request() -> None:
    servos = FakeServos()
    port = FakePort(servos)
    bus = Bus(port)
    servos.delay_s = lambda servo_id: 0.035
    assert bus.sync_read((1,), 56, 15) == {}
    servos.delay_s = lambda servo_id: 0.001
    port.time_s += 0.005
    replied_s = port.time_s  # the reply above is under way
    assert moment(bus.read(1, 56, 15).data) == servos.moment
    assert port.time_s - replied_s > 0.001


def test_a_line_that_never_falls_silent_is_said_to_be_so() -> None:
    class Babbling(FakePort):
        def read(self, timeout_s: float) -> bytes:
            self.time_s += 0.005
            return b"\x00\x55"

    with pytest.raises(BusCorrupt, match="another program or controller"):
        Bus(Babbling(FakeServos())).read(1, 56, 2)


def test_everybody_answers_a_broadcast_ping() -> None:
    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return [(0.001 * each, status(each)) for each in (1, 2, 77)] if request[2] == 254 else []

    assert set(Bus(FakePort(answer)).ping_all()) == {1, 2, 77}


def _delay_s(late_s: float, late_id: int, servo_id: int) -> float:
    return late_s if servo_id == late_id else 0.001
