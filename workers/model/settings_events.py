"""What is told of settings that change while a run goes on."""

import msgspec

from workers.model.event import Event


class SettingChange(msgspec.Struct, frozen=True):
    """A key whose value is another in the file than in the run."""

    key: str
    before: str
    after: str
    owners: tuple[str, ...] = ()
    """Workers that change it between two steps; none where it cannot change while the run goes on."""
    why: str = ""
    """Why not."""


class SettingsRead(Event, frozen=True):
    """The configuration file was read again, for whoever asked."""

    number: int
    """Of the question."""
    digest: str = ""
    """Names what was read; empty where nothing of it can be applied."""
    changes: tuple[SettingChange, ...] = ()
    """What may change first."""
    problems: str = ""
    """What is wrong with the file, a line each; then nothing else was looked at."""
