"""Metrics: complete on disk whatever wandb does, and under LeRobot's names in wandb."""

import dataclasses
import json
import logging
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from workers.config import Config, load
from workers.config.ready import ready_config
from workers.learner import wandb_sink
from workers.learner.metrics import MetricsLog
from workers.learner.session import LearnerSession
from workers.processors.build import feature_spec
from workers.transport.log import LogWriter
from workers.transport.record import EpisodeEnd, Outcome, Step

FIGURES = {"critic_loss": 0.5, "gripper_loss": 0.1, "online": 40, "entropy": 1.5}


class FakeWandb:
    """The part of the module that is used; each of `init`, `log`, `finish` can fail or hang."""

    def __init__(self, fails: str = "", hangs: str = "") -> None:
        self.fails, self.hangs = fails, hangs
        self.go_on = threading.Event()
        self.reached = threading.Event()
        self.threads: set[str] = set()
        self.logged: list[dict[str, float]] = []
        self.defined: dict[str, dict[str, Any]] = {}
        self.settings: dict[str, Any] = {}
        self.finished = False

    def Settings(self, **settings: Any) -> SimpleNamespace:
        return SimpleNamespace(**settings)

    def init(self, **settings: Any) -> "FakeWandb":
        self.settings = settings
        self._do("init")
        return self

    def define_metric(self, name: str, **how: Any) -> None:
        self.defined[name] = how

    def log(self, figures: dict[str, float]) -> None:
        self._do("log")
        self.logged.append(figures)

    def finish(self) -> None:
        self._do("finish")
        self.finished = True

    def _do(self, what: str) -> None:
        self.threads.add(threading.current_thread().name)
        if self.hangs == what:
            self.reached.set()
            self.go_on.wait(30)
        if self.fails == what:
            raise SystemExit(1) if what == "init" else RuntimeError("api.wandb.ai: no route to host")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = load(ready_config())
    made = replace(config, run=replace(config.run, directory=str(tmp_path)))
    made.run_dir.mkdir()
    return made


def with_wandb(monkeypatch: pytest.MonkeyPatch, config: Config, module: object) -> Config:
    monkeypatch.setitem(sys.modules, "wandb", module)  # type: ignore[arg-type]
    return replace(config, wandb=replace(config.wandb, enable=True, mode="offline"))


def lines(config: Config, name: str = "metrics.jsonl") -> list[dict[str, float]]:
    return [json.loads(line) for line in (config.run_dir / name).read_text().splitlines()]


def episodes(config: Config) -> list[dict[str, float]]:
    return lines(config, "metrics_episodes.jsonl")


def episode(number: int, human: str = "....", outcome: Outcome = Outcome.SUCCESS, **end: Any) -> list[Any]:
    """Records of an episode at 10 Hz; `human` has an h for every step of the person."""
    steps = [
        Step(
            episode=number,
            step=index,
            state=np.zeros(1, np.float32),
            images=np.zeros((0, 0, 0, 3), np.uint8),
            action=np.zeros(4, np.float32),
            reward=float(index == len(human) - 1),
            terminated=False,
            truncated=False,
            is_intervention=who == "h",
            is_demonstration=end.get("demonstration", False),
            executed_ns=1000 + index * 100_000_000,
        )
        for index, who in enumerate(human)
    ]
    return [*steps, EpisodeEnd(episode=number, outcome=outcome, discard=end.get("discard", False))]


def take_in(metrics: MetricsLog, records: list[Any], source: str = "") -> None:
    for record in records:
        metrics.take(source, record, updates=30, env_steps=record.seq)


def test_every_update_and_every_training_episode_has_a_line(config: Config) -> None:
    metrics = MetricsLog(config)
    metrics.write(10, FIGURES)
    take_in(metrics, episode(0, ".hh.h."))
    take_in(metrics, episode(1, "....", Outcome.TIME_LIMIT))
    metrics.close()
    (update,) = lines(config)
    first, second = episodes(config)
    assert FIGURES.items() <= update.items() and update["updates"] == 10
    expected = {
        "episode": 0,
        "episode_reward": 1.0,
        "episode_steps": 6,
        "episode_success": 1.0,
        "interventions": 2,
        "intervened": 1.0,
        "intervention_rate": 0.5,
        "policy_hz": 10.0,
        "policy_hz_90th_p": 10.0,
    }
    assert expected.items() <= first.items()
    assert (second["episode_success"], second["intervened"], second["interventions"]) == (0.0, 0.0, 0)


def test_demonstrations_and_discarded_episodes_have_no_line(config: Config) -> None:
    metrics = MetricsLog(config)
    take_in(metrics, episode(0, demonstration=True))
    take_in(metrics, episode(1, discard=True))
    metrics.close()
    assert episodes(config) == []


def test_the_episodes_of_two_actors_are_kept_apart(config: Config) -> None:
    metrics = MetricsLog(config)
    a, b = episode(0, "hh"), episode(0, "....")
    for source, record in [("a", a[0]), ("b", b[0]), ("b", b[1]), ("a", a[1]), ("b", b[2]), ("b", b[3])]:
        take_in(metrics, [record], source)
    take_in(metrics, a[2:], "a")
    take_in(metrics, b[4:], "b")
    metrics.close()
    assert [line["episode_steps"] for line in episodes(config)] == [2, 4]


def test_a_resumed_learner_that_reads_its_log_again_tells_no_episode_twice(config: Config) -> None:
    first = MetricsLog(config)
    take_in(first, [*episode(0), *episode(1)])
    first.close()
    with (config.run_dir / "metrics_episodes.jsonl").open("ab") as file:
        file.write(b'{"episode_reward": 3, "rec')  # torn by a kill
    second = MetricsLog(config)
    take_in(second, [*episode(0), *episode(1), *episode(2)])
    second.close()
    texts = (config.run_dir / "metrics_episodes.jsonl").read_text().splitlines()
    assert [json.loads(text)["episode"] for text in (*texts[:2], *texts[3:])] == [0, 1, 2]


def test_a_session_tells_each_training_episode_of_its_log_once_however_often_it_begins(
    config: Config,
) -> None:
    policy = replace(config.policy, online_buffer_capacity=50, offline_buffer_capacity=50)
    config = replace(config, policy=policy)
    features = feature_spec(config)
    state, images = np.zeros(features.state_dim, np.float32), np.zeros(features.image_shape, np.uint8)
    with LogWriter(config.run_dir / "log", features) as written:
        for record in (*episode(0, demonstration=True), *episode(1, ".hh."), *episode(2)):
            written.append(dataclasses.replace(record, state=state, images=images))
    for _ in range(2):
        LearnerSession(config).close()
    assert [(line["episode"], line["env_steps"], line["intervened"]) for line in episodes(config)] == [
        (1, 4, 1.0),
        (2, 8, 0.0),
    ]


def test_wandb_gets_ours_and_lerobots_names_with_their_axes(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = FakeWandb()
    metrics = MetricsLog(with_wandb(monkeypatch, config, wandb))
    metrics.write(10, FIGURES)
    take_in(metrics, episode(0, ".hh."))
    metrics.close()
    update, ended = wandb.logged
    assert FIGURES.items() <= update.items()
    assert {
        "train/Optimization step": 10,
        "train/loss_critic": 0.5,
        "train/loss_discrete_critic": 0.1,
        "train/replay_buffer_size": 40,
    }.items() <= update.items()
    assert {
        "train/Episodic reward": 1.0,
        "train/Episode intervention": 1.0,
        "train/Intervention rate": 0.5,
        "train/Policy frequency [Hz]": 10.0,
    }.items() <= ended.items()
    assert "train/Interaction step" in ended
    assert wandb.defined["train/Optimization step"] == {"hidden": True}
    assert wandb.defined["train/loss_actor"] == {"step_metric": "train/Optimization step"}
    assert wandb.defined["train/Episodic reward"] == {"step_metric": "train/Interaction step"}
    assert wandb.finished and wandb.threads == {"wandb"}
    assert wandb.settings["mode"] == "offline"


@pytest.mark.parametrize("fails", ["absent", "init", "log", "finish"])
def test_a_wandb_that_fails_is_reported_once_and_the_disk_has_everything(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fails: str
) -> None:
    module = None if fails == "absent" else FakeWandb(fails=fails)
    metrics = MetricsLog(with_wandb(monkeypatch, config, module))
    for step in range(20):
        metrics.write(step, FIGURES)
    metrics.close()
    assert len(lines(config)) == 20
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "wandb is off" in record.getMessage() and "on disk are complete" in record.getMessage()


@pytest.mark.parametrize("hangs", ["init", "log"])
def test_a_wandb_that_hangs_never_holds_up_training(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, hangs: str
) -> None:
    wandb = FakeWandb(hangs=hangs)
    metrics = MetricsLog(with_wandb(monkeypatch, config, wandb))
    metrics.write(0, FIGURES)
    assert wandb.reached.wait(10)
    count = wandb_sink.QUEUED + 50
    for step in range(1, count):
        metrics.write(step, FIGURES)  # returns although wandb does not
    assert metrics._wandb is not None
    assert metrics._wandb.dropped >= 49
    began_s = time.monotonic()
    metrics.close()
    assert time.monotonic() - began_s < 4
    assert len(lines(config)) == count
    assert sum("does not keep up" in record.getMessage() for record in caplog.records) == 1
    wandb.go_on.set()


def test_a_wandb_that_never_finishes_is_left_after_its_time(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wandb_sink.WandbSink.close, "__defaults__", (0.05,))
    wandb = FakeWandb(hangs="finish")
    metrics = MetricsLog(with_wandb(monkeypatch, config, wandb))
    metrics.write(1, FIGURES)
    metrics.close()
    assert not wandb.finished
    assert "did not finish" in caplog.text and "wandb sync" in caplog.text
    wandb.go_on.set()


def test_a_full_disk_is_reported_once_and_does_not_end_training(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = MetricsLog(config)
    disk = metrics._updates._file

    class Full:
        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

    metrics._updates._file = Full()  # type: ignore[assignment]
    for step in range(3):
        metrics.write(step, FIGURES)
    metrics._updates._file = disk
    metrics.write(3, FIGURES)
    metrics.close()
    assert [line["updates"] for line in lines(config)] == [3]
    assert sum("training goes on" in record.getMessage() for record in caplog.records) == 1
