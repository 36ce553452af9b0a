"""The line from a learner's screen: read however it is pasted, its token never in an argument list."""

import subprocess
from pathlib import Path

import msgspec
import pytest
from textual.widgets import Input, Static
from typer.testing import CliRunner

from hilserl_tui import joining
from hilserl_tui.app import Console
from hilserl_tui.commands import app, with_command
from hilserl_tui.screens.join import Join
from tests.console import demo
from tests.console.still import Still, settle
from workers.config import load
from workers.config.ready import ready_config
from workers.model.reduce import reduce

PIN, TOKEN = "930dc96954aa5fa3f9df812554e79a60", "3GC2-GGJ2-7USS-TQV1"
LINE = f"hilserl-tui join 10.0.0.5:50051 --pin {PIN} --token {TOKEN}"
TERMS = LINE.removeprefix("hilserl-tui join ")


class Worker:
    """`hilserl-worker join`, as far as the console sees it."""

    def __init__(self, code: int = 0, words: str = "joined the learner at 10.0.0.5:50051") -> None:
        self.code, self.words = code, words
        self.commands: list[list[str]] = []
        self.input: list[str] = []

    def __call__(self, command: list[str], *, input: str, **_: object) -> subprocess.CompletedProcess[str]:
        self.commands.append(command)
        self.input.append(input)
        said = self.words + "\n"
        return subprocess.CompletedProcess(
            command, self.code, "" if self.code else said, said if self.code else ""
        )


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = Worker()
    monkeypatch.setattr(joining.subprocess, "run", made)
    return made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(ready_config().read_text())
    return path


@pytest.mark.parametrize(
    "arguments",
    [LINE.split()[1:], ["join", TERMS], ["join", LINE], [LINE], [LINE, "--config", "CONFIG"]],
    ids=str,
)
def test_the_line_is_taken_as_words_in_quotes_or_whole(
    arguments: list[str], worker: Worker, config: Path
) -> None:
    arguments = [argument.replace("CONFIG", str(config)) for argument in arguments]
    result = CliRunner().invoke(app, with_command(arguments))
    assert result.exit_code == 0, result.output
    assert "joined the learner" in result.output
    told = config.read_text() if "--config" in arguments else result.output
    assert 'learner_host = "10.0.0.5"' in told and "learner_port = 50051" in told


def test_the_token_goes_to_the_worker_by_its_input_only(worker: Worker) -> None:
    CliRunner().invoke(app, with_command([LINE]))
    assert worker.input == [TOKEN + "\n"]
    assert TOKEN not in " ".join(worker.commands[0]) and PIN in worker.commands[0]
    assert TOKEN not in repr(joining.parse(LINE))


def test_without_arguments_the_line_is_asked_for(worker: Worker) -> None:
    result = CliRunner().invoke(app, ["join"], input=LINE + "\n")
    assert result.exit_code == 0
    assert worker.input == [TOKEN + "\n"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "join",
        "10.0.0.5:50051",
        f"10.0.0.5 --pin {PIN} --token {TOKEN}",
        f"{TERMS} --more 1",
        '"',
        "a:0 --pin",
    ],
)
def test_what_is_no_join_line_is_refused_with_its_shape(text: str) -> None:
    with pytest.raises(joining.NoJoin, match="HOST:PORT --pin PIN --token TOKEN"):
        joining.parse(text)


def test_a_refusal_is_the_workers_own_words_and_exit_code_2(worker: Worker) -> None:
    worker.code, worker.words = 2, "This token is older than ten minutes."
    result = CliRunner().invoke(app, with_command([LINE]))
    assert result.exit_code == 2
    assert "older than ten minutes" in result.output


def test_the_learner_is_written_into_a_configuration_and_comments_stay(worker: Worker, config: Path) -> None:
    before = config.read_text()
    result = CliRunner().invoke(app, with_command([*LINE.split()[1:], "--config", str(config)]))
    assert result.exit_code == 0, result.output
    link = load(config).policy.actor_learner_config
    assert (link.learner_host, link.learner_port) == ("10.0.0.5", 50051)
    kept = [line for line in config.read_text().splitlines() if not line.startswith("learner_")]
    assert kept == before.splitlines()


def test_a_configuration_that_is_not_there_costs_no_token(worker: Worker, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, with_command([*LINE.split()[1:], "--config", str(tmp_path / "no.toml")]))
    assert result.exit_code == 2
    assert "no such file" in result.output
    assert worker.commands == []


def test_an_address_of_version_6_loses_its_brackets_in_the_configuration() -> None:
    line = joining.parse(f"[fe80::1]:50051 --pin {PIN} --token {TOKEN}")
    assert (line.host, line.port) == ("fe80::1", 50051)


def said(console: Console) -> str:
    return str(console.screen.query_one(Static).render())


async def test_the_console_has_a_field_for_the_line_and_writes_the_configuration(
    worker: Worker, config: Path
) -> None:
    opened = msgspec.structs.replace(demo.OPENED, config_path=str(config))
    client = Still(reduce(demo.training(), opened))
    console = Console(client, start_run=True)
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.press("l")
        await settle(pilot)
        assert isinstance(console.screen, Join)
        console.screen.query_one(Input).value = "nonsense"
        await pilot.press("enter")
        await settle(pilot)
        assert "this is not a join line" in said(console)
        console.screen.query_one(Input).value = LINE
        await pilot.press("enter")
        await settle(pilot)
        assert "joined the learner at 10.0.0.5:50051" in said(console)
        assert 'learner_host = "10.0.0.5"' in said(console)
        await pilot.press("w")
        await settle(pilot)
        assert "names 10.0.0.5:50051 now" in said(console)
        await pilot.press("escape")
        assert not isinstance(console.screen, Join)
    assert load(config).policy.actor_learner_config.learner_host == "10.0.0.5"
    assert worker.input == [TOKEN + "\n"]


async def test_typing_the_line_moves_no_arm(worker: Worker) -> None:
    client = Still(demo.training())
    console = Console(client, start_run=True)
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.press("l")
        await settle(pilot)
        before = list(client.sent)
        await pilot.press(*"x sfrpe", "up", "left")
        await settle(pilot)
        assert console.screen.query_one(Input).value == "x sfrpe"
        assert [command for command in client.sent if command not in before] == []
    assert client.stops == 0
