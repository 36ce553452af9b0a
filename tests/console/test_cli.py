import pytest
from typer.testing import CliRunner

from hilserl_tui.cli import app, with_command
from hilserl_tui.launch import LAST_LINES, Launch, last_lines

run = CliRunner()


@pytest.fixture(autouse=True)
def nobody_else(tmp_path, monkeypatch):
    """No run of another station is seen."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no configuration was named"),
        (["nowhere.toml"], "no such file"),
        (["attach", "lost"], "no run 'lost' is alive"),
        (["attach"], "no run is alive"),
        (["down"], "no run is alive"),
        (["replay-run", "nowhere"], "no recording"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_bad_input_is_a_message_and_exit_code_2(arguments, words):
    result = run.invoke(app, with_command(arguments))
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


def test_a_wrong_configuration_names_file_and_line(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text('schema_version = 1\n[run]\nname = "a"\nsead = 3\n')
    result = run.invoke(app, with_command([str(path)]))
    assert result.exit_code == 2
    assert f"{path}:4" in result.output
    assert "seed" in result.output


def test_status_of_nothing_is_said():
    result = run.invoke(app, ["status"])
    assert result.exit_code == 0
    assert "no run is alive" in result.output


def test_a_dead_stations_last_lines_are_shown(tmp_path):
    class Dead:
        returncode = 2

        def poll(self):
            return 2

    (tmp_path / "station.out").write_text("\n".join(f"line {i}" for i in range(50)))
    why = Launch(tmp_path, tmp_path / "s", Dead()).failed()
    assert why is not None
    assert "exit code 2" in why
    assert "line 49" in why
    assert f"line {49 - LAST_LINES}\n" not in why
    assert last_lines(tmp_path / "none") == "  (it wrote nothing)"
