"""The configuration of a survey: the same arm and the same gate, but free to go wherever it reaches.

What a survey finds (bounds and joint limits) does not hold while it is looked for; mechanical limits with their
margin, speed, acceleration and lead do.
"""

from pathlib import Path

import msgspec

from workers.config.errors import ConfigError
from workers.config.lines import KeyPath, dotted
from workers.config.load import Document, load_document, parse, read_text
from workers.config.processor import BoundsConfig
from workers.config.schema import Config

FIND_LIMITS = "find-limits"
BOUNDS: KeyPath = ("env", "processor", "inverse_kinematics", "end_effector_bounds")
FLOOR_M = 0.01
"""Lowest place of the tool unless told otherwise: the jaw, 6 mm longer, stays clear of the table at z = 0."""
# Further than an SO-100 or SO-101 reaches: 47 cm from the axis of shoulder_pan.
_LEAST_M, _GREATEST_M = (-0.45, -0.5), (0.55, 0.5, 0.55)
_SUFFIX, _LONGEST_NAME = "-limits", 64


def reach(floor_m: float = FLOOR_M) -> BoundsConfig:
    """Bounds beyond all that an arm reaches above `floor_m`."""
    return BoundsConfig(min=(*_LEAST_M, floor_m), max=_GREATEST_M)


def load_for_survey(path: str | Path) -> Document:
    """As `load_document`, but the bounds that are looked for may be missing: then they are `reach()`.

    Raises ConfigError.
    """
    try:
        return load_document(path)
    except ConfigError as error:
        keys = (dotted(BOUNDS[:-1]), dotted(BOUNDS))
        if not any(problem.key in keys and problem.text.startswith("missing") for problem in error.problems):
            raise
        from workers.config.edit import with_values  # brings tomlkit, and the console is in a hurry

        text, bounds = read_text(Path(path)), reach()
        values = {(*BOUNDS, "min"): list(bounds.min), (*BOUNDS, "max"): list(bounds.max)}
        try:
            config = parse(with_values(text, str(path), values), str(path))
        except ConfigError:
            raise error from None  # it has more to say, and with the lines of the file as it is
        return Document(str(path), text, config)


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
    kinematics = replace(env.workspace, end_effector_bounds=reach(floor_m))
    env = replace(
        env,
        robot=replace(env.arm, joint_limits_deg={}),
        processor=replace(env.processor, inverse_kinematics=kinematics),
    )
    return replace(config, mode=FIND_LIMITS, run=run, env=env)
