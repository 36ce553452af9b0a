"""Settings that change while a run goes on: read again from its file, shown as a difference, then applied.

What the file says now is compared with what it said at the start, so that what was made of it since (the limits
of a replay, a command line's wishes) is no difference.
"""

import hashlib
from collections.abc import Callable

from workers.config import Config
from workers.config.live import OWNERS, STATION, Scalar, applied, changed, differences, values_of
from workers.model.orders import ChangeSettings, Order
from workers.model.settings_events import SettingChange, SettingsRead
from workers.station.opening import StationRefused

Reread = Callable[[], Config]
"""The configuration as the file has it now, checked. Raises StationRefused."""


class LiveSettings:
    """What the file said when it was read last, and what of it the run has taken on."""

    def __init__(self, reread: Reread | None, running: Config) -> None:
        """`running`: the file's configuration at the start; `reread` is None of a run without a file."""
        self._reread = reread
        self._running = running
        self._read = running
        self._digest = ""
        self._values: dict[str, Scalar] = {}

    def read(self, number: int) -> SettingsRead:
        """Look at the file. Blocks for some milliseconds: not for the event loop."""
        if self._reread is None:
            return SettingsRead(number, problems="this run has no configuration file to read again")
        try:
            self._read = self._reread()
        except StationRefused as refused:
            return SettingsRead(number, problems=str(refused))
        found = differences(self._running, self._read)
        changes = tuple(SettingChange(one.key, one.before, one.after, one.owners, one.why) for one in found)
        self._digest = _digest(self._read) if any(one.owners for one in found) else ""
        return SettingsRead(number, self._digest, changes)

    def apply(self, digest: str) -> dict[str, dict[str, Scalar]] | None:
        """Worker -> every value of its that is not the start's; None where `digest` is not of what was read last."""
        if not digest or digest != self._digest:
            return None
        found = [one for one in differences(self._running, self._read) if one.owners]
        self._values |= values_of(self._read, [one.key for one in found])
        self._running = changed(self._running, self._values)
        self._digest = ""
        workers = {owner for one in found for owner in one.owners}
        return {worker: self._of(worker) for worker in sorted(workers)}

    def hand_out(
        self,
        digest: str,
        config: Config,
        stand: Callable[[str, Order], object],
        tell: Callable[[str], object],
    ) -> Config:
        """Apply what `digest` names: each worker gets its own as a standing order. Returns the station's `config` as
        it is then, with what is the station's own."""
        values = self.apply(digest)
        if values is None:
            tell("no setting was changed: the file was not read, or another console was quicker")
            return config
        config = applied(config, values.pop(STATION, {}), tell)
        for worker, new in values.items():
            config = changed(config, new)
            stand(worker, ChangeSettings(new))
        return config

    def _of(self, worker: str) -> dict[str, Scalar]:
        return {key: value for key, value in self._values.items() if worker in OWNERS[key]}


def _digest(config: Config) -> str:
    return hashlib.sha256(repr(config).encode()).hexdigest()[:16]
