"""A learner session takes in the log, trains, publishes and resumes; on small pictures and made-up episodes."""

import json
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from workers.actor.policy import Policy
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.learner.session import LearnerSession, SessionRefused
from workers.processors.build import feature_spec
from workers.transport.log import LogWriter
from workers.transport.record import EpisodeEnd, Outcome, Step
from workers.transport.shelf import PolicyShelf


def small_config(folder: Path, **algorithm: object) -> Config:
    data = msgspec.to_builtins(load(ready_config()))
    data["run"] |= {"directory": str(folder), "name": "run"}
    data["policy"] |= {"online_buffer_capacity": 500, "offline_buffer_capacity": 500, "torch_threads": 1}
    data["env"]["processor"]["image_preprocessing"]["resize_size"] = [32, 32]
    data["algorithm"] |= {"batch_size": 8, "bc_pretrain_updates": 3, "log_freq": 20} | algorithm
    config = msgspec.convert(data, Config)
    config.run_dir.mkdir(exist_ok=True)
    return config


def record_episodes(config: Config, first: int, count: int, demonstration: bool) -> None:
    features = feature_spec(config)
    rng = np.random.default_rng(first)

    def state() -> np.ndarray:
        return rng.uniform(-1, 1, features.state_dim).astype(np.float32)

    def images() -> np.ndarray:
        return rng.integers(0, 255, features.image_shape, np.uint8)

    with LogWriter(config.run_dir / "log", features) as log:
        for episode in range(first, first + count):
            for number in range(10):
                action = np.array([*rng.uniform(-1, 1, 3), rng.integers(3)], np.float32)
                last = number == 9
                log.append(
                    Step(
                        episode=episode, step=number, state=state(), images=images(), action=action,
                        reward=float(last), terminated=last, truncated=False, is_demonstration=demonstration,
                        discrete_penalty=-0.01 * action[3],
                    )
                )  # fmt: skip
            log.append(EpisodeEnd(episode=episode, outcome=Outcome.SUCCESS, state=state(), images=images()))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = small_config(tmp_path)
    record_episodes(made, 0, 3, demonstration=True)
    record_episodes(made, 3, 2, demonstration=False)
    return made


def test_the_log_is_where_a_session_begins(config: Config) -> None:
    session = LearnerSession(config)
    assert (session.replay.demonstration_size, session.replay.online_size, session.env_steps) == (30, 20, 20)
    record_episodes(config, 5, 1, demonstration=False)
    while session.take_in():
        pass
    assert session.env_steps == 30
    session.close()


def test_the_update_to_data_ratio_is_paced(config: Config) -> None:
    session = LearnerSession(config)
    while not session.ahead_of_data():
        session.update()
    assert session.updates == config.algorithm.utd_ratio * session.env_steps
    assert session.utd == config.algorithm.utd_ratio
    session.close()


def test_every_update_sees_the_penalties_of_its_batch(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = LearnerSession(config)
    gripper, seen = session.sac.gripper, []
    plain_targets = gripper.targets
    monkeypatch.setattr(
        gripper, "targets", lambda batch, next_z: (seen.append(batch), plain_targets(batch, next_z))[1]
    )
    for _ in range(2 * config.algorithm.utd_ratio):
        session.update()
        torch.testing.assert_close(seen[-1].discrete_penalty, -0.01 * seen[-1].action[:, 3])
        assert seen[-1].discrete_penalty.any()
    assert len(seen) == session.updates == 2 * config.algorithm.utd_ratio
    session.close()


def test_what_is_published_drives_an_actor(config: Config) -> None:
    session = LearnerSession(config)
    session.pretrain()
    assert [session.publish(), session.publish()] == [1, 2]
    policy = Policy(feature_spec(config), config.policy, config.algorithm)
    data = PolicyShelf(config.run_dir / "policy").read(2)
    assert data is not None
    policy.load_bytes(data, 2)
    assert policy.version == 2
    session.close()


def test_a_policy_with_nan_is_never_published(config: Config) -> None:
    session = LearnerSession(config)
    with torch.no_grad():
        session.sac.actor.mean.bias.fill_(float("nan"))
    session.sac.average.follow()
    assert session.publish() is None
    assert PolicyShelf(config.run_dir / "policy").versions() == []
    session.close()


def test_a_resumed_session_goes_on_exactly_where_it_was(config: Config) -> None:
    first = LearnerSession(config)
    for _ in range(3):
        first.pretrain()
    for _ in range(4):
        first.update()
    first.publish()
    first.save_checkpoint(wait=True)
    second = LearnerSession(config)
    assert (second.updates, second.pretrain_left, second.policy_version) == (4, 0, 1)
    for session in (first, second):
        session.update()
    for mine, theirs in zip(first.sac.actor.parameters(), second.sac.actor.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    first.close()
    second.close()


def test_the_end_of_cloning_is_worth_a_checkpoint(config: Config) -> None:
    session = LearnerSession(config)
    assert not session.checkpoint_due()
    while session.pretrain_left:
        session.pretrain()
    assert session.checkpoint_due()
    session.save_checkpoint(wait=True)
    assert not session.checkpoint_due()
    session.close()
    again = LearnerSession(config)
    assert again.pretrain_left == 0
    again.close()


def test_a_checkpoint_of_other_networks_is_refused_by_name(config: Config, tmp_path: Path) -> None:
    session = LearnerSession(config)
    session.update()
    session.save_checkpoint(wait=True)
    session.close()
    with pytest.raises(SessionRefused, match=r"step-0+1.*another name"):
        LearnerSession(small_config(tmp_path, num_critics=3))


def test_a_replay_that_cannot_fit_is_refused_with_what_would(config: Config) -> None:
    policy = msgspec.structs.replace(config.policy, online_buffer_capacity=10**10)
    with pytest.raises(SessionRefused, match="online_buffer_capacity to at most"):
        LearnerSession(msgspec.structs.replace(config, policy=policy))


def test_metrics_are_lines_of_json(config: Config) -> None:
    session = LearnerSession(config)
    for _ in range(20):
        session.update()
    session.close()
    lines = [json.loads(line) for line in (config.run_dir / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["updates"] == 20
    assert np.isfinite([lines[-1]["critic_loss"], lines[-1]["q_mean"], lines[-1]["utd"]]).all()


@pytest.mark.parametrize(("log_freq", "rows"), [(1, [1, 2, 3, 4, 5, 6, 7]), (3, [3, 6])])
def test_a_row_of_metrics_every_log_freq_updates(
    config: Config, tmp_path: Path, log_freq: int, rows: list[int]
) -> None:
    session = LearnerSession(small_config(tmp_path, log_freq=log_freq))
    for _ in range(7):
        session.update()
    session.close()
    lines = (config.run_dir / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["updates"] for line in lines] == rows
    assert session.take_metrics().keys() >= {"critic_loss", "gripper_loss", "actor_loss"}


def test_no_checkpoint_is_written_where_none_is_wanted(config: Config) -> None:
    checkpoint = msgspec.structs.replace(config.checkpoint, save_checkpoint=False, save_freq=1)
    session = LearnerSession(msgspec.structs.replace(config, checkpoint=checkpoint))
    while session.pretrain_left:
        session.pretrain()
    session.update()
    assert not session.checkpoint_due()
    session.save_checkpoint(wait=True)
    session.close()
    assert not (config.run_dir / "checkpoints").exists()


def test_metrics_go_to_wandb_offline_as_well(config: Config) -> None:
    wandb = msgspec.structs.replace(config.wandb, enable=True, mode="offline")
    session = LearnerSession(msgspec.structs.replace(config, wandb=wandb))
    for _ in range(20):
        session.update()
    session.close()
    written: list[Path] = []
    until = time.monotonic() + 60.0
    while not (written and written[0].stat().st_size) and time.monotonic() < until:
        time.sleep(0.05)  # a busy machine starts wandb after the session has gone, which does not wait for it
        written = list((config.run_dir / "wandb").glob("offline-run-*/*.wandb"))
    assert len(written) == 1 and written[0].stat().st_size > 0
    assert (config.run_dir / "metrics.jsonl").stat().st_size > 0
