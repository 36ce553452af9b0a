"""RealtimeArm: the arm as the actor reaches it, through shared memory, in real time."""

import time

import numpy as np

from workers.config import Config
from workers.model.events import GateMode
from workers.robot.board import JOINT_TARGET, Board

STATE_LIMIT_S = 0.3  # older arm state or pictures than this are no observation
RESET_LIMIT_S = 10.0
POLL_S = 0.002


class ArmUnavailable(Exception):
    """Arm or camera gives nothing fresh; the text names it. The episode cannot go on."""


class ArmStopped(ArmUnavailable):
    """The stop is latched."""
