"""Every key does something: what is built from the configuration behaves differently when the key is changed."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.config.effect_tools import Effect, Observe, Only, plain, small
from tests.config.effects import EFFECTS
from workers.config import Config
from workers.config.keys import NAME, schema_keys

LEAVES = {".".join(key.path): key for key in schema_keys() if key.section is None}


def test_every_key_has_an_entry_and_every_entry_is_a_key() -> None:
    assert EFFECTS.keys() == LEAVES.keys()


@pytest.mark.parametrize("path", [path for path, entry in EFFECTS.items() if isinstance(entry, Effect)])
def test_the_key_has_an_effect(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EFFECTS[path]
    assert isinstance(entry, Effect)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    first, second = entry.values
    seen: list[Any] = []
    for number, value in enumerate((first, first, second)):
        folder = tmp_path / str(number)
        folder.mkdir()
        changes = {**entry.also, path.replace(NAME, "front"): value}
        if value == "gymnasium":
            changes |= {"env.robot": None, "env.processor.inverse_kinematics": None}
        elif path == "env.type":
            changes["env.id"] = None
        seen.append(observed(entry, small(folder, changes), folder, again=len(seen) == 1))
    assert seen[0] == seen[1], "what is observed must be the key's doing, not chance"
    assert seen[0] != seen[2]


_OBSERVED: dict[tuple[Observe, bool, str], Any] = {}


def observed(entry: Effect, config: Config, folder: Path, again: bool) -> Any:
    """What is observed of a configuration. Many keys begin with the same one: it is observed once, and once again."""
    key = entry.observe, again, repr(without(msgspec.to_builtins(config), str(folder)))
    if key not in _OBSERVED:
        _OBSERVED[key] = without(plain(entry.observe(config, folder)), str(folder))
    return _OBSERVED[key]


def without(value: Any, folder: str) -> Any:
    """`value` without the name of the test's own folder, which differs anyway."""
    if isinstance(value, str):
        return value.replace(folder, "{folder}")
    if isinstance(value, list):
        return [without(one, folder) for one in value]
    if isinstance(value, dict):
        return {without(key, folder): without(one, folder) for key, one in value.items()}
    return value


@pytest.mark.parametrize("path", [path for path, entry in EFFECTS.items() if isinstance(entry, Only)])
def test_a_key_with_one_value_takes_no_other(path: str, tmp_path: Path) -> None:
    entry, key = EFFECTS[path], LEAVES[path]
    assert isinstance(entry, Only)
    assert msgspec.convert(entry.value, key.kind) == entry.value
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(entry.other, key.kind)
