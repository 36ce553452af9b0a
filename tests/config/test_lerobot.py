"""LeRobot's configurations, whole and in parts: what becomes of every key is said, and what is made loads."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.actor.judging import Says, judged_by
from workers.actor.sim_env import sim_env, without_cameras
from workers.config import Config, ConfigError, load, parse
from workers.config.dump import dump
from workers.config.lerobot import Fate, Imported, import_lerobot, names, reading
from workers.config.lerobot.pictures import UNKNOWN_DEVICE, plain_names, views_for
from workers.config.lerobot.report import report
from workers.config.lines import dotted
from workers.robot.checks import problems

FILES = sorted((Path(__file__).parent / "lerobot_files").glob("*.json"))
BASE = load("configs/sim_pick_lift.toml")
PARTS: list[dict[str, Any]] = [
    {"env": {"processor": {"observation": {"add_current_to_observation": True, "display_cameras": False}}}},
    {"env": {"processor": {"image_preprocessing": {"resize_size": [128, 128], "crop_params_dict": {
        "observation.images.front": [180, 250, 120, 150], "observation.images.side": [180, 207, 180, 200]}}}}},
    {"env": {"processor": {"inverse_kinematics": {"urdf_path": "robot.urdf", "target_frame_name": "tip",
        "end_effector_bounds": {"min": [0.16, -0.08, 0.03], "max": [0.24, 0.2, 0.1]}}}}},
    {"env": {"teleop": {"type": "so101_leader", "port": "/dev/ttyACM1", "use_degrees": True}}},
    {"env": {"processor": {"reward_classifier": {"pretrained_path": "judge", "success_threshold": 0.7}}}},
    {"env": {"robot": {}, "teleop": {}}, "mode": None, "device": "cpu"},
    {"policy": {"actor_learner_config": {"policy_parameters_push_frequency": 1}}, "wandb": {"enable": True}},
    {"dataset": {"repo_id": "me/it", "dataset_root": "data/it", "task": "it"}},
]  # fmt: skip


def imported(source: dict[str, Any]) -> Imported:
    return import_lerobot(json.dumps(source), "their.json")


def whole(name: str) -> Imported:
    path = next(path for path in FILES if path.stem == name)
    return import_lerobot(path.read_text(), str(path))


def fates(made: Imported) -> dict[str, tuple[Fate, str]]:
    return {".".join(line.path): (line.fate, line.text) for line in made.lines}


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        import_lerobot(text, "their.json")
    return str(caught.value)


@pytest.mark.parametrize("source", [json.loads(path.read_text()) for path in FILES] + PARTS)
def test_every_key_is_told_and_what_is_made_loads(source: dict[str, Any]) -> None:
    made = imported(source)
    assert parse(dump(made.config)) == made.config
    leaves = dict(reading.leaves(source))
    assert {line.path: line.value for line in made.lines} == leaves
    text = report(made.lines, made.base)
    for path in leaves:
        assert dotted(path) in text
    assert not [line for line in made.lines if line.fate is Fate.UNKNOWN]


@pytest.mark.parametrize("source", [json.loads(path.read_text()) for path in FILES] + PARTS)
def test_what_is_imported_runs_on_the_simulator(source: dict[str, Any]) -> None:
    config = imported(source).config
    if config.env.robot is None:
        pytest.skip("gym-hil has tests of its own")
    assert list(problems(config)) == []
    env, _ = sim_env(without_cameras(config))
    if config.env.processor.reward_classifier is not None:
        judged_by(env, Says(0.1))  # theirs is elsewhere
    env.reset(seed=1)
    observation, *_ = env.step(env.action_space.sample())
    assert np.isfinite(observation["observation.state"]).all()
    env.close()


def value_at(config: Config, path: tuple[str, ...]) -> Any:
    here: Any = config
    for part in path:
        here = here.get(part) if isinstance(here, dict) else getattr(here, part)
    return list(here) if isinstance(here, tuple) else here


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_said_to_be_taken_is_there(path: Path) -> None:
    made = import_lerobot(path.read_text(), str(path))
    plain = [
        line for line in made.lines if line.fate is Fate.TAKEN and line.target and " = " not in line.text
    ]
    for line in plain:
        assert value_at(made.config, line.target) == line.value, line


def test_a_whole_environment() -> None:
    config, told = whole("env_0_6").config, fates(whole("env_0_6"))
    env = config.env
    assert (config.mode, config.dataset.replay_episode, env.fps, env.arm.type) == (
        "replay",
        3,
        12,
        "so101_follower",
    )
    assert (env.arm.port, env.arm.id, env.arm.servo.p, env.arm.speed_limit_deg_s) == (
        "/dev/ttyACM0",
        "follower",
        16,
        50.0,
    )
    assert (config.operator.scripted, config.operator.lost) == (False, "hold")
    assert env.arm.max_relative_target == {"shoulder_pan": 8.0, "gripper": 30.0}
    assert [(name, cam.index_or_path, cam.width, cam.height, cam.fps) for name, cam in env.cameras.items()] == [
        ("front", 0, 640, 480, 30), ("over_head", "/dev/video2", 320, 240, 12),
        ("on_wrist", UNKNOWN_DEVICE, 640, 480, 30),
    ]  # fmt: skip
    assert (env.cameras["front"].fourcc, env.cameras["over_head"].rotation) == ("MJPG", 180)
    assert env.processor.image_preprocessing.crop_params_dict == {
        "observation.images.front": (100, 120, 240, 260), "observation.images.over_head": (0, 0, 200, 200),
    }  # fmt: skip
    assert env.workspace.urdf_path is None and env.workspace.target_frame_name == "gripper_frame_link"
    assert env.processor.reward_classifier is not None
    assert env.processor.reward_classifier.pretrained_path == "me/judge"
    assert env.processor.reward_classifier.success_reward == 2.0
    assert env.processor.gripper.use_gripper
    assert "contradicts" in told["env.teleop.use_gripper"][1]
    assert told["env.processor.control_mode"][0] is Fate.DEAD
    assert told["env.robot.port"][0] is Fate.TAKEN
    assert "parked" in told["env.robot.disable_torque_on_disconnect"][1]
    assert told["env.processor.image_preprocessing.crop_params_dict.observation.images.gone"][0] is Fate.DEAD


def test_training_as_it_is_since_0_6() -> None:
    config = whole("train_0_6").config
    assert (config.run.name, config.run.seed) == ("lift_on_the_bench", 7)
    assert (config.algorithm.batch_size, config.algorithm.online_ratio, config.algorithm.log_freq) == (
        128,
        0.4,
        10,
    )
    assert (config.algorithm.num_critics, config.algorithm.critic_network_kwargs.hidden_dims) == (
        10,
        (512, 256),
    )
    assert config.policy.vision_encoder_name == "helper2424/resnet10"
    assert config.policy.image_encoder_hidden_dim == 32
    assert config.env.processor.image_preprocessing.resize_size == (96, 128)
    assert [camera.view for camera in config.env.cameras.values()] == [None, "side"]
    assert (config.wandb.mode, config.wandb.notes) == ("offline", "first try")


def test_training_as_it_was_up_to_0_5() -> None:
    config, told = whole("train_0_5").config, fates(whole("train_0_5"))
    assert (config.algorithm.temperature_init, config.algorithm.target_entropy) == (0.05, -1.5)
    assert told["policy.temperature_init"] == (Fate.TAKEN, "algorithm.temperature_init")
    assert config.policy.vision_encoder_name == "cnn"
    assert config.policy.policy_kwargs.std_min == 1e-5
    assert not config.wandb.enable
    assert config.env.fps == 30 and config.env.arm.loop_hz == 60
    assert not config.env.processor.gripper.use_gripper
    assert config.env.processor.gripper.gripper_penalty == 0.0
    assert config.env.processor.max_gripper_pos == 100.0
    assert not config.env.processor.observation.add_ee_pose_to_observation
    assert config.env.processor.image_preprocessing.resize_size == (128, 128)
    assert config.checkpoint.save_freq == BASE.checkpoint.save_freq
    assert told["policy.shared_encoder"][0] is Fate.NO_COUNTERPART


@pytest.mark.parametrize("name", ["classifier_0_6", "classifier_0_5"])
def test_a_classifiers_training_leaves_that_of_the_policy_alone(name: str) -> None:
    made = whole(name)
    assert made.config.algorithm == BASE.algorithm and made.config.policy == BASE.policy
    assert fates(made)["batch_size"][0] is Fate.NO_COUNTERPART
    side = 64 if name.endswith("6") else 128
    assert made.config.env.processor.image_preprocessing.resize_size == (side, side)


def test_the_simulation_of_lerobot_is_a_gymnasium_environment() -> None:
    config, told = whole("gym_hil").config, fates(whole("gym_hil"))
    assert (config.env.type, config.env.id, config.env.robot) == (
        "gymnasium",
        "gym_hil/PandaPickCube-v0",
        None,
    )
    assert config.env.kwargs["image_obs"] is True
    assert config.operator.scripted
    assert config.env.processor.gripper.gripper_penalty == -0.02
    assert config.env.processor.gripper.closed_at == 100
    assert config.env.processor.reset.control_time_s == 15.0
    assert config.mode is None and told["mode"][0] is Fate.NO_COUNTERPART
    assert "a window and a device of its own" in told["env.task"][1]


def test_a_simulation_without_a_scripted_person_asks_for_one_at_the_console() -> None:
    config = imported({"env": {"name": "gym_hil", "task": "PandaArrangeBoxesGamepad-v0"}}).config
    assert (config.env.id, config.operator.scripted) == ("gym_hil/PandaArrangeBoxes-v0", False)


def test_a_pose_of_seven_joints_is_that_of_lerobots_simulation() -> None:
    pose = [0.0, 0.195, 0.0, -2.43, 0.0, 2.62, 0.785]
    made = imported({"env": {"processor": {"reset": {"fixed_reset_joint_positions": pose}}}})
    assert made.config.env.type == "gymnasium"


def test_parts_are_completed_by_what_learns_on_the_simulator() -> None:
    made = imported({"algorithm": {"utd_ratio": 4}})
    assert made.config.algorithm.discount == BASE.algorithm.discount
    assert made.config.env == BASE.env


def test_a_block_means_what_it_means_in_lerobot() -> None:
    config = imported(PARTS[0]).config
    observation = config.env.processor.observation
    assert observation.add_current_to_observation and not observation.display_cameras
    assert not observation.add_joint_velocity_to_observation and not observation.add_ee_pose_to_observation


def test_crops_without_cameras_are_of_cameras_as_lerobot_has_them() -> None:
    cameras = imported(PARTS[1]).config.env.cameras
    assert {name: (camera.width, camera.height) for name, camera in cameras.items()} == {
        "front": (640, 480), "side": (640, 480),
    }  # fmt: skip


def test_a_urdf_that_is_there_stays_with_a_frame_it_has(tmp_path: Path) -> None:
    urdf = tmp_path / "arm.urdf"
    urdf.write_text('<robot name="a"><link name="base"/><link name="tip"/></robot>')
    kinematics = {"urdf_path": str(urdf), "target_frame_name": "tip"}
    workspace = imported({"env": {"processor": {"inverse_kinematics": kinematics}}}).config.env.workspace
    assert (workspace.urdf_path, workspace.target_frame_name) == (str(urdf), "tip")
    kinematics["target_frame_name"] = "nose"
    told = fates(imported({"env": {"processor": {"inverse_kinematics": kinematics}}}))
    fate, text = told["env.processor.inverse_kinematics.target_frame_name"]
    assert fate is Fate.NO_COUNTERPART and "only base, tip" in text


def test_bounds_that_keep_the_simulated_arm_from_its_cube_are_told() -> None:
    told = fates(imported(PARTS[2]))
    place = "env.processor.inverse_kinematics.end_effector_bounds"
    assert "z 0.03, not 0.012" in told[f"{place}.min"][1]
    assert "x 0.24, not 0.32" in told[f"{place}.max"][1]


def test_comments_where_something_is_to_fill_in_are_read() -> None:
    text = '{"env": {"fps": 5, "task": "a // b", "robot": {\n // ... the arm ...\n}}, "mode": null // none\n}'
    made = import_lerobot(text)
    assert made.config.env.fps == 5
    assert fates(made)["env.robot"] == (Fate.DEFAULT, "nothing in it")


def test_keys_nobody_knows_are_told() -> None:
    told = fates(imported({"env": {"fps": 10, "speed": 3, "processor": {"blur": {"size": 2}}}, "extra": [1]}))
    assert [key for key, (fate, _) in told.items() if fate is Fate.UNKNOWN] == [
        "env.speed", "env.processor.blur.size", "extra",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "their.json:1: not JSON: "),
        (
            '"end_effector_bounds": {}',
            "their.json:1: not JSON: Extra data; a LeRobot configuration is one object",
        ),
        ("[1]", "their.json:1: not a LeRobot configuration: not an object in braces"),
        ("{}", "their.json:1: not a LeRobot configuration: none of "),
        ('{"name": "something else"}', "not a LeRobot configuration: none of algorithm, dataset, env"),
        ('{"env": {\n"fps": 1, "fps": 2}}', "their.json: fps: this key is given twice in one object"),
        ('{\n"policy": {\n"type": "act"}}', "their.json:3: policy.type: 'act' is no part of HIL-SERL"),
        (
            '{"env": {"type": "aloha"}}',
            "env.type: 'aloha' is no part of HIL-SERL; LeRobot's are gym_manipulator",
        ),
        ('{\n"env": {\n"fps": 0}}', "their.json:3: env.fps: 0 found, but this must be a number (above 0"),
        ('{"env": {"fps": "10"}}', 'env.fps: "10" found, but this must be a number'),
        (
            '{\n"batch_size":\n1, "policy": null}',
            "their.json:2: batch_size: 1 found, but this must be a whole number (at least 2)",
        ),
        ('{"mode": "watch"}', 'their.json:1: mode: "watch" found, but this must be one of'),
        ('{"mode": "record"}', 'their.json:1: mode: "record" needs dataset.root or dataset.repo_id'),
        ('{"env": 3}', "their.json:1: env: 3 found, but this must be an object in braces"),
        (
            '{"env": {"robot": {"cameras": {"a": 1}}}}',
            "env.robot.cameras.a: 1 found, but this must be an object",
        ),
        ("[" * 100_000, "their.json"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_the_reason(text: str, said: str) -> None:
    assert said in refused(text)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "image_preprocessing.crop_params_dict",
            {"observation.images.front": [400, 0, 200, 200]},
            "reaches row 600",
        ),
        ("inverse_kinematics.end_effector_bounds", {"min": [1, 0, 0], "max": [0, 1, 1]}, "is not below max"),
        (
            "inverse_kinematics.end_effector_step_sizes",
            {"x": 0},
            "0 found, but this must be a number (above 0",
        ),
        ("gripper.gripper_penalty", 0.5, "0.5 found, but this must be a number (at least -1, at most 0)"),
        ("reset.fixed_reset_joint_positions", [0, 0], "a list of 6 values"),
    ],
)
def test_values_that_cannot_be_are_refused_by_lerobots_key(key: str, value: Any, said: str) -> None:
    outer, inner = key.split(".")
    text = json.dumps({"env": {"processor": {outer: {inner: value}}}}, indent=1)
    message = refused(text)
    assert message.startswith("their.json:") and f"env.processor.{key}" in message and said in message


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_value_of_any_kind_gets_past_as_another_exception(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(FILES))
    keys = data.draw(st.sampled_from(sorted(reading.lines(path.read_text()))))
    source = json.loads(path.read_text())
    inside = source
    for part in keys[:-1]:
        inside = inside[part]
    inside[keys[-1]] = data.draw(
        st.sampled_from([3, None, [], "x", True, {"a": 1}, {"type": 3}, [[1]], -1.5])
    )
    try:
        made = import_lerobot(json.dumps(source))
    except ConfigError as error:
        assert str(error)
    else:
        assert parse(dump(made.config)) == made.config


def test_lines_of_json_are_found_through_strings_and_lists() -> None:
    text = '{\n"a": {"b": "} \\" {", // "c": 1\n"d": [{"e": 1}, [2]],\n"f": {}},\n"g": 1}'
    assert reading.lines(text)[("a", "d")] == 3
    assert reading.lines(text)[("a", "f")] == 4
    assert reading.lines(text)[("g",)] == 5
    assert ("a", "c") not in reading.lines(text)


def test_cameras_get_views_names_and_no_two_the_same() -> None:
    assert views_for(["top", "wrist_left", "front", "other"]) == ["side", "wrist", "front", "front"]
    assert plain_names(["a-b", "a_b", "9", ""]) == {"a-b": "a_b", "a_b": "a_b_2", "9": "c9", "": "c"}


def test_every_key_lerobot_is_said_to_have_here_exists() -> None:
    from workers.config.explain import explain

    for ours in names.TAKEN.values():
        assert explain(ours).startswith(ours)


def test_training_begins_with_the_demonstrations_of_the_file_s_dataset_and_records_none() -> None:
    made = whole("train_0_6")
    assert made.config.feeds_dataset
    assert fates(made)["dataset.repo_id"][0] is Fate.TAKEN
    training = {"env": {}, "policy": {}, "dataset": {"repo_id": "me/it", "task": "it"}}
    assert fates(imported(training))["dataset.task"] == (Fate.NO_COUNTERPART, names.NO_RECORDING)


def test_a_classifier_s_dataset_is_none_of_the_training_s() -> None:
    assert not whole("classifier_0_6").config.feeds_dataset


def test_an_environment_s_dataset_waits_for_the_mode_that_reads_it() -> None:
    told = fates(imported({"env": {}, "dataset": {"repo_id": "me/it", "task": "it"}}))
    assert (
        told["dataset.repo_id"][0] is Fate.TAKEN
        and 'mode = "record" or "replay"' in told["dataset.repo_id"][1]
    )
    recording = {"env": {}, "mode": "record", "dataset": {"repo_id": "me/it", "task": "it"}}
    assert fates(imported(recording))["dataset.repo_id"] == (Fate.TAKEN, "dataset.repo_id")


@pytest.mark.parametrize("name", ["classifier_0_5", "classifier_0_6"])
def test_a_classifier_s_file_ends_with_what_it_makes_instead(name: str) -> None:
    made = whole(name)
    assert not made.config.wandb.enable
    assert (
        "train-classifier --config FILE` a classifier"
        in report(made.lines, made.base, made.remarks).splitlines()[-1]
    )


def test_recording_from_gym_hil_ends_with_what_it_makes_instead() -> None:
    made = imported({"env": {"name": "gym_hil", "task": "PandaPickCubeGamepad-v0"}, "mode": "record"})
    assert made.config.mode is None
    assert "only trains or evaluates here" in report(made.lines, made.base, made.remarks).splitlines()[-1]
