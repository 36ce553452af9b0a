"""Effects of [env]: the arm on the simulator in this process, its cameras, its pipelines."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.config.effect_tools import NO_ARM, Effect, plain
from tests.config.effects_cameras import EFFECTS as CAMERA_EFFECTS
from workers.actor.gym_env import gym_env
from workers.actor.sim_env import sim_env, without_cameras
from workers.config import Config
from workers.processors.build import pipelines_of
from workers.processors.transition import Judgement
from workers.robot.build import kinematics_of, limits_of
from workers.robot.controller import ArmController, JointTarget
from workers.robot.drivers.sim import SimArm

STAY, CLOSE, OPEN = [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 2]
IK = "env.processor.inverse_kinematics"
PROCESSOR = "env.processor"
CAMERA = "env.robot.cameras.front"
ONE_CAMERA = {"env.robot.cameras": {"front": {"type": "sim", "width": 64, "height": 64, "fps": 30}}}
TOLD = ("captured_s", "ee_position_m", "ee_target_m", "gripper_pct", "discrete_penalty", "is_success")


def driven(*actions: list[float], seed: int = 3) -> Any:
    """Observe an episode without pictures: state, reward, ends and some of the info, step by step."""

    def observe(config: Config, folder: Path) -> Any:
        env, port = sim_env(without_cameras(config))
        observation, info = env.reset(seed=seed)
        rows = [[observation["observation.state"], info["ee_position_m"], port.task_state()]]
        for action in actions:
            observation, *ends, info = env.step(np.array(action, np.float32))
            told = {key: info[key] for key in TOLD if key in info}
            rows.append([observation["observation.state"], *ends, told])
        env.close()
        return [
            [repr(one) if hasattr(one, "__dataclass_fields__") else plain(one) for one in row] for row in rows
        ]

    return observe


def pictured(config: Config, folder: Path) -> Any:
    """The pictures with which an episode begins, as the policy gets them."""
    env, _ = sim_env(config)
    observation, _ = env.reset(seed=3)
    env.close()
    return {key: [value.shape, value.sum()] for key, value in observation.items() if value.ndim == 3}


def shape_of_actions(config: Config, folder: Path) -> Any:
    return plain(sim_env(without_cameras(config))[0].action_space.shape)


def steps_to_the_end(config: Config, folder: Path) -> int:
    env, _ = sim_env(without_cameras(config))
    env.reset(seed=3)
    steps, truncated = 0, False
    while not truncated:
        steps += 1
        *_, truncated, _ = env.step(np.array(STAY, np.float32))
    return steps


def judged(config: Config, folder: Path) -> Any:
    """How a step ends that a person calls a success."""
    env, port = sim_env(without_cameras(config))
    env.reset(seed=3)
    env.begin_step(np.array(STAY, np.float32))
    env.judge(Judgement.SUCCESS)
    port.wait_period()
    return env.finish_step()[1:4]


def turned(config: Config, folder: Path) -> Any:
    """Joints of an arm that is to roll its wrist as far as it can and close its gripper, tick by tick."""
    arm, tick_s = SimArm(np.array(config.env.reset_pose)), 1.0 / config.env.arm.loop_hz
    controller = ArmController(arm, limits_of(config), kinematics_of(config), tick_s, 1.0 / config.env.fps)
    controller.engage()
    goal = np.array(config.env.reset_pose) + np.array([0.0, 0.0, 0.0, 0.0, 400.0, -40.0])
    path = []
    for tick in range(150):
        controller.tick(JointTarget(goal, tick * tick_s, tick), tick * tick_s)
        arm.advance(tick_s)
        path.append(arm.read().joints_deg[4:])
    return plain(path)


def tool_position(config: Config, folder: Path) -> Any:
    return plain(kinematics_of(config).position(np.array(config.env.reset_pose)))


def wandered(config: Config, folder: Path) -> Any:
    """Three steps of a Gymnasium environment."""
    env = gym_env(config)
    observation, _ = env.reset(seed=3)
    rows = [plain(observation)]
    for _ in range(3):
        env.begin_step(np.full(env.features.action_dim, 0.5, np.float32))
        rows.append(plain(env.finish_step()[0]))
    env.close()
    return rows


def step_names(config: Config, folder: Path) -> Any:
    return [name for line in pipelines_of(config).lines() for name, _ in line]


def urdf_file(folder: Path) -> None:
    """The SO-101 with a longer upper arm, as a file of the user's."""
    from workers.robot.arms import arm_of
    from workers.robot.urdf import arm_urdf

    text = arm_urdf(arm_of("so101_sim"))
    (folder / "arm.urdf").write_text(text.replace("-0.11257", "-0.15"))


def with_urdf(config: Config, folder: Path) -> Any:
    urdf_file(folder)
    return tool_position(config, folder)


PENDULUM = {**NO_ARM, "env.id": "Pendulum-v1"}

EFFECTS: dict[str, Effect] = {
    "env.type": Effect(
        ("gym_manipulator", "gymnasium"),
        step_names,
        {
            "env.id": "tests.actor.worlds:worlds/Point-v0",
            "env.processor.image_preprocessing.resize_size": None,
        },
    ),
    "env.id": Effect(("Pendulum-v1", "MountainCarContinuous-v0"), wandered, NO_ARM),
    "env.kwargs": Effect(({"g": 10.0}, {"g": 2.0}), wandered, PENDULUM),
    "env.task": Effect(("reach", "pick_lift"), driven(STAY)),
    "env.fps": Effect((10.0, 5.0), driven([1, 0, 0, 1])),
    **CAMERA_EFFECTS,
    "env.robot.type": Effect(
        ("so101_follower", "so100_follower"),
        tool_position,
        {"env.robot.port": "/dev/null", "env.robot.id": "it", "operator.scripted": False},
    ),
    "env.robot.cameras.<name>.view": Effect(("front", "wrist"), pictured, ONE_CAMERA),
    "env.robot.cameras.<name>.width": Effect((64, 96), pictured, ONE_CAMERA),
    "env.robot.cameras.<name>.height": Effect((64, 96), pictured, ONE_CAMERA),
    "env.robot.loop_hz": Effect((50.0, 100.0), driven([1, 0, 0, 1])),
    "env.robot.speed_limit_deg_s": Effect((120.0, 20.0), turned),
    "env.robot.acceleration_limit_deg_s2": Effect((2000.0, 100.0), turned),
    "env.robot.gripper_speed_pct_s": Effect((200.0, 20.0), turned),
    "env.robot.max_relative_target": Effect((5.0, 0.5), turned),
    "env.robot.joint_margin_deg": Effect((1.0, 20.0), turned),
    "env.robot.joint_limits_deg": Effect(({}, {"wrist_roll": [-20.0, 20.0]}), turned),
    "env.simulation.reward": Effect(("sparse", "dense"), driven(STAY)),
    "env.simulation.start_pose_deg": Effect((0.0, 5.0), driven()),
    "env.simulation.object_area": Effect((1.0, 0.0), driven()),
    "env.simulation.light": Effect((0.0, 1.0), pictured, ONE_CAMERA),
    "env.simulation.camera_jitter_deg": Effect((0.0, 5.0), pictured, ONE_CAMERA),
    f"{PROCESSOR}.max_gripper_pos": Effect((40.0, 80.0), driven(OPEN, OPEN)),
    f"{PROCESSOR}.observation.add_joint_velocity_to_observation": Effect((True, False), driven()),
    f"{PROCESSOR}.observation.add_current_to_observation": Effect((True, False), driven()),
    f"{PROCESSOR}.observation.add_ee_pose_to_observation": Effect((True, False), driven()),
    f"{PROCESSOR}.image_preprocessing.crop_params_dict": Effect(
        ({}, {"observation.images.front": [0, 0, 40, 40]}), pictured, ONE_CAMERA
    ),
    f"{PROCESSOR}.image_preprocessing.resize_size": Effect(([32, 32], [48, 64]), pictured, ONE_CAMERA),
    f"{PROCESSOR}.gripper.use_gripper": Effect((True, False), shape_of_actions),
    f"{PROCESSOR}.gripper.gripper_penalty": Effect((-0.02, -0.5), driven(CLOSE)),
    f"{PROCESSOR}.gripper.closed_at": Effect((0, 100), driven(CLOSE, CLOSE)),
    f"{PROCESSOR}.reset.fixed_reset_joint_positions": Effect(
        ([0.0, -2.0, 0.4, 91.7, 2.8, 40.0], [10.0, 0.0, 0.0, 90.0, 0.0, 5.0]), driven()
    ),
    f"{PROCESSOR}.action_space": Effect(("end_effector", "joints"), shape_of_actions),
    f"{PROCESSOR}.joint_step_deg": Effect(
        (5.0, 2.0), driven([1, 0, 0, 0, 0, 1]), {f"{PROCESSOR}.action_space": "joints"}
    ),
    f"{PROCESSOR}.reset.control_time_s": Effect((0.5, 0.8), steps_to_the_end),
    f"{PROCESSOR}.reset.terminate_on_success": Effect((True, False), judged),
    f"{IK}.urdf_path": Effect((None, "{folder}/arm.urdf"), with_urdf),
    f"{IK}.target_frame_name": Effect(("gripper_frame_link", "gripper"), tool_position),
    f"{IK}.end_effector_bounds.min": Effect(
        ([0.18, -0.12, 0.012], [0.18, -0.12, 0.085]), driven([0, 0, -1, 1], [0, 0, -1, 1])
    ),
    f"{IK}.end_effector_bounds.max": Effect(
        ([0.32, 0.12, 0.16], [0.32, 0.12, 0.11]), driven([0, 0, 1, 1], [0, 0, 1, 1])
    ),
    f"{IK}.end_effector_step_sizes.x": Effect((0.02, 0.01), driven([1, 0, 0, 1])),
    f"{IK}.end_effector_step_sizes.y": Effect((0.02, 0.01), driven([0, 1, 0, 1])),
    f"{IK}.end_effector_step_sizes.z": Effect((0.02, 0.01), driven([0, 0, 1, 1])),
}
