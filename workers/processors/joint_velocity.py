"""JointVelocityProcessor: joint velocities from positions and measured time."""

import numpy as np

from workers.processors.features import Features, with_state
from workers.processors.scaling import scaled_velocity
from workers.processors.transition import Transition
from workers.robot.drivers import ArmReading
from workers.robot.figures import JOINT_NAMES

_NAMES = tuple(f"{joint}.vel" for joint in JOINT_NAMES)


class JointVelocityProcessor:
    """Adds v = (q - q_before) / (t - t_before) to the state; zero on the first observation of an episode.

    The time between readings is measured, not taken from the nominal rate: a late period is not a fast arm.
    """

    def __init__(self) -> None:
        self._before: ArmReading | None = None

    def reset(self) -> None:
        self._before = None

    def features(self, features: Features) -> Features:
        return with_state(features, _NAMES)

    def __call__(self, transition: Transition) -> None:
        now, before = transition.measured, self._before
        velocity = np.zeros_like(now.joints_deg)
        if before is not None and now.stamp_s > before.stamp_s:
            velocity = (now.joints_deg - before.joints_deg) / (now.stamp_s - before.stamp_s)
        self._before = now
        transition.add_state(self, scaled_velocity(velocity), _NAMES)
