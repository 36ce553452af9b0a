"""A key is waited for until the console has dealt with it, and no longer.

Textual's pilot waits until the process rests, at most a second, twice for every key. A screen that goes on drawing
never rests: there every key would cost two seconds.
"""

import pytest
from textual import app, pilot
from textual._wait import wait_for_idle

REST_WITHIN_S = 0.05


@pytest.fixture(autouse=True)
def no_longer_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def rest(min_sleep: float = 0.0, max_sleep: float = REST_WITHIN_S) -> None:
        await wait_for_idle(min_sleep, min(max_sleep, REST_WITHIN_S))

    async def press(self: pilot.Pilot[object], *keys: str) -> None:
        """Every widget has dealt with one key before the next one comes, however busy the machine is."""
        for key in keys:
            await self.app._press_keys([key])
            await self._wait_for_screen()

    monkeypatch.setattr(app, "wait_for_idle", rest)
    monkeypatch.setattr(pilot, "wait_for_idle", rest)
    monkeypatch.setattr(pilot.Pilot, "press", press)
