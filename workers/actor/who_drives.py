"""Who is to drive: the policy that a run's mode asks for, and what an episode waits for where nobody does."""

from collections.abc import Callable

from workers.actor.chair import Chair
from workers.actor.no_policy import NoPolicy
from workers.actor.replay_policy import ReplayPolicy
from workers.actor.runtime import PolicyRuntime
from workers.actor.seeds import script_noise
from workers.actor.trial_policies import TrialPolicies
from workers.config import Config, TeleopConfig
from workers.model.events import EpisodeKind, Event
from workers.teleop.build import scripted_operator_of
from workers.teleop.scripted_operator import ScriptedOperator
from workers.transport.record import FeatureSpec

RunPolicy = PolicyRuntime | ReplayPolicy | TrialPolicies | NoPolicy


def policy_of(config: Config, features: FeatureSpec, emit: Callable[[Event], None]) -> RunPolicy:
    """What drives where no person does."""
    if config.mode == "replay":
        return ReplayPolicy(config)
    if config.mode == "evaluate":
        return TrialPolicies(config, features)
    if config.mode in ("find-limits", "record"):
        return NoPolicy()
    return PolicyRuntime(config, emit)


def missing_driver(kind: EpisodeKind, chair: Chair, policy_version: int, teleop: TeleopConfig) -> str:
    """What keeps an episode from beginning for want of a driver, "" where nothing does."""
    person = chair.has_person
    if kind is EpisodeKind.EVALUATION and person:
        return "the policy is to be tried alone: space gives the arm back"
    if kind is EpisodeKind.REPLAY and person:
        return "the recording is to be replayed: space gives the arm back"
    if kind is EpisodeKind.DEMONSTRATION:
        return "" if person or chair.scripted else f"{_takes(teleop)} begins a demonstration"
    if kind is EpisodeKind.SURVEY:
        return ""  # it begins at once, and waits for a driver where the arm is
    if policy_version == 0 and not person:
        return "the learner prepares the first policy"
    return ""


def _takes(teleop: TeleopConfig) -> str:
    """What takes the arm."""
    if teleop.takeover_by_motion:
        return "space, or moving the leader arm,"
    return "space, or the gamepad's trigger," if teleop.type == "gamepad" else "space"


def script_of(config: Config, next_episode: int) -> ScriptedOperator | None:
    """The simulation's scripted person; None of a real arm, and where there is none for the task."""
    if not config.simulated:
        return None
    return scripted_operator_of(config, script_noise(config.run.seed, next_episode))
