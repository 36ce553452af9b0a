"""The policies that an evaluation is to try: found by what a person calls them, and laid ready for the actor."""

import json
import shutil
from pathlib import Path

import msgspec

from workers.actor.trial_shelves import FOLDER, shelf_of
from workers.config import Config
from workers.config.evaluation import evaluated_run
from workers.evaluation.contestants import write_contestants
from workers.learner.checkpoint import MANIFEST
from workers.learner.checkpoint_store import CheckpointStore
from workers.learner.weights_digest import weights_digest
from workers.model.evaluation import SHORT, SIDES, Contestant, Result
from workers.model.evaluation_files import unfinished
from workers.policy_export.folder import DESCRIPTION, read_folder
from workers.policy_export.source import Exportable, ExportRefused, from_checkpoint, from_run
from workers.processors.build import feature_spec
from workers.processors.errors import EnvironmentRefused
from workers.transport.record import FeatureSpec
from workers.transport.shelf import PolicyShelf

_KEYS = ("checkpoint", "against")


def lay_ready(config: Config) -> tuple[Contestant, ...]:
    """Find the policies of `config.evaluation`, and lay each where the actor loads it from.

    Raises EnvironmentRefused where one cannot be used on this arm.
    """
    wanted, before = [config.evaluation.checkpoint], _cut_off(config)
    if config.evaluation.against is not None:
        wanted.append(config.evaluation.against)
    if before is not None:
        wanted = [contestant.source for contestant in before.contestants]
    shutil.rmtree(config.run_dir / FOLDER, ignore_errors=True)
    features, contestants = feature_spec(config), []
    for side, name in enumerate(wanted):
        try:
            source, policy = find(name, evaluated_run(config.run_dir))
            _check_features(source, policy.settings.features, features)
            shelf = PolicyShelf(shelf_of(config.run_dir, side))
            shelf.describe(policy.settings.to_json())
            shelf.publish(policy.origin.policy_version, policy.tensors)
            contestants.append(_contestant(source, policy))
            if before is not None:
                _check_same(before.contestants[side], contestants[side])
            write_contestants(config.run_dir, contestants)
        except (ExportRefused, OSError) as error:
            raise EnvironmentRefused(("evaluation", _KEYS[side]), str(error)) from error
    _check_different(contestants)
    return tuple(contestants)


def _cut_off(config: Config) -> Result | None:
    """The evaluation to go on with, where one is wanted. Raises EnvironmentRefused where there is none."""
    if not config.evaluation.go_on:
        return None
    run_dir = evaluated_run(config.run_dir)
    result = unfinished(run_dir)
    if result is None:
        text = f"no evaluation of {run_dir} was cut off: begin one, without --continue"
        raise EnvironmentRefused(("evaluation", "go_on"), text)
    return result


def _check_same(was: Contestant, now: Contestant) -> None:
    """Raises ExportRefused: trials of other weights say nothing of these."""
    if was.digest != now.digest:
        raise ExportRefused(
            f"{was.source} has other weights now ({now.digest[:SHORT]}, the trials made so far are of "
            f"{was.digest[:SHORT]}): begin a new evaluation, without --continue"
        )


def find(name: str | None, run_dir: Path) -> tuple[Path, Exportable]:
    """The policy that `name` means, and where it lies: a step of the run, "best", a checkpoint, an exported folder,
    a run; None is the newest of the run in `run_dir`. Raises ExportRefused, OSError.
    """
    if name is None:
        return _newest(run_dir)
    if name == "best":
        best = CheckpointStore(run_dir / "checkpoints").best()
        if best is None:
            raise ExportRefused(
                f"no checkpoint of {run_dir} was evaluated while it trained: name one by its step"
            )
        return _checkpoint(run_dir / "checkpoints" / best.checkpoint)
    if name.isdigit():
        return _checkpoint(_of_step(run_dir, int(name)))
    path = Path(name).expanduser()
    if (path / DESCRIPTION).exists():
        return path, read_folder(path)
    if (path / MANIFEST).exists():
        return _checkpoint(path)
    if path.name == "policy" and path.is_dir():
        return path, from_run(path.parent)
    if (path / "policy").is_dir() or (path / "checkpoints").is_dir():
        return _newest(path)
    raise ExportRefused(_not_a_policy(path))


def _newest(run_dir: Path) -> tuple[Path, Exportable]:
    """The newest checkpoint of a run, or its newest policy where it has none yet."""
    found = CheckpointStore(run_dir / "checkpoints").paths()
    if found:
        return _checkpoint(found[-1])
    if not (run_dir / "policy").is_dir():
        raise ExportRefused(
            f"the run in {run_dir} has no checkpoint and no policy: train it first, look at run.directory and the "
            "folder you start in, or name a checkpoint or an exported policy with --checkpoint"
        )
    return run_dir / "policy", from_run(run_dir)


def _checkpoint(path: Path) -> tuple[Path, Exportable]:
    return path, from_checkpoint(path)


def _of_step(run_dir: Path, step: int) -> Path:
    """The newest checkpoint of that step."""
    paths = CheckpointStore(run_dir / "checkpoints").paths()
    fitting = [path for path in paths if int(path.name.split("-")[1]) == step]
    if not fitting:
        there = ", ".join(str(int(path.name.split("-")[1])) for path in paths) or "none"
        raise ExportRefused(
            f"the run in {run_dir} has no checkpoint of step {step}; it has {there} (the newest and the best are kept)"
        )
    return fitting[-1]


def _not_a_policy(path: Path) -> str:
    if not path.exists():
        return (
            f"there is no {path}: give the step of a checkpoint, the folder of one, of a run or of a policy that "
            "`hilserl-worker export-policy` wrote"
        )
    if _is_lerobot(path):
        return (
            f"{path} holds a policy in LeRobot's layout, which is written here and not read: export it in our own "
            "(`hilserl-worker export-policy --format hilserl`), or name the checkpoint that it came from"
        )
    return (
        f"{path} is neither a checkpoint nor a run, and no policy that `hilserl-worker export-policy` wrote"
    )


def _is_lerobot(path: Path) -> bool:
    try:
        return "type" in json.loads((path / "config.json").read_text())
    except (OSError, ValueError):
        return False


def _check_features(source: Path, trained: FeatureSpec, here: FeatureSpec) -> None:
    """Raises ExportRefused naming what differs."""
    if trained == here:
        return
    theirs, ours = msgspec.structs.asdict(trained), msgspec.structs.asdict(here)
    different = "; ".join(
        f"{name.replace('_', ' ')} {theirs[name]}, here {ours[name]}"
        for name in ours
        if theirs[name] != ours[name]
    )
    raise ExportRefused(
        f"the policy in {source} was trained on other observations or actions ({different}): evaluate it with the "
        "configuration that it was trained with"
    )


def _contestant(source: Path, policy: Exportable) -> Contestant:
    origin = policy.origin
    label = source.name if source.name.startswith("step-") else f"{origin.run} policy {origin.policy_version}"
    return Contestant(
        label=label,
        source=str(source),
        run=origin.run,
        policy_version=origin.policy_version,
        updates=origin.updates,
        digest=weights_digest(policy.tensors),
    )


def _check_different(contestants: list[Contestant]) -> None:
    if len(contestants) == len(SIDES) and contestants[0].digest == contestants[1].digest:
        text = f"{contestants[1].source} has the very weights of {contestants[0].source}: name another policy"
        raise EnvironmentRefused(("evaluation", "against"), text)
