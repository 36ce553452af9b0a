"""Reload: the difference is shown, `y` has it applied, and a file with mistakes changes nothing."""

import asyncio
from pathlib import Path

import pytest

from hilserl_tui import commands, reloading
from hilserl_tui.app import Console
from hilserl_tui.panes.draw import row_width
from hilserl_tui.panes.settings import settings_rows
from tests.console import demo
from tests.console.fake_station import FakeStation
from tests.console.still import Still, screen_text, settle
from workers.model import commands as c
from workers.model import events as e
from workers.model.places import StationLock
from workers.model.reduce import reduce
from workers.model.settings_events import SettingChange, SettingsRead

CHANGES = (
    SettingChange("algorithm.utd_ratio", "2", "4", ("learner",)),
    SettingChange("run.seed", "1000", "7", (), "only when the run is started again"),
)


class Answering(Still):
    """Answers a question for the settings with `answer`."""

    answer: SettingsRead

    def send(self, command: c.Command) -> bool:
        if isinstance(command, c.ReadSettings):
            other = SettingsRead(command.number + 1, "zz", CHANGES)  # to another console
            mine = SettingsRead(command.number, self.answer.digest, self.answer.changes, self.answer.problems)
            for event in (other, mine):
                self.state = reduce(self.state, event)
                self.changed_soon()
        return super().send(command)

    def changed_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self.changed)


async def asked(answer: SettingsRead, *keys: str, size: tuple[int, int] = (80, 24)) -> tuple[Still, str, str]:
    """The client, the screen with the answer, and the one after `keys`."""
    client = Answering(demo.training())
    client.answer = answer
    app = Console(client, start_run=True)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+r")
        await settle(pilot)
        before = "\n".join(screen_text(app))
        if keys:
            await pilot.press(*keys)
            await settle(pilot)
        return client, before, "\n".join(screen_text(app))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_the_difference_is_shown_and_y_applies_it(size: tuple[int, int]) -> None:
    client, shown, after = await asked(SettingsRead(0, "d1", CHANGES), "y", size=size)
    assert "2 → 4" in shown and "by the learner" in shown
    assert "run.seed" in shown and "started again" in shown
    assert c.ApplySettings("d1") in client.sent
    assert "by the learner" not in after


async def test_leaving_applies_nothing() -> None:
    client, _, after = await asked(SettingsRead(0, "d1", CHANGES), "escape")
    assert not [command for command in client.sent if isinstance(command, c.ApplySettings)]
    assert "by the learner" not in after


async def test_a_wrong_file_is_told_by_line_and_cannot_be_applied() -> None:
    client, shown, _ = await asked(
        SettingsRead(0, problems="c.toml:12: algorithm.utd_rato: unknown key"), "y"
    )
    assert "c.toml:12" in shown
    assert not [command for command in client.sent if isinstance(command, c.ApplySettings)]


async def test_no_difference_is_a_word_not_a_screen() -> None:
    client = Answering(demo.training())
    client.answer = SettingsRead(0)
    app = Console(client, start_run=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("ctrl+r")
        await settle(pilot)
        assert "nothing to apply" in "\n".join(note.message for note in app._notifications)
        assert "esc closes" not in "\n".join(screen_text(app))


@pytest.mark.parametrize("width", [30, 76, 120])
def test_rows_fit(width: int) -> None:
    read = SettingsRead(1, "d", CHANGES)
    assert all(row_width(row) <= width for row in settings_rows(read, width))
    wrong = SettingsRead(1, problems="c.toml:12: " + "words " * 40)
    assert all(row_width(row) <= width for row in settings_rows(wrong, width))


class Station(FakeStation):
    """Reads its settings when asked, and says what it did."""

    answer = SettingsRead(0, "d1", CHANGES)

    async def _read(self, reader):
        command = await super()._read(reader)
        if isinstance(command, c.ReadSettings):
            self.say(
                SettingsRead(command.number, self.answer.digest, self.answer.changes, self.answer.problems)
            )
        elif isinstance(command, c.ApplySettings):
            self.say(e.LogLine("learner", e.Level.INFO, "algorithm.utd_ratio is 4 now, it was 2"))
        return command


async def reloaded(folder: Path, station: Station, yes: bool = True) -> int:
    await station.start()
    lock = StationLock(1, 2, str(station.path), "c.toml", "run")
    try:
        return await reloading._reload(lock, yes)
    finally:
        await station.die()


async def test_the_command_shows_applies_and_repeats_what_the_workers_say(
    tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(reloading, "LISTENED_S", 0.2)
    station = Station(tmp_path / "s", demo.training())
    assert await reloaded(tmp_path, station) == 0
    out = capsys.readouterr().out
    assert "2 → 4" in out and "learner: algorithm.utd_ratio is 4 now" in out
    assert c.ApplySettings("d1") in station.commands


async def test_the_command_refuses_a_wrong_file_with_code_2(tmp_path, capsys) -> None:
    station = Station(tmp_path / "s", demo.training())
    station.answer = SettingsRead(0, problems="c.toml:12: no")
    assert await reloaded(tmp_path, station) == 2
    assert "c.toml:12" in capsys.readouterr().err
    assert not [command for command in station.commands if isinstance(command, c.ApplySettings)]


def test_a_station_that_is_silent_is_told(tmp_path, capsys) -> None:
    lock = StationLock(1, 2, str(tmp_path / "gone"), "c.toml", "run")
    assert reloading.reload(lock, True) == 1
    assert "does not answer" in capsys.readouterr().err


def test_the_command_is_known() -> None:
    assert "reload" in commands.with_command(["reload"])
