"""LeRobot's keys, 0.4 to 0.6, and what each is here. A `*` stands for any name, `**` for everything below.

Keys whose fate depends on their value or on other keys are in the other files.
"""

from collections.abc import Iterator

from workers.config.lines import KeyPath

SAC = (
    "actor_lr", "critic_lr", "temperature_lr", "discount", "use_backup_entropy", "critic_target_update_weight",
    "num_critics", "num_subsample_critics", "temperature_init", "target_entropy", "utd_ratio",
    "policy_update_freq", "grad_clip_norm", "critic_network_kwargs.hidden_dims",
)  # fmt: skip
"""Keys of `algorithm`; up to 0.5 they were under `policy`."""

POLICY = (
    "device", "storage_device", "freeze_vision_encoder", "image_embedding_pooling_dim", "latent_dim",
    "online_steps", "online_buffer_capacity", "offline_buffer_capacity", "online_step_before_learning",
    "actor_learner_config.policy_parameters_push_frequency", "actor_network_kwargs.hidden_dims",
    "policy_kwargs.std_min", "policy_kwargs.std_max", "policy_kwargs.init_final",
    "discrete_critic_network_kwargs.hidden_dims", "state_encoder_hidden_dim",
)  # fmt: skip

PROCESSOR = (
    "observation.add_joint_velocity_to_observation", "observation.add_current_to_observation",
    "observation.add_ee_pose_to_observation", "observation.display_cameras",
    "gripper.use_gripper", "gripper.gripper_penalty", "max_gripper_pos",
    "reset.fixed_reset_joint_positions", "reset.reset_time_s", "reset.control_time_s",
    "reset.terminate_on_success",
    "inverse_kinematics.end_effector_bounds.min", "inverse_kinematics.end_effector_bounds.max",
    "inverse_kinematics.end_effector_step_sizes.x", "inverse_kinematics.end_effector_step_sizes.y",
    "inverse_kinematics.end_effector_step_sizes.z",
)  # fmt: skip

TAKEN: dict[str, str] = {
    "env.type": "env.type",
    "mode": "mode",
    "device": "device",
    "job_name": "run.name",
    "seed": "run.seed",
    "batch_size": "algorithm.batch_size",
    "online_ratio": "algorithm.online_ratio",
    "log_freq": "algorithm.log_freq",
    "save_checkpoint": "checkpoint.save_checkpoint",
    "save_freq": "checkpoint.save_freq",
    "dataset.repo_id": "dataset.repo_id",
    "dataset.root": "dataset.root",
    "dataset.dataset_root": "dataset.root",
    "dataset.task": "dataset.task",
    "dataset.num_episodes_to_record": "dataset.num_episodes_to_record",
    "dataset.replay_episode": "dataset.replay_episode",
    "dataset.push_to_hub": "dataset.push_to_hub",
    "wandb.enable": "wandb.enable",
    "wandb.project": "wandb.project",
    "wandb.entity": "wandb.entity",
    "wandb.notes": "wandb.notes",
    "wandb.run_id": "wandb.run_id",
    "wandb.mode": "wandb.mode",
    "env.fps": "env.fps",
    "env.robot.max_relative_target": "env.robot.max_relative_target",
    "env.processor.image_preprocessing.resize_size": "env.processor.image_preprocessing.resize_size",
    "env.processor.reward_classifier.success_threshold": "env.processor.reward_classifier.success_threshold",
    "env.processor.reward_classifier.success_reward": "env.processor.reward_classifier.success_reward",
    "env.processor.inverse_kinematics.urdf_path": "env.processor.inverse_kinematics.urdf_path",
    "env.processor.inverse_kinematics.target_frame_name": "env.processor.inverse_kinematics.target_frame_name",
    "policy.vision_encoder_name": "policy.vision_encoder_name",
    "policy.image_encoder_hidden_dim": "policy.image_encoder_hidden_dim",
    **{f"env.processor.{key}": f"env.processor.{key}" for key in PROCESSOR},
    **{f"policy.{key}": f"policy.{key}" for key in POLICY},
    **{f"policy.{key}": f"algorithm.{key}" for key in SAC},
    **{f"algorithm.{key}": f"algorithm.{key}" for key in SAC},
}
"""LeRobot's key: the key here."""

_SHAPES = "shapes follow from the cameras, the processors and the task"
_SCALES = "joints, pose and pictures are scaled by known limits, not by statistics of a data set"
_PROCESSES = "actor, learner, arm and cameras are processes of their own"

DERIVED: dict[str, str] = {
    "env.name": "env.type and env.robot.type say what it is",
    "env.teleop.use_gripper": "env.processor.gripper.use_gripper has both",
    "env.features.**": _SHAPES,
    "env.features_map.**": _SHAPES,
    "output_dir": "a run's files go to run.directory/run.name",
    "resume": "a run that is started again goes on where it was",
    "checkpoint_format": "weights are always safetensors",
    "policy.type": "there is one kind of policy",
    "policy.num_discrete_actions": "3 for a gripper, from env.processor.gripper.use_gripper",
    "policy.shared_encoder": "actor and critics share their encoder",
    "policy.n_obs_steps": "one observation, as LeRobot's actor has it",
    "policy.input_features.**": _SHAPES,
    "policy.output_features.**": _SHAPES,
    "policy.normalization_mapping.**": _SCALES,
    "policy.dataset_stats.**": _SCALES,
    "policy.concurrency.**": _PROCESSES,
    "algorithm.type": "there is one algorithm",
    "algorithm.policy_config.**": "it repeats policy",
    "algorithm.discrete_critic_network_kwargs.hidden_dims": "policy.discrete_critic_network_kwargs has both",
    "wandb.disable_artifact": "checkpoints stay in the run's folder",
    "env.robot.cameras.*.color_mode": "pictures are RGB",
    "env.robot.cameras.*.backend": "V4L2 for devices, FFmpeg for addresses and files",
    "env.robot.cameras.*.warmup_s": "a camera is used once it delivers",
}
"""What follows from other keys, or is always so."""

_LOADER = "its actor and learner have no data loader"
_NOT_RL = "its actor and learner never read it"

DEAD: dict[str, str] = {
    "mixer": _NOT_RL,
    "steps": "its learner never ends by it; policy.online_steps does",
    "num_workers": _LOADER,
    "prefetch_factor": _LOADER,
    "persistent_workers": _LOADER,
    "dataloader_multiprocessing_context": _LOADER,
    "env_eval_freq": _NOT_RL,
    "eval_freq": _NOT_RL,
    "eval_steps": _NOT_RL,
    "max_eval_samples": _NOT_RL,
    "eval.**": _NOT_RL,
    "use_policy_training_preset": _NOT_RL,
    "optimizer.**": "its learner takes the rates of the algorithm",
    "scheduler.**": "its learner takes the rates of the algorithm",
    "cudnn_deterministic": _NOT_RL,
    "ema.**": _NOT_RL,
    "peft.**": _NOT_RL,
    "job.**": _NOT_RL,
    "sample_weighting.**": _NOT_RL,
    "use_rabc": _NOT_RL,
    "rabc_progress_path": _NOT_RL,
    "rabc_kappa": _NOT_RL,
    "rabc_epsilon": _NOT_RL,
    "rabc_head_mode": _NOT_RL,
    "rename_map.**": _NOT_RL,
    "parallelism.**": _NOT_RL,
    "accelerator.**": _NOT_RL,
    "save_checkpoint_to_hub": _NOT_RL,
    "env.max_parallel_tasks": _NOT_RL,
    "env.disable_env_checker": _NOT_RL,
    "env.processor.control_mode": "no code reads it; env.teleop.type decides",
    "policy.async_prefetch": "no code reads it",
    "policy.policy_kwargs.use_tanh_squash": "ignored: actions are always squashed",
    "policy.use_peft": _NOT_RL,
    "policy.online_env_seed": "gone since 0.4",
}
"""What LeRobot accepts and does not use."""

_NO_DRIVER = (
    "the simulated arm stands in: there are drivers for SO-100 and SO-101 followers with a port and an id"
)
_NO_DEVICE = "the person drives with keys, a gamepad, or a leader arm whose port and id are given"
_NO_LINK = "to learn on another machine, hilserl-tui join --config FILE sets learner_host and learner_port"
_NO_UPLOAD = "hilserl-worker export-policy --push-to-hub uploads a policy, when you ask for it"
_NO_CLASSIFIER = "settings for training a classifier are in [reward_classifier]; set this one there"
AS_IT_IS = "a dataset is read as it is and as a whole"
NO_RECORDING = "training reads a dataset and records none"

NO_COUNTERPART: dict[str, str] = {
    "tolerance_s": AS_IT_IS,
    "checkpoint_path": "a run goes on from its own checkpoints",
    "dataset.repo_type": AS_IT_IS,
    "dataset.episodes": AS_IT_IS,
    "dataset.exclude_episodes": AS_IT_IS,
    "dataset.image_transforms.**": "pictures are shifted at random, see algorithm.random_shift_px; nothing else",
    "dataset.revision": AS_IT_IS,
    "dataset.use_imagenet_stats": AS_IT_IS,
    "dataset.video_backend": AS_IT_IS,
    "dataset.return_uint8": AS_IT_IS,
    "dataset.depth_output_unit": AS_IT_IS,
    "dataset.streaming": AS_IT_IS,
    "dataset.eval_split": AS_IT_IS,
    "wandb.add_tags": "runs are not tagged",
    "env.robot.type": _NO_DRIVER,
    "env.robot.**": _NO_DRIVER,
    "env.robot.cameras.*.**": "cameras are read through OpenCV only",
    "env.teleop.type": _NO_DEVICE,
    "env.teleop.**": _NO_DEVICE,
    "env.wrapper.**": "the layout of LeRobot 0.3; since 0.4 it is env.processor",
    "policy.use_amp": "off here until you ask for it by the same name: on GPUs and some CPUs it pays",
    "policy.use_torch_compile": "on a GPU it is done unless you say false by the same name",
    "algorithm.use_torch_compile": "on a GPU it is done unless policy.use_torch_compile says false",
    "policy.push_to_hub": _NO_UPLOAD,
    "policy.repo_id": _NO_UPLOAD,
    "policy.private": _NO_UPLOAD,
    "policy.tags": _NO_UPLOAD,
    "policy.license": _NO_UPLOAD,
    "policy.pretrained_path": "training starts from its own checkpoints",
    "policy.pretrained_revision": "training starts from its own checkpoints",
    "policy.actor_learner_config.learner_host": _NO_LINK,
    "policy.actor_learner_config.learner_port": _NO_LINK,
    "policy.actor_learner_config.queue_get_timeout": "an idle learner's longest sleep here: set it anew",
    "reward_model.**": _NO_CLASSIFIER,
}
"""What cannot be done here, or not yet."""

CLASSIFIER = (
    "steps", "batch_size", "log_freq", "save_freq", "save_checkpoint", "eval_freq", "env_eval_freq", "optimizer",
    "scheduler", "num_workers", "eval", "policy",
)  # fmt: skip
"""Keys that mean the classifier's training where a file describes that."""
CLASSIFIER_REASON = _NO_CLASSIFIER

UNUSED_BY_GYM_HIL = (
    "env.processor.inverse_kinematics", "env.processor.reward_classifier", "env.processor.max_gripper_pos",
    "env.processor.observation", "env.processor.image_preprocessing",
    "env.processor.reset.fixed_reset_joint_positions",
)  # fmt: skip
"""Keys that LeRobot accepts for its simulation and does not use."""
NOT_WITH_GYMNASIUM = ("env.robot", "env.teleop", "mode")
"""Keys that only an arm has here."""


_ABOVE = {
    tuple(parts[:length])
    for table in (TAKEN, DERIVED, DEAD, NO_COUNTERPART)
    for parts in (pattern.split(".") for pattern in table)
    for length in range(1, len(parts))
}
"""Every key that has keys below it."""


def is_table(path: KeyPath) -> bool:
    """Whether LeRobot has keys below `path`."""
    return any(pattern in _ABOVE for pattern, _ in _patterns(path))


def found(table: dict[str, str], path: KeyPath) -> tuple[str, str] | None:
    """What `table` says of the key at `path`, the most exact pattern first, and what its `*` stands for."""
    for length in range(len(path), 0, -1):
        for pattern, star in _patterns(path[:length]):
            for key in (".".join(pattern),) * (length == len(path)) + (".".join((*pattern, "**")),):
                if key in table:
                    return table[key], star
    return None


def _patterns(path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    """`path`, and `path` with each part in turn a star, which stands for that part."""
    yield path, ""
    for at, part in enumerate(path):
        yield (*path[:at], "*", *path[at + 1 :]), part
