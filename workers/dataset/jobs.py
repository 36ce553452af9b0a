"""What `mode` asks of the dataset: before a run, that nothing will be in the way; after it, that it is on the hub."""

import logging

import msgspec

from workers.config import Config
from workers.dataset.columns import columns_of
from workers.dataset.errors import DatasetRefused
from workers.dataset.feed import fed_before, offered
from workers.dataset.layout import dataset_folder, episodes_in_words, read_info
from workers.processors.build import pipelines_of
from workers.processors.features import ACTION

_EPISODE = ("dataset", "replay_episode")
log = logging.getLogger(__name__)


def prepared(config: Config, *, download: bool = True) -> Config:
    """The configuration with which the run of its `mode` begins; nothing has moved yet.

    Without `download`, a dataset that is on the hub only is not looked at.

    To record, the dataset's folder must be free or hold a dataset of the same features, which is continued; to
    replay, the episode must be there and fit the arm, and an episode of the run becomes as long as it; to train from a
    dataset, it must fit, and its demonstrations need not be recorded any more.
    Raises DatasetError, DatasetRefused where a key names it.
    """
    if config.mode == "record":
        from workers.dataset.recording import writer_of  # brings what writes pictures, which takes a second

        writer_of(config).close()
    if config.mode == "replay":
        return _as_long_as(config, _frames_to_replay(config))
    if config.feeds_dataset:
        return _with_fewer_to_record(config, download)
    return config


def prepared_to_learn(config: Config) -> Config:
    """The configuration with which a learner of actors elsewhere begins. Raises DatasetError, DatasetRefused."""
    if config.feeds_dataset and fed_before(config) is None:
        offered(config)
    return config


def finished(config: Config) -> str:
    """Upload what was recorded, after a run that is to; returns what the dataset has, in words. Raises DatasetError."""
    folder = dataset_folder(config.dataset)
    info = read_info(folder)
    if info is None or not info.total_episodes:
        return "no episode was kept"
    words = f"{episodes_in_words(info.total_episodes)}, {info.total_frames} frames are in {folder}"
    if not config.dataset.push_to_hub:
        return words
    from workers.dataset.hub import push  # not needed without a hub

    assert config.dataset.repo_id is not None, "the configuration has it where push_to_hub is true"
    push(folder, config.dataset.repo_id)
    return f"{words} and, as {config.dataset.repo_id}, on the hub"


def _with_fewer_to_record(config: Config, download: bool) -> Config:
    """The configuration with as many demonstrations less to record as the dataset has."""
    fed, wanted = fed_before(config), config.operator.demonstrations
    away = fed is None and read_info(dataset_folder(config.dataset)) is None
    if away and config.policy.actor_learner_config.learner_host is not None:
        log.warning(
            "dataset: it is not on this machine, so that its demonstrations do not count here: set"
            " operator.demonstrations to how many more are to be recorded, or leave it"
        )
        return config
    if away and config.dataset.repo_id is not None and not download:
        return config
    shown = offered(config).demonstrations if fed is None else fed.demonstrations
    left = max(0, wanted - shown)
    log.info(
        "dataset: %d demonstrations; of operator.demonstrations = %d, %d are to be recorded",
        shown,
        wanted,
        left,
    )
    replace = msgspec.structs.replace
    return replace(config, operator=replace(config.operator, demonstrations=left))


def _frames_to_replay(config: Config) -> int:
    """How many frames the episode to be replayed has. Raises DatasetRefused where it cannot be replayed."""
    from workers.dataset.read import read_episode

    folder, episode = dataset_folder(config.dataset), config.dataset.replay_episode
    assert episode is not None, "the configuration has it where there is something to replay"
    info = read_info(folder)
    if info is None:
        key = "root" if config.dataset.root is not None else "repo_id"
        raise DatasetRefused(
            ("dataset", key), f"there is no dataset in {folder}; record one, or name its folder"
        )
    if episode >= info.total_episodes:
        last = info.total_episodes - 1
        raise DatasetRefused(
            _EPISODE, f"no episode {episode} in {folder}; it has {info.total_episodes}, 0 to {last}"
        )
    if info.fps != config.env.fps:
        raise DatasetRefused(
            ("env", "fps"),
            f"{config.env.fps:g}, but {folder} was recorded at {info.fps:g}: use that to replay it",
        )
    here, there = columns_of(pipelines_of(config).stored)[ACTION], info.features.get(ACTION)
    if there is None or there.shape != here.shape:
        raise DatasetRefused(
            _EPISODE, f"the actions in {folder} are {there or 'missing'}; this arm's are {here}"
        )
    return len(read_episode(folder, info, episode).actions)


def _as_long_as(config: Config, frames: int) -> Config:
    """The configuration with episodes of exactly `frames` steps."""
    replace = msgspec.structs.replace
    processor = config.env.processor
    reset = replace(processor.reset, control_time_s=frames / config.env.fps)
    return replace(config, env=replace(config.env, processor=replace(processor, reset=reset)))
