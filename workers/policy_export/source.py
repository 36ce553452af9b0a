"""Where an exported policy comes from: the newest one of a run, or one of its checkpoints."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from workers.actor.policy import Policy, PolicyRejected
from workers.learner.checkpoint import read_checkpoint
from workers.learner.checkpoint_store import POLICY_VERSION, CheckpointStore
from workers.learner.policy_settings import PolicySettings
from workers.learner.sac_state import acting_tensors
from workers.model.events import EndedBy, EpisodeKind
from workers.runtime.episode_book import EpisodeBook
from workers.transport.shelf import PolicyShelf


class ExportRefused(ValueError):
    """The policy cannot be exported or loaded; the text says what, why and what to do."""


class Success(msgspec.Struct, frozen=True):
    """How the policy did alone, in evaluation episodes."""

    successes: int
    trials: int


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a policy comes from; for people, and for whoever compares policies."""

    run: str
    policy_version: int
    updates: int | None
    """Critic updates done; None when the policy was taken from the run and not from a checkpoint."""
    success: Success | None
    """None when this very version was not evaluated."""
    versions: dict[str, str]
    """Of the software that exported it."""


@dataclass(frozen=True, slots=True)
class Exportable:
    """A policy with all that its networks need."""

    settings: PolicySettings
    tensors: dict[str, Tensor]
    """As `policy_tensors(sac)` names them, a frozen backbone included."""
    origin: Origin

    def policy(self, device: torch.device | str = "cpu") -> Policy:
        """The policy, ready to act. Raises ExportRefused when the weights are not of these networks."""
        settings = self.settings
        policy = Policy(settings.features, settings.policy, settings.algorithm, device)
        try:
            policy.load(self.tensors, self.origin.policy_version)
        except PolicyRejected as error:
            raise ExportRefused(str(error)) from error
        return policy


def from_run(run_dir: Path) -> Exportable:
    """The newest policy of a run. Raises ExportRefused, OSError."""
    if not (run_dir / "policy").is_dir():
        raise ExportRefused(f"{run_dir} is not the directory of a run with a policy: it has no folder policy")
    shelf = PolicyShelf(run_dir / "policy")
    settings = _settings(shelf, run_dir)
    newest = max(shelf.versions(), default=0)
    trained, frozen = shelf.read(newest), shelf.frozen()
    if trained is None:
        raise ExportRefused(
            f"the run in {run_dir} has no policy yet: train, or wait for its first checkpoint"
        )
    try:
        tensors = (load(frozen[1]) if frozen else {}) | load(trained)
    except SafetensorError as error:
        raise ExportRefused(
            f"policy {newest} in {run_dir} is damaged ({error}): export a checkpoint"
        ) from error
    return _verified(settings, tensors, _origin(run_dir, settings.run, newest, None))


def from_checkpoint(path: Path) -> Exportable:
    """The policy of `RUN/checkpoints/step-...`. Raises ExportRefused, OSError."""
    run_dir = path.absolute().parent.parent
    try:
        checkpoint = read_checkpoint(path)
    except FileNotFoundError as error:
        raise ExportRefused(f"{path} is not a checkpoint: {error.filename} is missing") from error
    except ValueError as error:
        raise ExportRefused(f"the checkpoint {path} cannot be used: {error}") from error
    if not (run_dir / "policy").is_dir():
        raise ExportRefused(
            f"{path} does not lie in a run any more: its settings are in RUN/policy/settings.json"
        )
    settings = _settings(PolicyShelf(run_dir / "policy"), run_dir)
    tensors = acting_tensors(checkpoint.tensors)
    number = checkpoint.counters.get(POLICY_VERSION, 0)
    return _verified(settings, tensors, _origin(run_dir, settings.run, max(1, number), checkpoint.step))


def _settings(shelf: PolicyShelf, run_dir: Path) -> PolicySettings:
    data = shelf.description()
    if data is None and not shelf.versions():
        raise ExportRefused(
            f"the run in {run_dir} has published no policy yet: its learner was still at the demonstrations. Go on "
            "with the run until the console counts a policy"
        )
    if data is None:
        raise ExportRefused(
            f"{run_dir / 'policy'} has no settings.json, which the learner writes: export on the machine where the"
            " learner ran; in a run of an older version, resume it until it has published a policy"
        )
    try:
        return PolicySettings.from_json(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ExportRefused(f"{run_dir / 'policy' / 'settings.json'} cannot be read ({error})") from error


def _verified(settings: PolicySettings, tensors: dict[str, Tensor], origin: Origin) -> Exportable:
    exportable = Exportable(settings, tensors, origin)
    exportable.policy()
    return exportable


def _origin(run_dir: Path, run: str, policy_version: int, updates: int | None) -> Origin:
    return Origin(
        run=run,
        policy_version=policy_version,
        updates=updates,
        success=_success(run_dir, policy_version),
        versions={"hilserl-tui": version("hilserl-tui"), "torch": str(torch.__version__)},
    )


def _success(run_dir: Path, policy_version: int) -> Success | None:
    """From the run's list of episodes or, where the robot is elsewhere, from what its learner was told."""
    trials = [
        episode.ended_by
        for episode in EpisodeBook(run_dir).read()
        if episode.kind is EpisodeKind.EVALUATION
        and episode.policy_version == policy_version
        and episode.ended_by in (EndedBy.SUCCESS, EndedBy.FAILURE, EndedBy.TIME_LIMIT)
    ]
    if trials:
        return Success(trials.count(EndedBy.SUCCESS), len(trials))
    best = CheckpointStore(run_dir / "checkpoints").best()
    if best is not None and best.policy_version == policy_version:
        return Success(best.successes, best.trials)
    return None
