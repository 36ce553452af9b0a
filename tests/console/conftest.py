"""A key is waited for until the console has dealt with it, and no longer.

Textual's pilot looks every 20 ms whether the process rests, for a second at most and twice for every key. A screen that
goes on drawing never rests: there every key would cost two seconds.
"""

from asyncio import sleep
from time import monotonic, process_time

import pytest
from textual import app, pilot

REST_WITHIN_S = 0.05
LOOK_EVERY_S = 0.005
BUSY = 0.05
"""Of the time between two looks: a process that works less rests, as Textual has it."""


@pytest.fixture(autouse=True)
def no_longer_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def rest(min_sleep: float = 0.0, max_sleep: float = REST_WITHIN_S) -> None:
        until_s, worked_s = monotonic() + min(max_sleep, REST_WITHIN_S), LOOK_EVERY_S
        while worked_s > BUSY * LOOK_EVERY_S and monotonic() < until_s:
            began_s = process_time()
            await sleep(LOOK_EVERY_S)
            worked_s = process_time() - began_s

    async def press(self: pilot.Pilot[object], *keys: str) -> None:
        """Every widget has dealt with one key before the next one comes, however busy the machine is."""
        for key in keys:
            await self.app._press_keys([key])
            await self._wait_for_screen()
            self.app.screen._on_timer_update()  # what a screen that has just opened lays out

    monkeypatch.setattr(app, "wait_for_idle", rest)
    monkeypatch.setattr(pilot, "wait_for_idle", rest)
    monkeypatch.setattr(pilot.Pilot, "press", press)
