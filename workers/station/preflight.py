"""A look at a Gymnasium environment, and at a reward classifier, before a run is opened, in a process of its own.

Their libraries (simulators, OpenGL, PyTorch) never enter the station, and one that crashes takes nothing along.
"""

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final, TypeVar

from workers.config import Config, Document
from workers.config.lines import KeyPath
from workers.dataset.errors import DatasetError
from workers.processors.errors import EnvironmentRefused

LIMIT_S: Final = 120.0  # as long as a worker may take to start
_ID: Final = ("env", "id")
CLASSIFIER: Final = ("env", "processor", "reward_classifier", "pretrained_path")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the station must know of an environment it never opens itself."""

    views: tuple[str, ...] = ()  # names of the pictures a person can be shown
    scripted: bool = True  # whether there is a scripted person for it


def looked(document: Document, config: Config) -> Seen | None:
    """What there is to know of a Gymnasium environment; None for an arm.

    `config` is the document's, with what the command line changed. Raises ConfigError with the lines of the file.
    """
    if config.env.type != "gymnasium":
        return None
    seen, problems = Seen(), list[tuple[KeyPath, str]]()
    try:
        seen = look(config)
    except EnvironmentRefused as refused:
        problems.append((refused.path, refused.text))
    if config.operator.scripted and not seen.scripted:
        text = f'"{config.env.id}" has no scripted person; set it to false and drive from the console'
        problems.append((("operator", "scripted"), text))
    document.refuse(problems)
    return seen


def look(config: Config) -> Seen:
    """What there is to know of `config`'s Gymnasium environment.

    Raises EnvironmentRefused where it cannot be made, or does not fit the configuration.
    """
    return apart(_look, config)


def check_classifier(config: Config) -> None:
    """Load the reward classifier of a run as its actor will, to see whether it fits.

    Raises EnvironmentRefused, with a table of what differs, where it does not.
    """
    used = config.env.processor.reward_classifier
    if used is not None and not used.is_stand_in:
        apart(_load_classifier, config, CLASSIFIER, f'the reward classifier "{used.pretrained_path}"')


def apart(work: Callable[[Config], T], config: Config, place: KeyPath = _ID, what: str = "") -> T:
    """`work(config)`, in a process of its own.

    Raises EnvironmentRefused or DatasetError where it does, and where that process ends; `place` and `what` name what
    is opened, an environment if nothing else.
    """
    what = what or (f'"{config.env.id}"' if config.env.id is not None else "what the run needs")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(work, config, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(LIMIT_S):
            raise EnvironmentRefused(place, f"{what} did not open within {LIMIT_S:.0f} s")
        found: T | Exception = ours.recv()
    except EOFError:
        process.join(1.0)
        text = f"opening {what} ended its process (exit code {process.exitcode}); what it printed says more"
        raise EnvironmentRefused(place, text) from None
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(found, Exception):
        raise found
    return found


def _answer(work: Callable[[Config], T], config: Config, answer: Connection) -> None:
    """The process's own: work, answer, and end before native libraries can object."""
    try:
        answer.send(work(config))
    except (EnvironmentRefused, DatasetError) as refused:
        answer.send(refused)
    answer.close()
    os._exit(0)


def _look(config: Config) -> Seen:
    from workers.actor.gym_env import gym_env
    from workers.actor.gym_truth import truth_of

    env = gym_env(config)
    env.close()
    return Seen(env.views, truth_of(config.env) is not None)


def _load_classifier(config: Config) -> None:
    from workers.actor.reward_model import load_reward_model
    from workers.processors.build import pipelines_of

    load_reward_model(config, pipelines_of(config))
