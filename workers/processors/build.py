"""From the configuration to the pipelines' settings and the shapes everybody derives from them."""

from workers.config import Config
from workers.processors.pipeline import state_size
from workers.processors.settings import ProcessorSettings
from workers.transport.record import FeatureSpec


def processor_settings(config: Config) -> ProcessorSettings:
    """Settings of both pipelines."""
    processor = config.env.processor
    inverse = config.env.workspace
    steps = inverse.end_effector_step_sizes
    return ProcessorSettings(
        end_effector_min_m=inverse.end_effector_bounds.min,
        end_effector_max_m=inverse.end_effector_bounds.max,
        end_effector_step_sizes_m=(steps.x, steps.y, steps.z),
        max_gripper_pos=processor.max_gripper_pos,
        use_gripper=processor.gripper.use_gripper,
        gripper_penalty=processor.gripper.gripper_penalty,
        add_joint_velocity_to_observation=processor.observation.add_joint_velocity_to_observation,
        add_ee_pose_to_observation=processor.observation.add_ee_pose_to_observation,
        crop_params_dict=processor.image_preprocessing.crop_params_dict,
        resize_size=processor.image_preprocessing.resize_size,
        max_episode_steps=round(processor.reset.control_time_s * config.env.fps),
        terminate_on_success=processor.reset.terminate_on_success,
    )


def feature_spec(config: Config) -> FeatureSpec:
    """Shapes of an observation: what log, replay and networks agree on."""
    height, width = config.env.processor.image_preprocessing.resize_size or (0, 0)
    return FeatureSpec(
        state_dim=state_size(processor_settings(config)),
        cameras=tuple(config.env.cameras),
        height=height,
        width=width,
    )
