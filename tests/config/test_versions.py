"""Files of an older schema version: read as they were meant, told by their own names, rewritten with comments."""

from pathlib import Path

import pytest

from workers.config import ConfigError, load, parse
from workers.config.lines import key_lines
from workers.config.migrate import migrated

V1 = """\
# A first file.
schema_version = 1

[run]
name = "first"                  # its name

[env.robot]
type = "so101_sim"
# how far it may run ahead
max_lead_deg = 5                # of the arm
loop_hz = 60

[env.cameras.front]
type = "sim"
width = 64                      # pixels
height = 64

[env.processor.inverse_kinematics]
end_effector_bounds = { min = [0.18, -0.12, 0.012], max = [0.32, 0.12, 0.16] }   # metres

[env.processor.reset]
fixed_reset_joint_positions = [0, 0, 0, 90, 0, 5]

[teleop]
jog_step = 0.25                 # of a step

# The end.
"""


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, "old.toml")
    return str(caught.value)


def comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]


def test_moved_and_renamed_keys_are_read() -> None:
    config = parse(V1)
    assert config.schema_version == 2
    assert config.env.cameras["front"].width == 64
    assert config.env.arm.max_relative_target == 5
    assert config.env.teleop.jog_step == 0.25


def test_an_absent_key_means_what_it_meant_then() -> None:
    assert parse(V1).env.processor.image_preprocessing.resize_size == (128, 128)
    now = parse(migrated(V1).replace("resize_size = [128, 128]", ""))
    assert now.env.processor.image_preprocessing.resize_size is None


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("width = 64", "width = 1", "15: env.cameras.front.width: 1 found"),
        ("width = 64", "widht = 64", '15: env.cameras.front.widht: unknown key; did you mean "width"?'),
        ("max_lead_deg = 5", "max_lead_deg = 0", "10: env.robot.max_lead_deg: 0 found"),
        ("jog_step = 0.25", "jog_step = 2", "25: teleop.jog_step: 2 found"),
        ("loop_hz = 60", "loop_hz = 15", "11: env.robot.loop_hz: 15 found"),
        ("[teleop]", "[env.teleop]\n[teleop]", "24: env.teleop: a key of schema_version 2"),
        ("[env.cameras.front]", "[env.camera.front]", "13: env.camera: unknown key"),
    ],
)
def test_errors_name_the_key_and_line_of_the_file_itself(right: str, wrong: str, said: str) -> None:
    assert f"old.toml:{said}" in refused(V1.replace(right, wrong, 1))


@pytest.mark.parametrize("version", ["3", "99"])
def test_a_later_version_is_refused(version: str) -> None:
    assert refused(V1.replace("= 1", f"= {version}", 1)) == (
        f"old.toml:2: schema_version: {version} found, but this release reads 1 and 2; "
        "a newer release of hilserl-tui reads it"
    )


@pytest.mark.parametrize("version", ["0", "-1"])
def test_a_version_that_never_was_is_refused(version: str) -> None:
    assert refused(V1.replace("= 1", f"= {version}", 1)).endswith("but this release reads 1 and 2")


@pytest.mark.parametrize("version", ["true", "1.0", '"1"', "[1]"])
def test_a_version_that_is_no_number_is_refused(version: str) -> None:
    assert "schema_version: " in refused(V1.replace("= 1", f"= {version}", 1))


def test_a_missing_version_is_refused() -> None:
    assert "schema_version: missing; it must be 2" in refused(V1.replace("schema_version = 1", ""))


@pytest.mark.parametrize("odd", ["env = 3", "teleop = 3", "[env]\nrobot = 1", "[env]\ncameras = 1"])
def test_values_in_the_way_of_a_move_are_only_refused(odd: str) -> None:
    assert refused(f"schema_version = 1\n{odd}\n").startswith("old.toml:")


def test_rewriting_keeps_meaning_comments_and_layout() -> None:
    new = migrated(V1)
    assert parse(new) == parse(V1)
    assert comments(new) == comments(V1)
    assert key_lines(new)["env", "robot", "max_relative_target"] == 10
    assert "\n[env.robot.cameras.front]\n" in new and "\n[env.teleop]\n" in new
    assert migrated(new) == new


@pytest.mark.parametrize(
    ("right", "other"),
    [
        ('[env.cameras.front]\ntype = "sim"\n', '[env.cameras]\n[env.cameras.front]\ntype = "sim"\n'),
        ("[teleop]\njog_step = 0.25 ", "[ teleop ]\n'jog_step' = 0.25"),
        ("[env.processor.reset]", "[env.processor]\nimage_preprocessing = {}\n[env.processor.reset]"),
        ("[env.processor.reset]", "[env.processor]\nimage_preprocessing.resize_size = [64, 64]\n[env.processor.reset]"),
        ("max_lead_deg = 5 ", "'max_lead_deg' = 5 "),
    ],
)  # fmt: skip
def test_other_ways_to_write_the_same_are_rewritten_too(right: str, other: str) -> None:
    text = V1.replace(right, other)
    assert text != V1
    new = migrated(text)
    assert parse(new) == parse(text)
    assert "schema_version = 2" in new


def test_a_layout_that_cannot_be_rewritten_is_told_with_what_to_do() -> None:
    text = V1.replace('[env.robot]\ntype = "so101_sim"\n', '[env]\nrobot = { type = "so101_sim" }\n')
    text = text.replace("max_lead_deg = 5 ", "").replace("loop_hz = 60\n", "")
    with pytest.raises(ConfigError, match=r"by hand: env\.cameras is env\.robot\.cameras"):
        migrated(text, "old.toml")


def test_a_wrong_file_is_refused_and_not_rewritten() -> None:
    with pytest.raises(ConfigError, match=r"env\.robot\.loop_hz"):
        migrated(V1.replace("loop_hz = 60", "loop_hz = 1"), "old.toml")


def test_problems_found_later_name_the_lines_of_an_old_file_too(tmp_path: Path) -> None:
    from workers.config import load_document

    path = tmp_path / "old.toml"
    path.write_text(V1)
    document = load_document(path)
    assert document.config == load(path)
    document.refuse([])
    with pytest.raises(ConfigError) as caught:
        document.refuse([(("env", "robot", "cameras", "front", "height"), "too low"), (("dataset",), "no")])
    assert str(caught.value) == f"{path}:1: dataset: no\n{path}:16: env.cameras.front.height: too low"
