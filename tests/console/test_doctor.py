"""The doctor in a shell and as a screen: every finding with its why and what to do, and nothing waits for it."""

import asyncio
import sys
import time

import msgspec
import pytest
from typer.testing import CliRunner

from hilserl_tui import diagnosis, doctor
from hilserl_tui.app import Console
from hilserl_tui.commands import app as commands
from hilserl_tui.diagnosis import Diagnosis
from hilserl_tui.panes.draw import row_width
from hilserl_tui.panes.findings import finding_rows
from hilserl_tui.terminal import Abilities, abilities, answers, colours, encoding, size, understood
from tests.console import demo
from tests.console.still import Still, screen_text, settle
from workers.model.check import Check

WELL = Check("disk speed", True, "900 MB/s")
REMARK = Check("GPU", None, "none", "a ResNet-10 wants one", "let the learner run elsewhere")
ILL = Check("cameras", False, "/dev/video3 not there", "a policy sees through cameras", "plug it in")

KITTY = b"\x1b[?10u\x1b[?2026;2$y\x1b[?1016;2$y\x1b[?2048;2$y\x1b[6;20;10t\x1b[?62;4;22c"
XTERM = b"\x1b[?2026;0$y\x1b[?1016;2$y\x1b[?64;1;2;6;9;15;18;21;22c"
TMUX = b"\x1b[?1;2;4c"


def says(*checks: Check, code: int = 0, first: str = "") -> list[str]:
    """A process that finds these."""
    lines = [msgspec.json.encode(check).decode() for check in checks]
    program = f"import sys\nsys.stdout.write({first!r})\n"
    program += "".join(f"print({line!r}, flush=True)\n" for line in lines)
    program += f"sys.stderr.write('it broke\\n') if {code} else None\nsys.exit({code})"
    return [sys.executable, "-c", program]


def test_answers_are_understood() -> None:
    assert understood(KITTY) == Abilities(True, True, True, (10, 20), True)
    assert understood(XTERM) == Abilities(False, False, False, None, False), (
        "counts pixels, and does not tell its size"
    )
    assert understood(KITTY.replace(b"?10u", b"?8u")) == Abilities(False, True, True, (10, 20), True)
    assert understood(TMUX) == Abilities(False, False, False, None, True)
    assert understood(b"\x1b[?5u\x1b[?2026;2$y") is None  # it never said what it is
    assert understood(b"") is None


@pytest.mark.parametrize("found", [Abilities(), Abilities(True, True, True), None])
def test_every_ability_that_lacks_has_an_advice(found: Abilities | None) -> None:
    for check in abilities(found):
        assert check.ok is not False  # none is needed
        assert check.ok is True or (check.why and check.do)


def test_the_terminal_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert size(80, 24).ok is True and size(79, 24).ok is None
    assert encoding("UTF-8").ok is True and encoding("ascii").ok is False
    assert answers(0.02).ok is True and answers(0.3).ok is None and answers(None).ok is None
    monkeypatch.setenv("NO_COLOR", "1")
    assert colours().ok is True
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "linux")
    monkeypatch.setenv("COLORTERM", "")
    assert colours().ok is None and "xterm-256color" in colours().do


def test_the_command_prints_findings_and_fails_for_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    run = CliRunner()
    monkeypatch.setattr(doctor, "worker_command", lambda folder, config: says(WELL, REMARK))
    monkeypatch.setattr(doctor, "disk", lambda folder: WELL)
    good = run.invoke(commands, ["doctor", "--directory", str(tmp_path)])
    assert good.exit_code == 0, good.output
    assert "● disk speed" in good.output and "◐ GPU" in good.output
    assert "let the learner run elsewhere" in good.output
    monkeypatch.setattr(doctor, "worker_command", lambda folder, config: says(WELL, ILL))
    bad = run.invoke(commands, ["doctor", "--directory", str(tmp_path)])
    assert bad.exit_code == 1
    assert "✗ cameras" in bad.output and "plug it in" in bad.output


def test_a_worker_that_breaks_is_a_finding_too(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(
        doctor, "worker_command", lambda folder, config: says(WELL, code=3, first="a library says hello\n")
    )
    result = CliRunner().invoke(commands, ["doctor", "--directory", str(tmp_path)])
    assert result.exit_code == 1
    assert "it broke" in result.output and "Traceback" not in result.output


def test_a_wrong_configuration_is_told_before_anything_is_looked_at(tmp_path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('schema_version = 2\n[run]\nname = "a"\nsead = 3\n')
    result = CliRunner().invoke(commands, ["doctor", str(path)])
    assert result.exit_code == 2 and f"{path}:4" in result.output


@pytest.mark.parametrize("width", [40, 78, 200])
def test_rows_fit_and_say_what_to_do(width: int) -> None:
    rows = finding_rows((WELL, REMARK, ILL), True, width)
    assert all(row_width(row) <= width for row in rows)
    text = " ".join(" ".join("".join(part for part, _ in row).split()) for row in rows)
    assert "plug it in" in text and "looking at" in text


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=["80x24", "120x40", "200x60"])
async def test_the_screen_shows_what_is_found(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def command(folder, config):
        asked.append((folder, config))
        return says(WELL, REMARK, ILL)

    monkeypatch.setattr(diagnosis, "worker_command", command)
    app = Console(Still(demo.training()), start_run=True)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("8")
        until_s = time.monotonic() + 10.0
        while app._doctor.diagnosis.running or not app._doctor.diagnosis.findings:
            assert time.monotonic() < until_s
            await pilot.pause(0.1)
        await pilot.press("end")
        await settle(pilot)
        text = "\n".join(screen_text(app))
        assert "✗ cameras" in text and "→ plug it in" in text
        assert "▶ POLICY" in text
        await pilot.press("8")  # anew
        await settle(pilot)
        assert len(asked) == 2
        await pilot.press("1")
        await settle(pilot)
        assert "✗ cameras" not in "\n".join(screen_text(app))


async def test_nothing_waits_for_a_slow_examination_and_leaving_ends_it() -> None:
    seen = []
    found = Diagnosis(lambda: seen.append(len(found.findings)))
    slow = [sys.executable, "-c", "import time; time.sleep(60)"]
    before = time.monotonic()
    task = asyncio.create_task(found._look(slow))
    found._task = task
    await asyncio.sleep(0.3)
    await found.close()
    assert time.monotonic() - before < 5.0
    assert not found.running and task.done()


async def test_a_broken_worker_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    found = Diagnosis(lambda: None)
    monkeypatch.setattr(diagnosis, "worker_command", lambda folder, config: says(code=3))
    found.begin(tmp_path, None, ())
    assert found.running
    while found.running:
        await asyncio.sleep(0.02)
    assert found.findings[-1].ok is False and found.findings[-1].found == "it broke"
