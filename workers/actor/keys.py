"""Keys: what is pressed and held at the console's terminal, as motion of the running period.

A press is one bounded step, at once. A key that is held moves the arm by `jog_step` in every period from the moment
it is pressed, and lets it stop where it is at the moment it is let go.
"""

import logging

import numpy as np
from numpy.typing import NDArray

from workers.actor.chair import Chair
from workers.actor.environment import InterventionEnv
from workers.actor.hand import Hand
from workers.model.commands import Axis, Jog
from workers.teleop.held_keys import NOTHING, Asked
from workers.transport.record import FeatureSpec

log = logging.getLogger(__name__)
_AXES = (Axis.X, Axis.Y, Axis.Z, Axis.GRIPPER)


class Keys:
    """The keys of one chair, acting on one environment.

    Args:
        hand: of the person's device, which goes on from where keys brought the arm.
    """

    def __init__(self, env: InterventionEnv, chair: Chair, hand: Hand) -> None:
        self._env, self._chair, self._hand = env, chair, hand
        self._moving: Asked = NOTHING  # by keys that are held, in this period
        self._unmoved: set[Axis] = set()  # axes that the action does not have, and that this was said of

    def begin_period(self) -> None:
        """An action was begun, which has nothing of the keys in it."""
        self._moving = NOTHING

    def apply(self) -> None:
        """Have the arm do what was pressed since, and what is held now."""
        self._follow(self._chair.held_keys.now())
        for jog in self._chair.take_jogs():
            self._nudge([jog])

    def _follow(self, held: Asked) -> None:
        if held == self._moving:
            return
        stopped = any(was and was != now for was, now in zip(self._moving, held, strict=True))
        if stopped and self._env.moves_at_once:
            self._env.halt()
            self._hand.release()
            self._moving = NOTHING  # what goes on is asked for anew
        begun = [
            Jog(axis, now)
            for axis, was, now in zip(_AXES, self._moving, held, strict=True)
            if now and now != was
        ]
        self._moving = held
        if begun:
            self._nudge(begun)

    def _nudge(self, jogs: list[Jog]) -> None:
        """Move along these axes together, now."""
        person = self._env.person
        stay = Hand(person).stay
        moving = stay.copy()
        for jog in jogs:
            delta = jog_delta(jog, self._chair.jog_step, person)
            moving += delta - stay
            if jog.axis not in self._unmoved and not (delta != stay).any():
                self._unmoved.add(jog.axis)
                log.warning("this environment's action has no %s: its keys do nothing", jog.axis.value)
        if (moving != stay).any():
            self._env.nudge(moving)
            self._hand.release()  # a leader arm goes on from there


def jog_delta(jog: Jog, jog_step: float, features: FeatureSpec) -> NDArray[np.float32]:
    """One key press as a partial action; an axis that the action does not have moves nothing."""
    delta = Hand(features).stay
    if jog.axis is Axis.GRIPPER:
        if features.gripper:
            delta[-1] += np.sign(jog.direction)
    elif (index := "xyz".index(jog.axis.value)) < features.motion_dim:
        delta[index] = np.sign(jog.direction) * jog_step
    return delta
