"""hilserl-tui forward-gamepad hands over to the worker; the token goes by standard input, never into an argument."""

from typing import Any

import pytest
from typer.testing import CliRunner

from hilserl_tui import forwarding
from hilserl_tui.commands import app

PIN, TOKEN = "930dc96954aa5fa3f9df812554e79a60", "3GC2-GGJ2-7USS-TQV1"


class Worker:
    """A process that is started, as far as the console sees it."""

    returncode = 0
    command: tuple[str, ...] = ()
    input: str | None = ""

    def __init__(self, command: list[str], **_: Any) -> None:
        Worker.command = tuple(command)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None: ...
    def communicate(self, said: str | None) -> None:
        Worker.input = said


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding.subprocess, "Popen", Worker)


def test_the_line_from_the_robot_pc_joins_and_forwards() -> None:
    done = CliRunner().invoke(app, ["forward-gamepad", "10.0.0.7:50052", "--pin", PIN, "--token", TOKEN])
    assert done.exit_code == 0
    assert Worker.command[2:] == ("workers.cli", "forward-gamepad", "10.0.0.7:50052", "--pin", PIN)
    assert Worker.input == f"{TOKEN}\n" and TOKEN not in " ".join(Worker.command)


def test_later_the_address_is_enough_and_options_go_on() -> None:
    CliRunner().invoke(app, ["forward-gamepad", "10.0.0.7:50052", "--", "--toggle", "--device", "054c:0ce6"])
    assert Worker.command[3:] == ("forward-gamepad", "10.0.0.7:50052", "--toggle", "--device", "054c:0ce6")
    assert Worker.input is None


def test_half_a_line_is_refused() -> None:
    done = CliRunner().invoke(app, ["forward-gamepad", "10.0.0.7:50052", "--pin", PIN])
    assert done.exit_code != 0 and "copy all of the line" in done.output
