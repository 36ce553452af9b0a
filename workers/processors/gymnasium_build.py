"""The pipelines of a Gymnasium environment, from its spaces; the same steps as an arm's, less what needs an arm."""

from dataclasses import dataclass
from typing import Any

import msgspec

from workers.config import Config, EnvConfig
from workers.config.lines import KeyPath
from workers.processors.build import Pipelines, assemble, teleop_steps
from workers.processors.errors import EnvironmentRefused
from workers.processors.features import ACTION, IMAGES, Feature
from workers.processors.gripper_latch import GripperLatch
from workers.processors.gymnasium_make import Environment, open_environment
from workers.processors.gymnasium_spaces import ActionWriter, ObservationReader
from workers.processors.pipeline import ActionStep, EnvironmentStep
from workers.processors.vanilla_observation import AGENT, VanillaObservationProcessor, raw_pictures

SMALLEST_SIDE, LARGEST_SIDE = 32, 512  # pixels, of what the networks take
_IMAGES_KEY = ("env", "processor", "image_preprocessing")


@dataclass(frozen=True, slots=True)
class Ends:
    """What lies between a Gymnasium environment and its pipelines."""

    reader: ObservationReader
    writer: ActionWriter


def ends_of(env: Environment, config: EnvConfig) -> Ends:
    """Raises EnvironmentRefused for spaces that cannot be used; it names `env.id` and says why."""
    gripper = config.processor.gripper
    writer = ActionWriter(env.action_space, gripper.use_gripper, gripper.closed_at)
    return Ends(ObservationReader(env.observation_space), writer)


def gymnasium_pipelines(config: Config, ends: Ends | None = None, device: str | None = None) -> Pipelines:
    """The pipelines between an environment's `ends`; without them, it is opened to look at its spaces.

    Raises EnvironmentRefused where the environment or its pictures do not fit the configuration.
    """
    if ends is None:
        ends = _looked_at(config.env)
    reader, writer = ends.reader, ends.writer
    _check_pictures(config.env, reader.pictures)
    config = _with_gripper(config, writer.gripper)
    raw = {
        AGENT: Feature("float64", (len(reader.names),), reader.names),
        **raw_pictures(reader.pictures),
    }
    raw_action = {ACTION: Feature("float32", (len(writer.names),), writer.names)}
    observing: list[EnvironmentStep] = [VanillaObservationProcessor(reader.names, reader.scale)]
    acting: list[ActionStep] = teleop_steps(config.env)
    if writer.gripper:
        acting.append(GripperLatch())
    return assemble(config, raw, raw_action, observing, acting, device)


def reader_of(config: Config) -> ObservationReader:
    """What reads the observations of a Gymnasium environment. Raises EnvironmentRefused where it cannot be made."""
    return _looked_at(config.env).reader


_seen: dict[Any, Ends] = {}


def _looked_at(env: EnvConfig) -> Ends:
    """Opening an environment may take seconds, and several rooms of a process ask for its shapes."""
    gripper = env.processor.gripper
    key = (env.id, tuple(sorted(env.kwargs.items())), gripper.use_gripper, gripper.closed_at)
    if key not in _seen:
        opened = open_environment(env)
        try:
            _seen[key] = ends_of(opened, env)
        finally:
            opened.close()
    return _seen[key]


def _with_gripper(config: Config, gripper: bool) -> Config:
    """`config` with `use_gripper` as the environment really has it."""
    replace = msgspec.structs.replace
    processor = config.env.processor
    processor = replace(processor, gripper=replace(processor.gripper, use_gripper=gripper))
    return replace(config, env=replace(config.env, processor=processor))


def _check_pictures(env: EnvConfig, sizes: dict[str, tuple[int, int]]) -> None:
    """Raises EnvironmentRefused for crops that do not fit, and for pictures of different or unusable sizes."""
    pictures = env.processor.image_preprocessing
    final = dict(sizes)
    for key, (top, left, height, width) in pictures.crop_params_dict.items():
        at: KeyPath = (*_IMAGES_KEY, "crop_params_dict", key)
        camera = key.removeprefix(IMAGES)
        if camera not in sizes:
            valid = ", ".join(f'"{IMAGES}{name}"' for name in sizes) or "none, it observes no pictures"
            raise EnvironmentRefused(at, f'"{env.id}" has no such picture; valid keys here: {valid}')
        rows, columns = sizes[camera]
        if top + height > rows or left + width > columns:
            reached = f"reaches row {top + height} and column {left + width}"
            there = f"the picture has {rows} rows and {columns} columns"
            raise EnvironmentRefused(at, f"[top, left, height, width] {reached}, but {there}")
        final[camera] = (height, width)
    if pictures.resize_size is not None or not final:
        return
    found = ", ".join(f"{height}x{width}" for height, width in sorted(set(final.values())))
    at = (*_IMAGES_KEY, "resize_size")
    if len(set(final.values())) > 1:
        raise EnvironmentRefused(at, f"missing; the pictures differ in size ({found}) and need a common one")
    if any(side % 2 or not SMALLEST_SIDE <= side <= LARGEST_SIDE for size in final.values() for side in size):
        raise EnvironmentRefused(
            at,
            f"missing; pictures of {found} must be brought to even sides of {SMALLEST_SIDE} to {LARGEST_SIDE} pixels",
        )
