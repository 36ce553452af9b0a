"""For every key of the schema, how to see that it does something."""

from tests.config import (
    effects_arm,
    effects_classifier,
    effects_device,
    effects_judge,
    effects_leader,
    effects_learning,
    effects_link,
    effects_run,
    effects_safety,
    effects_servo,
)
from tests.config.effect_tools import Effect, Only

EFFECTS: dict[str, Effect | Only] = {
    **effects_arm.EFFECTS,
    **effects_classifier.EFFECTS,
    **effects_device.EFFECTS,
    **effects_judge.EFFECTS,
    **effects_leader.EFFECTS,
    **effects_learning.EFFECTS,
    **effects_link.EFFECTS,
    **effects_run.EFFECTS,
    **effects_safety.EFFECTS,
    **effects_servo.EFFECTS,
}
