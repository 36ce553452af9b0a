"""MotorCurrentProcessor: what the motors draw, which tells of contact and weight."""

from workers.processors.features import Features, with_state
from workers.processors.scaling import scaled_current
from workers.processors.transition import Transition
from workers.robot.figures import JOINT_NAMES

_NAMES = tuple(f"{joint}.current" for joint in JOINT_NAMES)


class MotorCurrentProcessor:
    """Adds the motor currents, in amperes with their sign before scaling, to the state.

    They are of the same reading as the positions: no further round trip on the bus.
    """

    def reset(self) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        return with_state(features, _NAMES)

    def __call__(self, transition: Transition) -> None:
        transition.add_state(self, scaled_current(transition.measured.current_a), _NAMES)
