"""Which settings may change while a run goes on, who has them, and what differs between two configurations.

Everything else shapes what a run has made already: its networks, its log, its checkpoints, its arm.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from workers.config.schema import Config

Scalar = bool | int | float | str
LEARNER, ACTOR, STATION = "learner", "actor", "station"
OWNERS: Final[Mapping[str, tuple[str, ...]]] = {
    "policy.actor_learner_config.policy_parameters_push_frequency": (LEARNER,),
    "algorithm.utd_ratio": (LEARNER,),
    "algorithm.log_freq": (LEARNER,),
    "checkpoint.save_freq": (LEARNER,),
    "env.processor.gripper.gripper_penalty": (ACTOR,),
    "env.processor.reward_classifier.success_threshold": (ACTOR,),
    "env.processor.reward_classifier.success_reward": (ACTOR,),
    "env.processor.reset.reset_time_s": (ACTOR,),
    "env.processor.reset.control_time_s": (ACTOR,),
    "env.teleop.jog_step": (ACTOR,),
    "operator.lost": (STATION,),
    "evaluation.episodes": (STATION,),
    "evaluation.start_at_success": (STATION,),
    "policy.online_steps": (STATION,),
}
"""Dotted key -> the workers that have it. A test holds those of [policy] and [algorithm] to what a checkpoint
does not depend on: a run whose settings changed on the way can be resumed."""
NOT_HERE = "the learner at {host} has it: change it in its own configuration and start it again"
NO_LEARNER = "nothing learns in this run"
ON_START = "only when the run is started again"


class Difference(msgspec.Struct, frozen=True):
    """A key whose value is another in the file than in the run."""

    key: str
    before: str
    """As TOML; empty where the file did not have it."""
    after: str
    owners: tuple[str, ...] = ()
    """Who changes it while the run goes on; nobody where `why` says why not."""
    why: str = ""


def differences(running: Config, wanted: Config) -> list[Difference]:
    """What differs, in the order of the schema; what may change first."""
    before, after = _flat(running), _flat(wanted)
    found = [
        Difference(
            key,
            _shown(before.get(key)),
            _shown(after.get(key)),
            *(_owners(running, key) if key in before and key in after else ((), ON_START)),
        )
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]
    return sorted(found, key=lambda one: not one.owners)


def values_of(config: Config, keys: Iterable[str]) -> dict[str, Scalar]:
    """The values of some keys that may change."""
    flat = _flat(config)
    return {key: flat[key] for key in keys}


def changed(config: Config, values: Mapping[str, Scalar]) -> Config:
    """`config` with other values for keys of `OWNERS`. Values must be of another configuration that was checked."""
    for key, value in values.items():
        config = _with(config, key.split("."), value)
    return config


def applied(config: Config, values: Mapping[str, Scalar], tell: Callable[[str], object]) -> Config:
    """`changed(config, values)`; tells what really changed, for the log."""
    flat = _flat(config)
    for key, value in values.items():
        if flat.get(key) != value:
            tell(f"{key} is {_shown(value)} now, it was {_shown(flat.get(key))}")
    return changed(config, values)


def _owners(running: Config, key: str) -> tuple[tuple[str, ...], str]:
    owners = OWNERS.get(key, ())
    host = running.policy.actor_learner_config.learner_host
    if LEARNER in owners and running.mode is not None:
        return (), NO_LEARNER
    if LEARNER in owners and host is not None:
        return (), NOT_HERE.format(host=host)
    return owners, "" if owners else ON_START


def _flat(config: Config) -> dict[str, Any]:
    """Dotted key -> value of everything that is no table."""
    return dict(_leaves(msgspec.to_builtins(config), ""))


def _leaves(table: Mapping[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{at}{name}.")
        else:
            yield at + name, value


def _with(section: Any, path: list[str], value: Scalar) -> Any:
    name, *rest = path
    new = _with(getattr(section, name), rest, value) if rest else value
    return msgspec.structs.replace(section, **{name: new})


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else f"{value}"
    )
