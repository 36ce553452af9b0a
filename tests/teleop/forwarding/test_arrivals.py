"""What of a link may still be executed: nothing late, nothing twice, nothing out of order, nothing made up."""

import random

import pytest

from workers.model.commands import Verdict
from workers.teleop.forwarding.arrivals import Arrivals
from workers.transport.pb import pad_pb2 as pb

MS = 1_000_000


def word(sequence: int, stamp_ns: int, **rest: int) -> pb.PadWord:
    return pb.PadWord(sequence=sequence, stamp_ns=stamp_ns, connected=True, **rest)


def test_a_word_is_as_old_as_the_stamp_that_it_names() -> None:
    arrivals = Arrivals()
    stamp = arrivals.stamp(1000 * MS)
    assert arrivals.take(word(1, stamp), 1149 * MS) == []
    assert arrivals.take(word(2, stamp), 1151 * MS) is None
    assert arrivals.age_ns == 151 * MS


def test_a_burst_after_a_stall_is_passed_over_but_for_what_is_fresh() -> None:
    """Two seconds of words, fifty a second, arrive at once."""
    arrivals = Arrivals()
    stamps = [arrivals.stamp(n * 20 * MS) for n in range(1, 101)]
    taken = [n for n, stamp in enumerate(stamps) if arrivals.take(word(n + 1, stamp), 2000 * MS) is not None]
    assert taken == list(range(92, 100)), "those of the last 150 ms"


def test_a_link_that_is_always_late_moves_nothing() -> None:
    arrivals = Arrivals()
    for n in range(1, 200):
        stamp = arrivals.stamp(n * 20 * MS)
        assert arrivals.take(word(n, stamp), n * 20 * MS + 151 * MS) is None


@pytest.mark.parametrize("stamp_ns", [0, 5, 2**63])
def test_a_stamp_that_was_never_sent_is_none(stamp_ns: int) -> None:
    arrivals = Arrivals()
    arrivals.stamp(10)
    assert arrivals.take(word(1, stamp_ns), 20) is None


def test_words_out_of_order_or_twice_count_once() -> None:
    arrivals = Arrivals()
    stamp = arrivals.stamp(MS)
    assert [arrivals.take(word(n, stamp), 2 * MS) is not None for n in (2, 1, 2, 3)] == [
        True, False, False, True,
    ]  # fmt: skip


def test_a_press_that_came_late_is_not_made_up_for() -> None:
    arrivals = Arrivals()
    early = arrivals.stamp(MS)
    assert arrivals.take(word(1, early, successes=4), 2 * MS) == [], "pressed before the link was there"
    assert arrivals.take(word(2, early, successes=5), 500 * MS) is None
    now = arrivals.stamp(500 * MS)
    assert arrivals.take(word(3, now, successes=5), 510 * MS) == []
    assert arrivals.take(word(4, now, successes=6, rerecords=1), 520 * MS) == [
        Verdict.SUCCESS,
        Verdict.RERECORD,
    ]


def test_whatever_the_delays_are_nothing_older_than_150_ms_is_executed() -> None:
    """Ten thousand words over links that stall, jitter and catch up; true ages are known to the test."""
    rng = random.Random(3)
    arrivals = Arrivals()
    now, queue, taken = 0, [], 0
    known = 0  # the newest stamp that reached the sender
    downward: list[tuple[int, int]] = []
    for sequence in range(1, 10_001):
        now += 20 * MS
        downward.append((now + rng.randrange(5, 60) * MS, arrivals.stamp(now)))
        arrived = [stamp for at, stamp in downward if at <= now]
        downward = [one for one in downward if one[0] > now]
        known = max([known, *arrived])
        delay = rng.choice((5, 20, 40, 90)) if rng.random() > 0.02 else rng.randrange(200, 3000)
        queue.append((max(now + delay * MS, queue[-1][0] if queue else 0), now, word(sequence, known)))
        while queue and queue[0][0] <= now:
            at, read_ns, one = queue.pop(0)
            if arrivals.take(one, at) is not None:
                taken += 1
                assert at - read_ns <= 150 * MS
    assert taken > 2000, "and most of what is in time is"
