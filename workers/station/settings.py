"""Settings that change while a run goes on: read again from its file, shown as a difference, then applied.

What the file says now is compared with what it said at the start, so that what was made of it since (the limits
of a replay, a command line's wishes) is no difference.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from workers.config import Config
from workers.config.live import OWNERS, STATION, Scalar, applied, changed, differences, values_of
from workers.model.orders import ChangeSettings, Order
from workers.model.settings_events import SettingChange, SettingsRead
from workers.station.opening import StationRefused

Reread = Callable[[], Config]
"""The configuration as the file has it now, checked. Raises StationRefused."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What somebody was shown: what the file says, beside what the run had then."""

    read: Config
    running: Config

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr((self.read, self.running)).encode()).hexdigest()[:16]


class LiveSettings:
    """What the file said when it was read last, and what of it the run has taken on."""

    def __init__(self, reread: Reread | None, running: Config) -> None:
        """`running`: the file's configuration at the start; `reread` is None of a run without a file."""
        self._reread = reread
        self._running = running
        self._offer: tuple[str, _Offer] | None = None  # one value: several threads may read at once
        self._values: dict[str, Scalar] = {}

    def read(self, number: int) -> SettingsRead:
        """Look at the file. Blocks for some milliseconds: not for the event loop. Never raises."""
        if self._reread is None:
            return SettingsRead(number, problems="this run has no configuration file to read again")
        try:
            offer = _Offer(self._reread(), self._running)
            found = differences(offer.running, offer.read)
        except StationRefused as refused:
            return SettingsRead(number, problems=str(refused))
        except Exception as error:  # in a thread that nobody waits for: whoever asked would wait for ever
            log.exception("settings could not be read again")
            what = f"the configuration could not be read again: {type(error).__name__}: {error}"
            return SettingsRead(
                number, problems=f"{what}. Nothing was changed; look at the file, and try again"
            )
        changes = tuple(SettingChange(one.key, one.before, one.after, one.owners, one.why) for one in found)
        digest = offer.digest if any(one.owners for one in found) else ""
        self._offer = (digest, offer)
        return SettingsRead(number, digest, changes)

    def apply(self, digest: str) -> dict[str, dict[str, Scalar]] | None:
        """Worker -> every value of its that is not the start's; None where `digest` is not of what was read last, or
        the run has other settings since."""
        if not digest or self._offer is None or self._offer[0] != digest:
            return None
        read, running = self._offer[1].read, self._offer[1].running
        self._offer = None
        if running is not self._running:
            return None
        found = [one for one in differences(running, read) if one.owners]
        self._values |= values_of(read, [one.key for one in found])
        self._running = changed(self._running, self._values)
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
            tell("no setting was changed: the file or the run changed meanwhile; look again")
            return config
        config = applied(config, values.pop(STATION, {}), tell)
        for worker, new in values.items():
            config = changed(config, new)
            stand(worker, ChangeSettings(new))
        return config

    def _of(self, worker: str) -> dict[str, Scalar]:
        return {key: value for key, value in self._values.items() if worker in OWNERS[key]}
