"""Plain settings of the pipelines. Keys are LeRobot's (`env.processor`); lengths in metres."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Vector = tuple[float, float, float]
Crop = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ProcessorSettings:
    """Everything the two pipelines need; the defaults are the simulated pick-and-lift task's."""

    end_effector_min_m: Vector = (0.18, -0.12, 0.012)
    end_effector_max_m: Vector = (0.32, 0.12, 0.16)
    end_effector_step_sizes_m: Vector = (0.02, 0.02, 0.02)
    max_gripper_pos: float = 40.0  # percent open that OPEN asks for: 0.6 rad of jaw, clears a 25 mm cube
    gripper_penalty: float = -0.02
    add_joint_velocity_to_observation: bool = True
    add_ee_pose_to_observation: bool = True
    crop_params_dict: Mapping[str, Crop] = field(default_factory=lambda: MappingProxyType({}))
    resize_size: tuple[int, int] | None = (128, 128)  # height, width
    max_episode_steps: int = 30
    terminate_on_success: bool = True
