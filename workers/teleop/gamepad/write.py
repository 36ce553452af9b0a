"""A learned mapping as a TOML file in the user's folder."""

from pathlib import Path

import msgspec
import tomlkit

from workers.teleop.gamepad.mapping import MappingError, PadMapping, mappings_dir


def mapping_text(mapping: PadMapping) -> str:
    """The mapping as TOML; what is as usual is left out."""
    table = msgspec.to_builtins(mapping)
    document = tomlkit.document()
    for key in ("name", "source"):
        document.add(key, table[key])
    if mapping.streams:
        document.add("streams", True)
    for key in ("pads", "reports"):
        rows = tomlkit.aot()
        for row in table[key]:
            rows.append(tomlkit.item({name: value for name, value in row.items() if value is not None}))
        document.add(key, rows)
    layouts = tomlkit.table(is_super_table=True)
    for name, fields in table["layouts"].items():
        layout = tomlkit.table()
        for control, field in fields.items():
            row = tomlkit.inline_table()
            row.update({key: value for key, value in field.items() if value != _USUAL[key]})
            layout.add(control, row)
        layouts.add(name, layout)
    document.add("layouts", layouts)
    return tomlkit.dumps(document)


def keep(mapping: PadMapping) -> Path:
    """Write it where it is found again, in place of an older one of the same pad. Raises MappingError."""
    pad = mapping.pads[0]
    path = mappings_dir() / f"{pad.vendor:04x}_{pad.product:04x}.toml"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(mapping_text(mapping), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise MappingError(f"{path} cannot be written: {error.strerror}") from error
    return path


_USUAL = {"byte": None, "mask": 0, "bits": 8, "signed": False, "low": 0, "high": 255}
