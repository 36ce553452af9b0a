"""Datasets for a reward classifier, recorded by the scripted person on the simulator without real time."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.learning import SimulatedPeriod
from workers.actor.chair import Chair
from workers.actor.environment import arm_env
from workers.actor.episode import EpisodeRunner
from workers.actor.no_policy import NoPolicy
from workers.actor.rules import Rules
from workers.actor.sim_env import InProcessArm
from workers.config import Config
from workers.dataset.layout import dataset_folder
from workers.dataset.recording import Recording
from workers.model.events import EpisodeKind
from workers.processors.build import feature_spec
from workers.processors.transition import Picture
from workers.robot.build import kinematics_of
from workers.teleop.build import scripted_operator_of
from workers.transport.log import LogWriter
from workers.transport.record import Record

Pictures = dict[str, Picture]


class SeenPort(InProcessArm):
    """The simulator through cameras of whatever kind."""

    seen: Callable[[int, Pictures], Pictures]
    """What they make of the pictures of an episode, by its number."""
    episode = 0

    def frames(self) -> Pictures:
        return self.seen(self.episode, super().frames())


def record(
    config: Config, seed: int, seen: Callable[[int, Pictures], Pictures] = lambda _, made: made
) -> Path:
    """The dataset of `config`, a recording, whose scenes and whose person's moods are drawn from `seed`.

    `seen` is what the cameras make of an episode's pictures. Frames in which the task is done are successes, by the
    simulator's word; `operator.failures` of the episodes have none.
    """
    config.run_dir.mkdir()
    kinematics = kinematics_of(config)
    port = SeenPort(config, kinematics)
    port.seen = seen
    env = arm_env(config, port, kinematics)
    with LogWriter(config.run_dir / "log", feature_spec(config)) as log:

        def keep(record: Record) -> None:
            log.append(record)

        person = scripted_operator_of(config, np.random.default_rng([seed, 11]))
        runner = EpisodeRunner(
            env,
            NoPolicy(),
            Chair(True, config.env.teleop.jog_step),
            person,
            SimulatedPeriod(port, lambda: None),
            keep,
            lambda event: None,
            Rules.of(config),
        )
        for number in range(config.dataset.num_episodes_to_record):
            scene = int(np.random.SeedSequence([seed, 12, number]).generate_state(1)[0]) % 2**31
            port.episode = number
            runner.run(EpisodeKind.DEMONSTRATION, number, scene)
    env.close()
    without_pace = logging.getLogger("workers.dataset.recording")
    without_pace.setLevel(logging.ERROR)  # that there was no real time is no news
    recording = Recording(config, lambda event: None)
    while recording.take_in():
        pass
    recording.close()
    return dataset_folder(config.dataset)
