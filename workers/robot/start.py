"""Where the arm starts an episode: the reset pose, or a random one around it."""

import numpy as np

from workers.config import Config
from workers.robot.figures import GRIPPER, Floats
from workers.robot.gate import EndEffectorBox, Limits, ToolPosition

_STREAM = 1  # of the episode's seed: things on the table lie where they lie, wherever the arm starts
_TRIES = 64


class StartPoses:
    """Poses up to `env.simulation.start_pose_deg` from the reset pose in each arm joint, inside limits and bounds."""

    def __init__(self, config: Config, limits: Limits, tool: ToolPosition) -> None:
        env = config.env
        bounds = env.workspace.end_effector_bounds
        self._reset_pose = np.array(env.reset_pose)
        self._deviation_deg = env.simulation.start_pose_deg
        self._lower, self._upper = limits.lower_deg[:GRIPPER], limits.upper_deg[:GRIPPER]
        self._box = EndEffectorBox(np.array(bounds.min), np.array(bounds.max))
        self._tool = tool

    def draw(self, seed: int) -> Floats:
        """The pose [6] of the episode with `seed`; the reset pose where 64 draws find none that is allowed."""
        if self._deviation_deg > 0.0:
            rng = np.random.default_rng([seed, _STREAM])
            for _ in range(_TRIES):
                pose = self._reset_pose.copy()
                pose[:GRIPPER] += rng.uniform(-self._deviation_deg, self._deviation_deg, GRIPPER)
                if self._is_allowed(pose):
                    return pose
        return self._reset_pose

    def _is_allowed(self, pose_deg: Floats) -> bool:
        arm = pose_deg[:GRIPPER]
        within = bool(((arm >= self._lower) & (arm <= self._upper)).all())
        return within and self._box.outside_m(self._tool.position(pose_deg)) == 0.0
