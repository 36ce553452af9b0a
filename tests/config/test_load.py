"""What the loader promises the operator: file, line, key, and what would be right, all at once."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.config import EXIT_CODE, ConfigError, load, parse

NO_CAMERA = 'no such camera; valid keys here: "observation.images.front"'
MINIMAL = """\
schema_version = 2
[run]
name = "first"
[env.robot]
type = "so101_sim"
[env.robot.cameras.front]
type = "sim"
[env.processor.inverse_kinematics.end_effector_bounds]
min = [0.18, -0.12, 0.012]
max = [0.32, 0.12, 0.16]
[env.processor.reset]
fixed_reset_joint_positions = [0, 0, 0, 90, 0, 5]
"""
READY = sorted(Path("configs").glob("*.toml"))
FULL = Path("configs/sim_pick_lift.toml").read_text()


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, "my.toml")
    return str(caught.value)


@pytest.mark.parametrize("path", READY, ids=lambda path: path.name)
def test_every_ready_configuration_loads(path: Path) -> None:
    assert load(path).schema_version == 2


def test_the_least_a_configuration_needs_is_small() -> None:
    config = parse(MINIMAL)
    assert config.env.fps == 10.0
    assert config.run_dir == Path("runs/first")
    assert config.simulated


def test_whole_numbers_do_where_numbers_are_asked() -> None:
    config = parse(MINIMAL + "[algorithm]\ngrad_clip_norm = 40\n")
    assert isinstance(config.algorithm.grad_clip_norm, float)


def test_a_misspelt_key_names_file_line_and_nearest_key() -> None:
    assert refused(MINIMAL + "[policy]\nlatent_dims = 64\n") == (
        'my.toml:14: policy.latent_dims: unknown key; did you mean "latent_dim"?'
    )


def test_a_key_of_another_section_is_sent_there() -> None:
    assert "env.teleop.batch_size: unknown key; it belongs to algorithm.batch_size" in refused(
        MINIMAL + "[env.teleop]\nbatch_size = 64\n"
    )


def test_a_key_like_no_other_gets_the_choice() -> None:
    assert "valid keys here: type, jog_step" in refused(MINIMAL + "[env.teleop]\nqqq = 1\n")


def test_all_problems_are_told_together_in_the_order_of_the_file() -> None:
    text = MINIMAL.replace('name = "first"', "nam = 3") + "[env]\nfps = 0\n[checkpoint]\nkeep = 1\nsave = 2\n"
    lines = refused(text).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["my.toml:3", "run.nam"],
        ["my.toml:14", "env.fps"],
        ["my.toml:16", "checkpoint.keep"],
        ["my.toml:17", "checkpoint.save"],
    ]


def test_a_misspelt_section_is_told_once() -> None:
    assert refused(MINIMAL.replace("[run]", "[rum]")) == 'my.toml:2: rum: unknown key; did you mean "run"?'


def test_a_missing_key_says_what_it_must_be() -> None:
    assert refused(MINIMAL.replace('name = "first"\n', "")) == (
        "my.toml:2: run.name: missing; it must be 1 to 64 letters, digits, '.', '_' or '-', "
        "starting with a letter or digit"
    )


@pytest.mark.parametrize(
    ("section", "value", "said"),
    [
        ("algorithm", "utd_ratio = 2.5", "2.5 found, but this must be a whole number (at least 1)"),
        ("algorithm", "discount = 1.0", "1.0 found, but this must be a number (above 0, below 1)"),
        ("algorithm", "online_ratio = true", "true found, but this must be a number (at least 0, at most 1)"),
        ("algorithm", "actor_lr = nan", "nan found, but this must be a number (above 0)"),
        ("algorithm", "critic_lr = inf", "inf found"),
        ("algorithm", "target_entropy = -inf", "-inf found"),
        ("policy", 'vision_encoder_name = "resnet50"', '"resnet18", a hub id such as "lerobot/resnet10"'),
        ("policy", "input_downsample = 3", "3 found, but this must be one of 1, 2"),
        ("policy", "actor_network_kwargs = 256", "a table with the keys hidden_dims"),
        ("policy", 'device = "gpu"', '"gpu" found, but this must be "cpu", "cuda", "cuda:<n>" or "mps"'),
        ("operator", "scripted = 1", "1 found, but this must be true or false"),
        ("operator", 'demonstrations = "20"', '"20" found, but this must be a whole number (at least 0)'),
        ("env", "fps = -1", "-1 found, but this must be a number (above 0, at most 100)"),
        ("env.processor.image_preprocessing", "resize_size = [128]", "a list of 2 values"),
        (
            "env.processor.image_preprocessing",
            "resize_size = [127, 128]",
            "a whole number (even, at least 32",
        ),
        ("env.processor.gripper", "gripper_penalty = 0.02", "(at least -1, at most 0)"),
        ("env.teleop", "type = {}", 'a table found, but this must be one of "display_keyboard"'),
    ],
)
def test_a_wrong_value_says_what_was_found_and_what_is_right(section: str, value: str, said: str) -> None:
    message = refused(MINIMAL + f"[{section}]\n{value}\n")
    assert message.startswith(f"my.toml:14: {section}.{value.split(' =')[0]}: ")
    assert said in message


@pytest.mark.parametrize("dims", ["[]", "[0]", "256"])
def test_a_network_needs_a_layer(dims: str) -> None:
    assert refused(MINIMAL + f"[algorithm.critic_network_kwargs]\nhidden_dims = {dims}\n") == (
        f"my.toml:14: algorithm.critic_network_kwargs.hidden_dims: {dims} found, but this must be "
        "a list of 1 to 8 values, each a whole number (at least 1, at most 8192)"
    )


@pytest.mark.parametrize("name", ["cnn", "lerobot/resnet10", "weights/mine.safetensors", "/w/r.safetensors"])
def test_an_encoder_is_a_name_a_hub_id_or_a_file(name: str) -> None:
    assert parse(MINIMAL + f'[policy]\nvision_encoder_name = "{name}"\n').policy.vision_encoder_name == name


def test_a_section_that_is_no_table_is_refused_with_its_keys() -> None:
    assert "a table with the keys type, jog_step" in refused(MINIMAL + '[env]\nteleop = "keyboard"\n')


def test_a_configuration_needs_a_camera() -> None:
    without = MINIMAL.replace('[env.robot.cameras.front]\ntype = "sim"\n', "")
    wanted = "it must be a table with at least one entry"
    assert refused(without) == f"my.toml:4: env.robot.cameras: missing; {wanted}"
    assert refused(without + "[env.robot.cameras]\n").startswith(
        "my.toml:11: env.robot.cameras: a table found, but this must be"
    )


def test_a_camera_name_has_no_dots() -> None:
    message = refused(MINIMAL.replace("[env.robot.cameras.front]", '[env.robot.cameras."front.left"]'))
    assert (
        'my.toml:6: env.robot.cameras."front.left": "front.left" found, but this must be a letter' in message
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        ("[0.32, -0.12, 0.012]", "[0.18, 0.12, 0.16]", "x: min 0.32 m is not below max 0.18 m"),
        ("[0.18, -0.12, 0.012]", "[0.32, 0.12, 0.02]", "z: only 0.8 cm wide; 3 cm is the least"),
        (
            "[0.18, -120, 0.012]",
            "[0.32, 120, 0.16]",
            "y: more than 1 m away, out of any reach",
        ),
    ],
)
def test_a_box_that_is_no_workspace_is_refused(low: str, high: str, said: str) -> None:
    text = MINIMAL.replace("[0.18, -0.12, 0.012]", low).replace("[0.32, 0.12, 0.16]", high)
    assert f"my.toml:10: env.processor.inverse_kinematics.end_effector_bounds.max: {said}" in refused(text)


def test_a_box_of_exactly_the_least_width_is_accepted() -> None:
    assert parse(MINIMAL.replace("[0.32, 0.12, 0.16]", "[0.21, 0.12, 0.16]"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('"observation.images.top" = [0, 0, 64, 64]', NO_CAMERA),
        ('"front" = [0, 0, 64, 64]', NO_CAMERA),
        (
            '"observation.images.front" = [100, 0, 64, 64]',
            "reaches row 164 and column 64, but",
        ),
        ("observation.images.front = [0, 0, 64, 64]", "a table found"),
    ],
)
def test_a_crop_belongs_to_a_camera_and_lies_inside_it(more: str, said: str) -> None:
    message = refused(MINIMAL + f"[env.processor.image_preprocessing.crop_params_dict]\n{more}\n")
    assert message.startswith("my.toml:14: ") and said in message


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[algorithm]\nnum_subsample_critics = 3", "more than num_critics (2)"),
        ("[algorithm]\nbc_weight = 0.0\nbc_decay_updates = 3", "does nothing while bc_weight is 0"),
        ("[algorithm]\nbc_weight = 0.0\nbc_q_filter = true", "does nothing while bc_weight is 0"),
        ("[policy.policy_kwargs]\nstd_min = 2\nstd_max = 1", "2 is not below std_max (1)"),
        ('[policy]\nvision_encoder_name = "resnet18"\ninput_downsample = 1', 'only "cnn" has it'),
        ("[policy]\nfeature_replay = 1", "only features of a frozen ResNet stay as they are"),
        (
            '[policy]\nvision_encoder_name = "resnet10"\nfreeze_vision_encoder = false\nfeature_replay = 1',
            "only features of a frozen ResNet stay as they are",
        ),
        (
            '[policy]\nvision_encoder_name = "resnet10"\nfeature_replay = 2\n[algorithm]\nrandom_shift_px = 0',
            "all shifts of a frame are the same",
        ),
        ("[policy]\nonline_buffer_capacity = 10", "more than online_buffer_capacity (10)"),
        ("[operator]\ndemonstrations = 0\n[algorithm]\nonline_ratio = 0.0", "operator.demonstrations is 0"),
        (
            "[operator]\ndemonstrations = 0\n[algorithm]\nbc_pretrain_updates = 9",
            "operator.demonstrations is 0",
        ),
        ("[operator]\nfailures = 0.5", 'only a recording (mode = "record")'),
        ("[env]\nfps = 40", "50 is less than twice env.fps (40)"),
        ("[env]\nfps = 0.04", "shorter than one step"),
        ("[env.robot.cameras.side]\ntype = 'sim'\nfps = 5", "5 is below env.fps (10)"),
    ],
)
def test_values_that_contradict_each_other_are_refused(more: str, said: str) -> None:
    assert said in refused(MINIMAL + more + "\n")


@pytest.mark.parametrize(
    ("pose", "said"),
    [
        ("[0, 0, 0, 200, 0, 5]", "the first five are joint angles in degrees, -180 to 180"),
        ("[0, 0, 0, 90, 0, 101]", "the sixth is the gripper in percent open, 0 to 100"),
        ("[0, 0, 0, 90, 0]", "[0, 0, 0, 90, 0] found, but this must be a list of 6 values, each a number"),
    ],
)
def test_a_reset_pose_the_arm_cannot_take_is_refused(pose: str, said: str) -> None:
    message = refused(MINIMAL.replace("[0, 0, 0, 90, 0, 5]", pose))
    assert message == f"my.toml:12: env.processor.reset.fixed_reset_joint_positions: {said}"


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 65, "a b"])
def test_a_run_name_cannot_leave_its_folder(name: str) -> None:
    assert "my.toml:3: run.name: " in refused(MINIMAL.replace("first", name))


def test_text_that_is_not_toml_is_refused_with_its_line() -> None:
    assert refused("[run]\nname = \n") == "my.toml:2: not valid TOML: Invalid value"


def test_a_key_given_twice_is_refused_with_its_line() -> None:
    assert refused('[run]\nname = "a"\nname = "b"\n').startswith(
        "my.toml:3: not valid TOML: Cannot overwrite"
    )


def test_a_missing_file_says_which_one_was_meant(tmp_path: Path) -> None:
    (tmp_path / "sim_pick_lift.toml").write_text(FULL)
    with pytest.raises(ConfigError, match=r"sim_pick\.toml: no such file; did you mean .*lift\.toml\?"):
        load(tmp_path / "sim_pick.toml")


def test_a_folder_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this is a folder"):
        load(tmp_path)
    (tmp_path / "picture.toml").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "picture.toml")


def test_the_exit_code_of_a_refusal_is_2() -> None:
    assert EXIT_CODE == 2


def keys_of(text: str) -> list[tuple[int, str]]:
    """(line, key) of each line of the ready configuration that sets a key of the schema."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, _ = line.partition(" = ")
        if equals and key.replace("_", "").isalnum() and len(key) > 3:
            found.append((number, key))
    return found


@st.composite
def misspelling(draw: st.DrawFn, word: str) -> str:
    """`word` with one letter dropped, doubled, replaced or swapped with the next."""
    at = draw(st.integers(0, len(word) - 2))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_"))
    return draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + word[at] + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        ).filter(lambda made: made != word)
    )


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_any_misspelt_key_is_told_with_file_line_and_nearest(data: st.DataObject) -> None:
    number, key = data.draw(st.sampled_from(keys_of(FULL)))
    wrong = data.draw(misspelling(key))
    lines = FULL.splitlines(keepends=True)
    lines[number - 1] = lines[number - 1].replace(key, wrong, 1)
    message = refused("".join(lines))
    assert any(
        line.startswith(f"my.toml:{number}: ") and f"{wrong}: unknown key" in line and f'"{key}"' in line
        for line in message.splitlines()
    ), message


ODD = ["0", "-1", "1e300", "nan", '""', '"x"', "[]", "[[1]]", "{}", "{a = 1}", "true", "1979-05-27"]


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_value_of_any_kind_gets_past_as_another_exception(data: st.DataObject) -> None:
    number, key = data.draw(st.sampled_from(keys_of(FULL)))
    value = data.draw(
        st.sampled_from(
            ["0", "-1", "1e300", "nan", '""', '"x"', "[]", "[[1]]", "{}", "{a = 1}", "true", "1979-05-27"]
        )
    )
    lines = FULL.splitlines(keepends=True)
    lines[number - 1] = f"{key} = {value}\n"
    try:
        parse("".join(lines), "my.toml")
    except ConfigError as error:
        assert str(error).startswith("my.toml:")
