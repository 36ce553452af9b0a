"""Configurations with some keys changed, for tests."""

import copy
from typing import Any

import msgspec

from workers.config import Config, load
from workers.config.ready import ready_config


def altered(changes: dict[str, Any], config: Config | None = None) -> Config:
    """The simulator's configuration (or `config`) with dotted keys set; None removes a key."""
    table = msgspec.to_builtins(load(ready_config()) if config is None else config)
    for path, value in changes.items():
        *parents, last = path.split(".")
        section = table
        for name in parents:
            if section.get(name) is None:
                section[name] = {}
            section = section[name]
        if value is None:
            section.pop(last, None)
        else:
            section[last] = copy.deepcopy(value)  # the table of one test is not that of the next
    return msgspec.convert(table, Config)
