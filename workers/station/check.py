"""Checks a configuration as a whole: the schema, and what only the arm or the environment itself can tell."""

import warnings
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path

from workers.config import Config, Document, load_document
from workers.config.lines import KeyPath
from workers.config.survey import FIND_LIMITS, surveying
from workers.dataset.errors import DatasetError, DatasetRefused
from workers.dataset.jobs import prepared
from workers.processors.build import Pipelines, pipelines_of
from workers.processors.errors import EnvironmentRefused
from workers.robot.checks import problems
from workers.station.preflight import Seen, check_classifier, looked

LEARNER_DEVICES = ("policy.device", "policy.storage_device")


def checked(path: Path) -> str:
    """What the configuration in `path` describes, in a few words.

    Raises ConfigError, with file, line and key, when anything is wrong with it.
    """
    return _summary(*examined(path))


def examined(path: Path) -> tuple[Config, Pipelines]:
    """The configuration in `path` and its pipelines.

    Raises ConfigError, with file, line and key, when anything is wrong with it.
    """
    document = load_document(path)
    config = document.config
    if config.mode == FIND_LIMITS:
        config = surveying(config)  # its bounds are not the file's
    looked_over(document, config)
    try:
        prepared(config, download=False)
    except DatasetRefused as refused:
        document.refuse([(refused.path, refused.text)])
    except DatasetError as error:
        document.refuse([(("dataset",), str(error))])
    try:
        with warnings.catch_warnings(action="ignore"):  # a stranger's environment may have much to say
            return config, pipelines_of(config, config.device)
    except EnvironmentRefused as refused:
        document.refuse([(refused.path, refused.text)])
        raise


def looked_over(document: Document, config: Config) -> Seen | None:
    """What the run must know of its Gymnasium environment, None for an arm, once nothing is wrong with either.

    `config` is the document's, with what the command line changed. Raises ConfigError with the lines of the file.
    """
    document.refuse(device_problems(config, ("device",)))
    if config.policy.actor_learner_config.learner_host is None:
        document.refuse(device_problems(config, LEARNER_DEVICES))
    if config.env.robot is not None:
        document.refuse(problems(config))
    seen = looked(document, config)
    try:
        check_classifier(config)
    except EnvironmentRefused as refused:
        document.refuse([(refused.path, refused.text)])
    return seen


def device_problems(config: Config, keys: Iterable[str]) -> Iterator[tuple[KeyPath, str]]:
    """Devices that are not here; PyTorch is asked only where one is wanted that not every machine has."""
    for key in keys:
        name = attrgetter(key)(config)
        if name == "cpu":
            continue
        from workers.learner.devices import DeviceMissing, usable_device

        try:
            usable_device(name, key)
        except DeviceMissing as missing:
            yield tuple(key.split(".")), str(missing).partition(" = ")[2]  # the key stands before it already


def _summary(config: Config, pipelines: Pipelines) -> str:
    """What is done by whom, seen how, decided how often."""
    env = config.env
    what = env.id if env.robot is None else f"{env.task} on {env.robot.type}"
    spec = pipelines.spec()
    cameras = ", ".join(f"{name} {camera.width}x{camera.height}" for name, camera in env.cameras.items())
    pictures = f"; cameras {cameras or ', '.join(spec.cameras)}" if spec.cameras else ""
    size = f", as {spec.width}x{spec.height} to the policy" if spec.cameras else ""
    gripper = " and gripper" if spec.gripper else ""
    return (
        f"{what} at {env.fps:g} Hz{pictures}{size}; "
        f"state of {spec.state_dim} figures; action of {spec.motion_dim} axes{gripper}"
    )
