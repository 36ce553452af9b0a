"""[env.teleop]: what the person drives with."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import Section


class TeleopConfig(Section, frozen=True, kw_only=True):
    type: Literal["keyboard"] = "keyboard"
    """Input device: `keyboard` is the console's own terminal keys."""
    jog_step: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.5
    """How much of one action unit (`end_effector_step_sizes`) a key press moves the arm."""
