"""What a person can get wrong in a configuration is refused with file, line and key, before anything is started."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.config.effects_arm import urdf_file
from workers.cli import app
from workers.config.ready import ready_config

READY = ready_config().read_text()
IK, PROCESSOR = "env.processor.inverse_kinematics", "env.processor"
CROPS = f"{PROCESSOR}.image_preprocessing.crop_params_dict"
BOX, STEP = f"{IK}.end_effector_bounds.max", f"{IK}.end_effector_step_sizes"
RESET = f"{PROCESSOR}.reset.fixed_reset_joint_positions"
BOUNDS = "end_effector_bounds = { min = [0.18, -0.12, 0.012], max = [0.32, 0.12, 0.16] }"
SIZES = "end_effector_step_sizes = { x = 0.02, y = 0.02, z = 0.02 }"
POSE = "[0.0, -2.0, 0.4, 91.7, 2.8, 40.0]"
ARM = 'type = "so101_sim"'
FRAME = 'target_frame_name = "gripper_frame_link"'


def line_of(text: str, part: str) -> int:
    (number,) = (number for number, line in enumerate(text.splitlines(), start=1) if part in line)
    return number


def checked(tmp_path: Path, text: str) -> tuple[int, str]:
    path = tmp_path / "my.toml"
    path.write_text(text)
    result = CliRunner().invoke(app, ["check", "--config", str(path)])
    assert "Traceback" not in result.output
    return result.exit_code, result.output.replace(str(path), "my.toml")


@pytest.mark.parametrize(
    ("right", "wrong", "key", "said"),
    [
        (BOUNDS, BOUNDS.replace("0.32", "0.18"), BOX, "x: min 0.18 m is not below max 0.18 m"),
        (BOUNDS, BOUNDS.replace("0.012]", "0.2]"), BOX, "z: min 0.2 m is not below max 0.16 m"),
        (SIZES, SIZES.replace("y = 0.02", "y = 0.0"), f"{STEP}.y", "0.0 found, but this must be a number (above 0"),
        (SIZES, SIZES.replace("z = 0.02", "z = nan"), f"{STEP}.z", "nan found"),
        (POSE, "[0.0, -60.0, 30.0, 90.0, 0.0, 40.0]", RESET, "outside end_effector_bounds: x is"),
        (POSE, "[170.0, 0.0, 0.0, 90.0, 0.0, 40.0]", RESET, "shoulder_pan at 170 degrees is outside"),
        (FRAME, f'{FRAME}\nurdf_path = "nowhere/arm.urdf"', f"{IK}.urdf_path", "nowhere/arm.urdf"),
        (FRAME, 'target_frame_name = "end_effector"', f"{IK}.target_frame_name", "it has base, shoulder"),
        (ARM, f"{ARM}\nuse_degrees = false", "env.robot.use_degrees", "must be true: kinematics needs degrees"),
    ],
)  # fmt: skip
def test_the_file_the_line_and_the_key_are_told(
    right: str, wrong: str, key: str, said: str, tmp_path: Path
) -> None:
    text = READY.replace(right, wrong)
    code, output = checked(tmp_path, text)
    assert code == 2
    place = line_of(text, wrong.splitlines()[-1])
    told = [line for line in output.splitlines() if line.startswith(f"my.toml:{place}: {key}: ")]
    assert any(said in line for line in told), output


@pytest.mark.parametrize(
    ("crop", "said"),
    [
        ('"observation.images.front" = [100, 0, 64, 64]', "reaches row 164 and column 64, but the camera has 128 rows"),
        ('"observation.images.side" = [0, 90, 64, 64]', "reaches row 64 and column 154, but the camera has 128 rows"),
        ('"observation.images.top" = [0, 0, 64, 64]', 'no such camera; valid keys here: "observation.images.front"'),
        ('"front" = [0, 0, 64, 64]', "no such camera"),
        ('"observation.images.front" = [-1, 0, 64, 64]', "[-1, 0, 64, 64] found"),
        ('"observation.images.front" = [0, 0, 64]', "a list of 4 values"),
    ],
)  # fmt: skip
def test_a_crop_that_cannot_be_is_told(crop: str, said: str, tmp_path: Path) -> None:
    text = f"{READY}\n[{CROPS}]\n{crop}\n"
    code, output = checked(tmp_path, text)
    name = crop.partition(" = ")[0]
    assert code == 2
    place, key = line_of(text, crop), f"{CROPS}.{name if '.' in name else name.strip(chr(34))}"
    assert f"my.toml:{place}: {key}: " in output and said in output


@pytest.mark.parametrize(
    "content", ["", "no xml", "<robot/>", '<robot name="a"><link name="only"/></robot>', None]
)
def test_a_urdf_that_is_no_arm_is_told(content: str | None, tmp_path: Path) -> None:
    urdf = tmp_path / "arm.urdf"
    if content is None:
        urdf.mkdir()
    else:
        urdf.write_text(content)
    text = READY.replace(FRAME, f'{FRAME}\nurdf_path = "{urdf}"')
    code, output = checked(tmp_path, text)
    assert code == 2
    assert f"my.toml:{line_of(text, 'urdf_path')}: {IK}.urdf_path: " in output


def test_a_frame_that_the_users_urdf_lacks_is_told_with_those_it_has(tmp_path: Path) -> None:
    urdf_file(tmp_path)
    text = READY.replace(FRAME, f'target_frame_name = "tip"\nurdf_path = "{tmp_path / "arm.urdf"}"')
    code, output = checked(tmp_path, text)
    assert code == 2
    assert f"my.toml:{line_of(text, 'target_frame_name')}: {IK}.target_frame_name: " in output
    assert "gripper_frame_link" in output


def test_what_is_fine_is_told_in_a_line(tmp_path: Path) -> None:
    code, output = checked(tmp_path, READY)
    assert code == 0
    assert output == (
        "my.toml is fine: pick_lift on so101_sim at 10 Hz; cameras front 128x128, side 128x128, as 128x128 to the"
        " policy; state of 22 figures; action of 3 axes and gripper\n"
    )


def test_the_console_and_the_station_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    text = READY.replace(POSE, "[0.0, -60.0, 30.0, 90.0, 0.0, 40.0]")
    path.write_text(text.replace('directory = "runs"', f'directory = "{tmp_path}"'))
    commands = (
        [sys.executable, "-m", "hilserl_tui.cli", "config", "check", str(path)],
        [sys.executable, "-m", "workers.cli", "station", "--config", str(path)],
    )
    said = set()
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        said.add(done.stderr)
    (text,) = said
    assert text.startswith(f"{path}:") and "outside end_effector_bounds" in text
