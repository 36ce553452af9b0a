"""How much is under way: megabytes on a fast network, about a second's worth on a thin one."""

from workers.transport.link_window import LEAST_BYTES, MOST_BYTES, Window
from workers.transport.wire import BATCH_BYTES, WINDOW_RECORDS


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def fill(window: Window, clock: Clock, rounds: int, took_s: float, record: int = 100_000) -> int:
    """Send what there is room for and acknowledge it after `took_s`; most bytes that were under way."""
    seq = most = 0
    for _ in range(rounds):
        while (room := window.room())[0] > 0 and room[1] > 0:
            count = max(1, min(room[0], room[1] // record))
            seq += count
            window.sent(seq, count, count * record)
        most = max(most, window.size)
        assert window.records <= WINDOW_RECORDS
        clock.now_s += took_s
        window.acknowledge(seq)
        assert window.size == window.records == 0
    return most


def test_a_fast_network_gets_a_full_window() -> None:
    clock = Clock()
    assert fill(Window(clock), clock, 20, 0.01) > 60 * 100_000
    assert fill(Window(clock), clock, 20, 0.01, record=400_000) <= MOST_BYTES + 400_000


def test_a_thin_one_gets_one_record_after_the_other() -> None:
    clock = Clock()
    window = Window(clock)
    fill(window, clock, 10, 3.0)
    assert fill(window, clock, 1, 3.0) <= max(LEAST_BYTES, 100_000)


def test_a_batch_is_never_larger_than_a_message_may_be() -> None:
    clock = Clock()
    window = Window(clock)
    fill(window, clock, 30, 0.01)
    assert window.room() == (WINDOW_RECORDS, BATCH_BYTES)
    window.sent(10, 10, BATCH_BYTES)
    assert window.room()[0] == WINDOW_RECORDS - 10


def test_an_acknowledgement_in_the_middle_of_a_batch_completes_those_before_it() -> None:
    window = Window(Clock())
    window.sent(5, 5, 500)
    window.sent(10, 5, 500)
    window.acknowledge(7)
    assert (window.records, window.size) == (5, 500)
