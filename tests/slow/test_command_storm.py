"""A million random commands at the gate: see tests/robot/command_storm.py for the law."""

import pytest

from tests.robot.command_storm import storm
from workers.config import load
from workers.config.ready import ready_config

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_a_million_random_commands_never_break_a_limit() -> None:
    config = load(ready_config())
    worst = [storm(config, 100_000, seed) for seed in range(1, 11)]
    assert sum(one.moving_ticks for one in worst) > 200_000
    assert min(min(one.speed, one.acceleration, one.lead) for one in worst) > 0.99
