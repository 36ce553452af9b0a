"""Plain settings of the pipelines, derived from `env.processor`; lengths in metres."""

from collections.abc import Mapping
from dataclasses import dataclass

Vector = tuple[float, float, float]
Crop = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ProcessorSettings:
    """Everything the two pipelines need."""

    end_effector_min_m: Vector
    end_effector_max_m: Vector
    end_effector_step_sizes_m: Vector
    max_gripper_pos: float  # percent open that OPEN asks for
    use_gripper: bool
    gripper_penalty: float
    add_joint_velocity_to_observation: bool
    add_ee_pose_to_observation: bool
    crop_params_dict: Mapping[str, Crop]
    resize_size: tuple[int, int] | None  # height, width
    max_episode_steps: int
    terminate_on_success: bool
