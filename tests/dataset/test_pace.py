"""A recording whose steps came slower than its dataset says is not saved in silence."""

import logging
from pathlib import Path

import pytest

from tests.dataset.recorded import Recording, save, small
from workers.dataset.pace import Pace


def told(hz: float, steps: int = 40, fps: float = 10.0) -> str:
    pace = Pace()
    for number in range(steps):
        pace.add(1_000 + round(number / hz * 1e9))
    return pace.judge(fps)


@pytest.mark.parametrize("hz", [9.6, 10.0, 10.4])
def test_a_rate_within_five_percent_is_as_it_should_be(hz: float) -> None:
    assert told(hz) == ""


def test_a_slower_rate_is_said_with_what_to_do() -> None:
    text = told(8.0)
    assert text.startswith("8.0 steps a second were recorded, not 10") and "lower env.fps" in text


def test_a_few_steps_say_nothing() -> None:
    assert told(5.0, steps=5) == ""


def test_the_recorder_says_it_of_an_episode_that_it_saves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = small(tmp_path)
    with Recording(config) as made:
        made.episode(3, 30)
        made.hz = 5.0
        made.episode(4, 30)
    with caplog.at_level(logging.WARNING):
        save(config)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 1 and said[0].startswith("episode 4: 5.0 steps a second were recorded, not 10")
