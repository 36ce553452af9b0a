"""Imports LeRobot's HIL-SERL configurations, 0.4 to 0.6: environment, training, classifier, or parts of them.

`import_lerobot(text, path)` makes a configuration and says of every key of the file what became of it. What the
file leaves open is as in the ready configuration of the simulated arm, or of gym-hil.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from workers.config.decode import Decoder, Faulty
from workers.config.errors import ConfigError, Problem
from workers.config.expected import shown
from workers.config.lerobot import names, reading
from workers.config.lerobot.arm import take_arm
from workers.config.lerobot.draft import Draft, Fate, Line
from workers.config.lerobot.gym_hil import BASE, is_gym_hil, take_gym_hil
from workers.config.lerobot.learning import take_blocks, take_learning, take_name
from workers.config.lerobot.pictures import FEATURES, take_pictures
from workers.config.lines import KeyPath, dotted
from workers.config.load import load
from workers.config.ready import SIM_PICK_LIFT, ready_config
from workers.config.schema import Config

__all__ = ["Fate", "Imported", "Line", "import_lerobot"]

_SECTIONS = {"env", "dataset", "policy", "algorithm", "reward_model", "wandb", "mode"}
_KINDS = {
    ("env", "type"): ("gym_manipulator",),
    ("policy", "type"): ("gaussian_actor", "sac", "reward_classifier"),
    ("algorithm", "type"): ("sac",),
    ("reward_model", "type"): ("reward_classifier",),
}
_MODES = ("record", "replay")
_SOURCE = {("dataset", "repo_id"), ("dataset", "root")}
_HARDWARE = (("env", "robot"), ("env", "teleop"))
_TABLES = (
    (names.TAKEN, Fate.TAKEN),
    (names.DERIVED, Fate.DERIVED),
    (names.DEAD, Fate.DEAD),
    (names.NO_COUNTERPART, Fate.NO_COUNTERPART),
)


class Imported(msgspec.Struct, frozen=True):
    """What an import made."""

    config: Config
    lines: tuple[Line, ...]
    """One for every key of the JSON, in its order."""
    base: str
    """Name of the ready configuration that has what the JSON leaves open."""
    remarks: tuple[str, ...] = ()
    """What the configuration does that somebody who wrote the JSON may not expect."""


def import_lerobot(text: str, path: str = "lerobot.json") -> Imported:
    """The configuration in the JSON `text` of LeRobot. Raises ConfigError when it is none, or cannot be one here."""
    source = reading.read(text, path)
    _refuse_others(source, text, path)
    base = BASE if is_gym_hil(source) else SIM_PICK_LIFT
    draft = Draft(source, _without_none(msgspec.to_builtins(load(ready_config(base)))))
    draft.drop(("run", "directory"))
    take_name(draft, Path(path).stem)
    _set_classifier_aside(draft)
    take_blocks(draft)
    if base == BASE:
        take_gym_hil(draft)
    else:
        take_arm(draft)
        take_pictures(draft)
    take_learning(draft)
    remarks = tuple(_remarks(draft, base))
    _set_dataset_aside(draft, base)
    for key, value in draft.open():
        _take_plain(draft, key, value)
    config = _made(draft, text, path)
    return Imported(config, tuple(draft.lines[key] for key, _ in reading.leaves(source)), base, remarks)


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    """`table` as a TOML file has it: keys that are not set are not there."""
    return {
        name: _without_none(value) if isinstance(value, dict) else value
        for name, value in table.items()
        if value is not None
    }


def _refuse_others(source: dict[str, Any], text: str, path: str) -> None:
    """Refuse what is no HIL-SERL configuration."""
    if not source.keys() & _SECTIONS:
        known = ", ".join(sorted(_SECTIONS))
        what = f"not a LeRobot configuration: none of {known} is in it"
        raise ConfigError(path, (Problem(1, "", what),))
    for key, value in reading.leaves(source):
        if value not in (None, {}) and names.is_table(key):
            line = reading.lines(text).get(key, 1)
            what = f"{shown(value)} found, but this must be an object in braces"
            raise ConfigError(path, (Problem(line, dotted(key), what),))
    for key, kinds in _KINDS.items():
        kind = reading.at(source, *key)
        if kind is not None and kind not in kinds:
            line = reading.lines(text).get(key, 1)
            what = f"{kind!r} is no part of HIL-SERL; LeRobot's are {', '.join(kinds)}"
            raise ConfigError(path, (Problem(line, dotted(key), what),))


def _set_classifier_aside(draft: Draft) -> None:
    """In a file for training the classifier, keys of training are the classifier's."""
    up_to_0_5 = draft.get("policy", "type") == "reward_classifier"
    if not up_to_0_5 and draft.get("reward_model") is None:
        return
    for path in FEATURES[:2]:
        draft.say_all(draft.below(*path), Fate.DERIVED, "they name the cameras and their common size")
    for key in names.CLASSIFIER:
        if key != "policy" or up_to_0_5:
            draft.say_all(draft.below(key), Fate.NO_COUNTERPART, names.CLASSIFIER_REASON)


def _is_classifier(draft: Draft) -> bool:
    return draft.get("policy", "type") == "reward_classifier" or draft.get("reward_model") is not None


def _set_dataset_aside(draft: Draft, base: str) -> None:
    """The arm records and replays a dataset; training begins with one, and has to do with nothing but where it is."""
    if draft.get("mode") in _MODES and base != BASE:
        return
    trains = draft.get("policy") is not None or draft.get("reward_model") is not None
    fed = trains and draft.get("mode") is None and not _is_classifier(draft)
    for key, _ in draft.below("dataset"):
        target = names.found(names.TAKEN, key)
        if target is None:
            continue
        path: KeyPath = tuple(target[0].split("."))
        if fed and path in _SOURCE:
            draft.take(key, path, "training begins with its demonstrations")
        elif trains or base == BASE:
            draft.say(key, Fate.NO_COUNTERPART, names.NO_RECORDING)
        else:
            draft.take(key, path, 'read with mode = "record" or "replay"')


def _remarks(draft: Draft, base: str) -> Iterator[str]:
    if _is_classifier(draft):
        draft.put(("wandb", "enable"), False)
        draft.say(("wandb", "enable"), Fate.NO_COUNTERPART, names.CLASSIFIER_REASON)
        yield (
            "LeRobot trains a reward classifier with this file, whose settings for that were not taken over: give them "
            "in [reward_classifier] (`hilserl-tui config explain reward_classifier`). The configuration trains a "
            "policy, and with `hilserl-worker train-classifier --config FILE` a classifier."
        )
    if draft.get("mode") in _MODES and base == BASE:
        yield (
            f'LeRobot runs this file with mode = "{draft.get("mode")}". A Gymnasium environment only trains or '
            "evaluates here: the configuration trains a policy."
        )


def _take_plain(draft: Draft, key: KeyPath, value: Any) -> None:
    if value in (None, {}) and names.is_table(key):
        draft.say(key, Fate.DEFAULT, "nothing in it")
        return
    for table, fate in _TABLES:
        found = names.found(table, key)
        if found is None:
            continue
        if fate is Fate.TAKEN:
            draft.take(key, tuple(found[0].split(".")))
        elif fate is Fate.NO_COUNTERPART and value in (None, False) and key[:2] not in _HARDWARE:
            draft.say(key, Fate.DEFAULT, f"off, as here: {found[0]}")
        else:
            draft.say(key, fate, found[0])
        return
    draft.say(key, Fate.UNKNOWN, "LeRobot 0.4 to 0.6 have no such key")


def _made(draft: Draft, text: str, path: str) -> Config:
    decoder = Decoder(Config)
    try:
        config: Config = decoder.document(draft.table)
    except Faulty:
        lines = reading.lines(text)
        problems = []
        for fault in decoder.faults:
            origin = _origin(draft, fault.path)
            shown = dotted(origin) if origin else f"({dotted(fault.path)})"
            problems.append(Problem(lines.get(origin, 0), shown, fault.text))
        raise ConfigError(path, tuple(problems)) from None
    return config


def _origin(draft: Draft, path: KeyPath) -> KeyPath:
    """LeRobot's key that the value at `path` came from, or one beside it, or ()."""
    for length in range(len(path), min(len(path) - 1, 1), -1):
        for line in draft.lines.values():
            if line.target[:length] == path[:length]:
                return line.path
    return ()
