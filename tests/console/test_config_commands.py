"""The commands around a configuration file, as they are typed."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilserl_tui.commands import app, with_command
from tests.config.test_versions import V1
from workers.config import load

run = CliRunner()


def said(*arguments: str, code: int = 0) -> str:
    result = run.invoke(app, with_command(list(arguments)))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def test_a_key_is_explained() -> None:
    assert "at least 1" in said("config", "explain", "utd_ratio")
    assert "did you mean algorithm.utd_ratio?" in said("config", "explain", "utd_rati", code=2)


def test_an_old_file_is_rewritten_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text(V1)
    before = load(path)
    assert str(tmp_path / "old.toml.before") in said("config", "migrate", str(path))
    assert tomllib.loads(path.read_text())["schema_version"] == 2
    assert load(path) == before
    assert (tmp_path / "old.toml.before").read_text() == V1
    assert "already" in said("config", "migrate", str(path))


def test_no_kept_file_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    for _ in range(2):
        path.write_text(V1)
        said("config", "migrate", str(path))
    assert {found.name for found in tmp_path.iterdir()} == {
        "old.toml",
        "old.toml.before",
        "old.toml.before.1",
    }


def test_a_wrong_file_is_not_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text(V1.replace("loop_hz = 60", "loop_hz = 1"))
    assert f"{path}:11: env.robot.loop_hz" in said("config", "migrate", str(path), code=2)
    assert [found.name for found in tmp_path.iterdir()] == ["old.toml"]


def test_the_schema_is_written_to_the_screen_or_a_file(tmp_path: Path) -> None:
    assert json.loads(said("config", "schema"))["title"] == "hilserl-tui configuration"
    path = tmp_path / "it.json"
    assert "#:schema ./it.json" in said("config", "schema", "--output", str(path))
    assert json.loads(path.read_text())["$schema"].endswith("2020-12/schema")
    assert "cannot be written" in said("config", "schema", "--output", str(tmp_path / "no" / "it"), code=2)


def test_a_configuration_of_lerobot_is_imported(tmp_path: Path) -> None:
    source = tmp_path / "theirs.json"
    source.write_text(
        '{"env": {"fps": 5, "processor": {"control_mode": "gamepad"}}, "policy": {"latent_dim": 32}}'
    )
    text = said("import-lerobot", str(source))
    assert "dead in LeRobot:\n  env.processor.control_mode" in text
    assert f"Next: hilserl-tui config check {tmp_path / 'theirs.toml'}" in text
    made = load(tmp_path / "theirs.toml")
    assert (made.env.fps, made.policy.latent_dim, made.run.name) == (5, 32, "theirs")
    assert "exists already" in said("import-lerobot", str(source), code=2)
    said("import-lerobot", str(source), "--output", str(tmp_path / "other.toml"))


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"policy": {"type": "act"}}', "\x00"])
def test_what_is_no_configuration_of_lerobot_is_refused(tmp_path: Path, text: str) -> None:
    source = tmp_path / "theirs.json"
    source.write_text(text)
    assert str(source) in said("import-lerobot", str(source), code=2)
    assert not (tmp_path / "theirs.toml").exists()


def test_a_missing_file_is_told() -> None:
    for command in (["import-lerobot"], ["config", "migrate"]):
        assert "no such file" in said(*command, "nowhere.json", code=2)


def test_importing_needs_no_heavy_library() -> None:
    code = (
        "import sys\nfrom hilserl_tui.commands import app\nimport workers.config.lerobot, workers.config.explain\n"
        "import workers.config.json_schema, workers.config.migrate\n"
        "print(sorted({'torch', 'numpy', 'textual', 'pinocchio', 'mujoco'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"
