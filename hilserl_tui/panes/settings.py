"""Settings: what differs between the run and its configuration file, as rows. Pure."""

from textwrap import wrap

from hilserl_tui.panes.draw import Row
from workers.model.settings_events import SettingChange, SettingsRead


def settings_rows(read: SettingsRead, width: int) -> list[Row]:
    """What changes now, then what cannot and why; or what is wrong with the file."""
    if read.problems:
        head = wrap("nothing was changed: the file has something wrong", width)
        rows: list[Row] = [*(((line, "red"),) for line in head), ()]
        for line in read.problems.splitlines():
            rows += [((part, "text"),) for part in wrap(line, width, subsequent_indent="  ")]
        return rows
    now = [change for change in read.changes if change.owners]
    later = [change for change in read.changes if not change.owners]
    rows = [(("change now, between two steps", "amber"),)] if now else []
    for change in now:
        rows += _change(change, f"by the {' and the '.join(change.owners)}", width)
    if now and later:
        rows.append(())
    rows += [(("stay as they are", "amber"),)] if later else []
    for change in later:
        rows += _change(change, change.why, width)
    return rows


def _change(change: SettingChange, words: str, width: int) -> list[Row]:
    before, after = change.before or "not set", change.after or "not set"
    rows: list[Row] = [((f"  {line}", "bold"),) for line in wrap(change.key, max(8, width - 2))]
    rows += [(("    ", "text"), (line, "text")) for line in wrap(f"{before} → {after}", max(8, width - 4))]
    return rows + [(("    ", "text"), (line, "dim")) for line in wrap(words, max(8, width - 4))]
