import fcntl
import os
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from hilserl_tui import commands
from hilserl_tui.commands import app, with_command
from hilserl_tui.launch import LAST_LINES, Launch, LaunchError, last_lines
from workers.config.ready import ready_config
from workers.model.places import StationLock, lock_path, write_lock

run = CliRunner()


@pytest.fixture(autouse=True)
def nobody_else(tmp_path, monkeypatch):
    """No run of another station is seen."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(commands, "STARTS_WITHIN_S", 0.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "no configuration was named"),
        (["nowhere.toml"], "no such file"),
        (["attach", "lost"], "no run 'lost' is alive"),
        (["attach"], "no run is alive"),
        (["down"], "no run is alive"),
        (["replay-run", "nowhere"], "no recording"),
        (["crop", "nowhere.toml"], "no such file"),
        (["crop", str(ready_config()), "--dataset", "lift"], "the console needs a terminal"),
        (["--no-such-option"], "No such option"),
    ],
)
def test_bad_input_is_a_message_and_exit_code_2(arguments, words):
    result = run.invoke(app, with_command(arguments))
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("typed", "meant"), [("statsu", "`hilserl-tui status`?"), ("xyz", "hilserl-tui --help")]
)
def test_a_mistyped_command_is_told_and_the_nearest_named(typed, meant, capsys):
    with pytest.raises(SystemExit) as left:
        with_command([typed])
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert f"no command {typed}" in told and meant in told


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


def test_what_a_refusing_station_says_is_shown_as_it_is(tmp_path):
    launch = Launch(tmp_path / "nowhere.toml", tmp_path / "run")
    assert launch.failed() is None
    launch.begin()
    end = time.monotonic() + 20
    while (why := launch.failed()) is None:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert launch.refused
    assert why.startswith(f"{tmp_path / 'nowhere.toml'}: no such file")


def test_a_dead_stations_last_lines_are_shown(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "false")
    launch = Launch(tmp_path / "any.toml", tmp_path / "run")
    launch.begin()
    end = time.monotonic() + 20
    while (why := launch.failed()) is None:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not launch.refused
    assert "exit code 1" in why and "it wrote nothing" in why
    assert str(tmp_path / "run" / "station.out") in why


def test_only_the_end_of_a_long_output_is_shown(tmp_path):
    (tmp_path / "station.out").write_text("\n".join(f"line {i}" for i in range(50)))
    shown = last_lines(tmp_path / "station.out").split("\n")
    assert len(shown) == LAST_LINES
    assert shown[-1].strip() == "line 49"
    assert last_lines(tmp_path / "none") == "  (it wrote nothing)"


def test_a_run_directory_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LaunchError, match="what to do"):
        Launch(tmp_path / "c.toml", tmp_path / "file" / "run")


def test_the_short_way_in_refuses_in_the_same_words(tmp_path):
    command = [sys.executable, "-m", "hilserl_tui.cli", str(tmp_path / "nowhere.toml"), "--start"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("flag", ["--resume", "--fresh"])
def test_how_to_begin_is_handed_to_the_station(flag, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(ready_config().read_text().replace('directory = "runs"', f'directory = "{tmp_path}"'))
    launch = Launch(config, tmp_path / "sim_pick_lift", [flag, "--name", "../elsewhere"])
    launch.begin()
    end = time.monotonic() + 20
    while (why := launch.failed()) is None:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert launch.refused and why.startswith(
        "--name ../elsewhere"
    )  # it was read, and the flag before it taken


def held(run_dir, socket):
    """The lock of a station that is alive on `run_dir`; the file must be kept."""
    run_dir.mkdir()
    write_lock(run_dir, StationLock(os.getpid(), 1, socket, "c.toml", "mine"))
    file = lock_path(run_dir).open("ab")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def test_a_run_that_is_alive_cannot_begin_in_another_way(tmp_path):
    with held(tmp_path / "run", "/somewhere"), pytest.raises(LaunchError, match="--fresh comes too late"):
        Launch(tmp_path / "c.toml", tmp_path / "run", ["--fresh"])


def test_a_learner_in_the_runs_folder_is_named(tmp_path):
    with held(tmp_path / "run", ""), pytest.raises(LaunchError, match=r"a learner .* keeps its files"):
        Launch(tmp_path / "c.toml", tmp_path / "run")
