"""The configuration of a survey: the same arm and the same gate, but free to go wherever it reaches.

What a survey finds (bounds and joint limits) does not hold while it is looked for; mechanical limits with their
margin, speed, acceleration and lead do.
"""

import msgspec

from workers.config.processor import BoundsConfig
from workers.config.schema import Config

FIND_LIMITS = "find-limits"
FLOOR_M = 0.01
"""Lowest place of the tool unless told otherwise: the jaw, 6 mm longer, stays clear of the table at z = 0."""
# Further than an SO-100 or SO-101 reaches: 47 cm from the axis of shoulder_pan.
_LEAST_M, _GREATEST_M = (-0.45, -0.5), (0.55, 0.5, 0.55)
_SUFFIX, _LONGEST_NAME = "-limits", 64


def surveying(config: Config, floor_m: float = FLOOR_M) -> Config:
    """`config`, which has an arm, for a survey above `floor_m`.

    Unless the file itself says `mode = "find-limits"`, its run gets a name of its own: a survey leaves nothing
    in the run that the file is for.
    """
    replace = msgspec.structs.replace
    run = config.run
    if config.mode != FIND_LIMITS:
        run = replace(run, name=run.name[: _LONGEST_NAME - len(_SUFFIX)] + _SUFFIX)
    env = config.env
    bounds = BoundsConfig(min=(*_LEAST_M, floor_m), max=_GREATEST_M)
    kinematics = replace(env.workspace, end_effector_bounds=bounds)
    env = replace(
        env,
        robot=replace(env.arm, joint_limits_deg={}),
        processor=replace(env.processor, inverse_kinematics=kinematics),
    )
    return replace(config, mode=FIND_LIMITS, run=run, env=env)
