"""ForwardKinematicsJointsToEE: the tool position enters the state."""

from workers.processors.scaling import scaled_gripper, scaled_position
from workers.processors.transition import Transition
from workers.robot.figures import Floats
from workers.robot.gate import ToolPosition


class ForwardKinematicsJointsToEE:
    """Adds tool x, y, z and the last commanded jaw opening to the state."""

    def __init__(self, tool: ToolPosition, min_m: Floats, max_m: Floats, max_gripper_pos: float) -> None:
        self._tool, self._min_m, self._max_m = tool, min_m, max_m
        self._max_gripper_pos = max_gripper_pos

    def reset(self) -> None:
        """Nothing to forget."""

    def __call__(self, transition: Transition) -> None:
        position = self._tool.position(transition.reading.joints_deg)
        transition.add_state(scaled_position(position, self._min_m, self._max_m))
        transition.add_state(scaled_gripper(transition.period.gripper_goal_pct, self._max_gripper_pos))
