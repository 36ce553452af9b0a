"""[env.simulation]: reward and randomisation of the simulated tasks."""

from typing import Annotated, Literal

import msgspec

from workers.config.values import Section, Share


class SimulationConfig(Section, frozen=True, kw_only=True):
    reward: Literal["sparse", "dense"] = "sparse"
    """`sparse`: 1 at success, else 0; `dense`: each step costs what the task lacks, from -1 to 0; 1 at success."""
    start_pose_deg: Annotated[float, msgspec.Meta(ge=0.0, le=10.0)] = 0.0
    """Random deviation of each arm joint from the reset pose, up to so many degrees either way."""
    object_area: Share = 1.0
    """Share of its area in which the object (and the goal) is placed at random; 0 is always the middle."""
    light: Share = 0.0
    """How much brightness and direction of the light change from episode to episode."""
    camera_jitter_deg: Annotated[float, msgspec.Meta(ge=0.0, le=5.0)] = 0.0
    """Random turn of each camera from episode to episode, up to so many degrees either way."""
