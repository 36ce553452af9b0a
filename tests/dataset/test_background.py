"""While a sink works off what waits, whoever watches the recorder is told that it gets on; and only then."""

import threading
import time

import pytest

from workers.dataset.background import Background


class SlowSink:
    """Takes `seconds` for every item."""

    def __init__(self, seconds: float, last: threading.Event | None = None) -> None:
        self.items: list[int] = []
        self._seconds, self._last = seconds, last

    def add(self, item: int) -> None:
        time.sleep(self._seconds)
        self.items.append(item)

    def finish(self) -> None:
        if self._last is not None:
            self._last.wait(10.0)

    def give_up(self) -> None:
        pass


def test_a_slow_sink_breathes_while_it_works_off_what_waits() -> None:
    background = Background(lambda: SlowSink(0.2), most=16)
    for number in range(10):
        background.put(number)
    breaths: list[float] = []
    sink = background.close(lambda: breaths.append(time.monotonic()))
    assert sink.items == list(range(10))
    assert len(breaths) >= 3


@pytest.mark.timeout(30)
def test_one_that_does_not_get_on_does_not_breathe() -> None:
    release = threading.Event()
    background = Background(lambda: SlowSink(0.0, release), most=4)
    background.put(0)
    time.sleep(0.2)  # taken away: only the end is left, and it hangs
    breaths: list[None] = []
    closing = threading.Thread(target=lambda: background.close(lambda: breaths.append(None)))
    closing.start()
    closing.join(1.8)
    assert closing.is_alive() and len(breaths) <= 1
    release.set()
    closing.join(5.0)
    assert not closing.is_alive()
