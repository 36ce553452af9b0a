"""Whatever comes down any path, a goal never breaks the limits of speed, acceleration and lead."""

from tests.robot.command_storm import storm
from workers.config import load
from workers.config.ready import ready_config


def test_20_000_random_commands_never_break_a_limit_and_reach_each_of_them() -> None:
    worst = storm(load(ready_config()), 20_000)
    assert worst.moving_ticks > 5_000
    assert min(worst.speed, worst.acceleration, worst.lead) > 0.99
