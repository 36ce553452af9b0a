"""Resume: exactly where the learner was, from the newest good checkpoint, and never silently from zero."""

import json
import logging
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.learner.runs import Arm, contents, go_on, tiny_config
from workers.config import Config
from workers.learner.checkpoint import read_checkpoint
from workers.learner.checkpoint_store import CheckpointStore
from workers.learner.session import LearnerSession, SessionRefused
from workers.transport.log_format import segments


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return tiny_config(tmp_path)


def train_with_two_arms(config: Config, arms: list[Arm], updates: int, seed: int = 0) -> LearnerSession:
    """A session that took in two logs piece by piece, in an order of chance, training all the while."""
    session, rng = LearnerSession(config), np.random.default_rng(seed)
    while session.updates < updates:
        for arm in arms:
            arm.record(int(rng.integers(0, 5)))
        if rng.random() < 0.1:
            arms[int(rng.integers(2))].crash()
        session.take_in()
        if session.replay.online_size:
            session.update()
    session.publish()
    return session


def two_arms(config: Config) -> list[Arm]:
    return [Arm(config, 1), Arm(config, 2, "left")]


def saved_run(config: Config, updates: int = 12) -> LearnerSession:
    """A session whose checkpoint is its last deed, and its logs on disk."""
    arms = two_arms(config)
    session = train_with_two_arms(config, arms, updates)
    session.save_checkpoint(wait=True)
    session.close()
    for arm in arms:
        arm.close()
    return session


def checkpoints(config: Config) -> list[Path]:
    return CheckpointStore(config.run_dir / "checkpoints").paths()


def warnings(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)


@pytest.mark.parametrize("seed", range(3))
def test_a_resumed_session_is_the_same_in_every_bit_and_stays_so(config: Config, seed: int) -> None:
    arms = two_arms(config)
    straight = train_with_two_arms(config, arms, 40, seed)
    straight.save_checkpoint(wait=True)
    resumed = LearnerSession(config)
    assert contents(resumed) == contents(straight)
    for _ in range(10):
        for arm in arms:
            arm.record(3)
        runs = straight.take_in()
        assert runs and resumed.take_in() == runs
        assert go_on(straight, 2) == go_on(resumed, 2)
    assert contents(resumed) == contents(straight)
    straight.close()
    resumed.close()


def test_what_came_after_the_checkpoint_is_not_in_the_resumed_replay_until_it_is_taken_in(
    config: Config,
) -> None:
    arms = two_arms(config)
    straight = train_with_two_arms(config, arms, 10)
    straight.save_checkpoint(wait=True)
    as_saved = contents(straight)
    for _ in range(5):
        arms[0].record(4)
        arms[1].record(2)
        straight.take_in()
    straight.update()
    resumed = LearnerSession(config)
    assert contents(resumed) == as_saved
    while resumed.take_in():
        pass
    assert resumed.env_steps == straight.env_steps
    straight.close()
    resumed.close()


def test_a_checkpoint_of_a_resumed_session_is_as_good(config: Config) -> None:
    arms = two_arms(config)
    straight = train_with_two_arms(config, arms, 10)
    straight.save_checkpoint(wait=True)
    for round_number in range(3):
        resumed = LearnerSession(config)
        arms[round_number % 2].record(5)
        for session in (straight, resumed):
            session.take_in()
            session.update()
        resumed.save_checkpoint(wait=True)
        resumed.close()
    again = LearnerSession(config)
    assert contents(again) == contents(straight)
    again.close()
    straight.close()


def test_a_new_process_goes_on_bit_for_bit(config: Config) -> None:
    straight = saved_run(config)
    folder = str(config.run_dir.parent)
    answer = subprocess.run(
        [sys.executable, "-m", "tests.learner.runs", folder, "5"],
        capture_output=True, check=True, timeout=60, env=os.environ | {"PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    batches, found = json.loads(answer.stdout)
    assert batches == go_on(straight, 5)
    assert found == contents(straight)


def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_is_used(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    arms = two_arms(config)
    session = train_with_two_arms(config, arms, 10)
    session.save_checkpoint(wait=True)
    before = contents(session)
    arms[1].record(9)
    session.take_in()
    session.update()
    session.save_checkpoint(wait=True)
    session.close()
    newest = checkpoints(config)[-1] / "actor.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1])
    resumed = LearnerSession(config)
    assert contents(resumed) == before
    assert f"{newest.parent.name}: actor.safetensors has" in warnings(caplog)
    resumed.close()


def test_tensors_that_do_not_fit_are_named_and_passed_over(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    saved_run(config)
    store = CheckpointStore(config.run_dir / "checkpoints")
    good = store.load()
    name = "actor.mean.bias"
    wrong = {
        "shape": good.tensors | {name: torch.zeros(7)},
        "dtype": good.tensors | {name: good.tensors[name].double()},
        "missing": {key: tensor for key, tensor in good.tensors.items() if key != name},
        "unknown": good.tensors | {"actor.more": torch.zeros(1)},
        "optimiser": good.tensors | {"optimiser.actor.0.exp_avg": torch.zeros(7)},
        "rng": good.tensors | {"generator": torch.zeros(3)},
    }
    for number, tensors in enumerate(wrong.values(), start=1):
        store.save(replace(good, step=good.step + number, tensors=tensors))
        session = LearnerSession(config)
        assert session.updates == good.step
        session.close()
    said = warnings(caplog)
    for text in (
        "shape [7] instead of",
        "torch.float64 instead of",
        "is missing",
        "is not part of",
        "exp_avg",
    ):
        assert text in said


@pytest.mark.parametrize("damage", ["flipped", "gone", "shorter"])
def test_a_lost_order_of_intake_costs_the_order_alone_and_is_said(
    config: Config, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    roomy = tiny_config(config.run_dir.parent, 400, 400)
    straight = saved_run(roomy)
    path = config.run_dir / "intake"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    match damage:
        case "flipped":
            path.write_bytes(data)
        case "gone":
            path.unlink()
        case "shorter":
            path.write_bytes(path.read_bytes()[:-1])
    resumed = LearnerSession(roomy)
    assert "order of its transitions" in warnings(caplog)
    assert (resumed.updates, resumed.env_steps) == (straight.updates, straight.env_steps)
    assert resumed.replay.online_size == straight.replay.online_size
    resumed.update()
    resumed.save_checkpoint(wait=True)
    again = LearnerSession(roomy)
    assert contents(again) == contents(resumed)
    again.close()
    resumed.close()


def test_a_single_log_needs_no_order_of_intake(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    arm = Arm(config, 1)
    straight = LearnerSession(config)
    for _ in range(8):
        arm.record(10)
        straight.take_in()
    go_on(straight, 2)
    straight.save_checkpoint(wait=True)
    (config.run_dir / "intake").unlink()
    resumed = LearnerSession(config)
    assert contents(resumed) == contents(straight)
    assert warnings(caplog) == ""
    joined = Arm(config, 2, "left")
    joined.record(6)
    resumed.take_in()
    resumed.update()
    resumed.save_checkpoint(wait=True)
    again = LearnerSession(config)
    assert contents(again) == contents(resumed)
    for session in (straight, resumed, again):
        session.close()


def cut_off(config: Config) -> None:
    segment = segments(config.run_dir / "log")[-1]
    os.truncate(segment, segment.stat().st_size - 5)


def begun_anew(config: Config) -> None:
    shutil.rmtree(config.run_dir / "log")
    arm = Arm(config, 7)
    arm.record(500)
    arm.close()


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda config: shutil.rmtree(config.run_dir / "log"), r"run/log is not there any more"),
        (lambda config: shutil.rmtree(config.run_dir / "actors"), r"left-0+2 is not there any more"),
        (cut_off, r"run/log ends after [\d,]+ of the [\d,]+ records"),
        (begun_anew, r"run/log was begun anew"),
    ],
    ids=["log", "actor's log", "cut off", "begun anew"],
)
def test_a_log_that_was_lost_is_refused_by_name_with_advice(config: Config, loss: object, said: str) -> None:
    saved_run(config)
    loss(config)
    with pytest.raises(SessionRefused, match=rf"cannot be resumed at update 12: the log .*{said}.*--fresh"):
        LearnerSession(config)
    assert len(checkpoints(config)) == 1


def test_no_good_checkpoint_is_refused_with_advice_and_stays_refused(config: Config) -> None:
    saved_run(config)
    (checkpoints(config)[0] / "manifest.json").unlink()
    for _ in range(2):
        with pytest.raises(SessionRefused, match=r"step-00000012: manifest.json is missing.*--fresh"):
            LearnerSession(config)


def test_fresh_moves_checkpoints_aside_and_learns_from_all_that_was_recorded(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    before = saved_run(config)
    session = LearnerSession(config, fresh=True)
    assert (session.updates, session.env_steps) == (0, before.env_steps)
    assert session.policy_version == 1, "actors take newer versions only"
    aside = config.run_dir / "checkpoints.before-1"
    assert str(aside) in warnings(caplog)
    assert read_checkpoint(aside / "step-00000012").step == 12
    session.update()
    session.save_checkpoint(wait=True)
    session.close()
    resumed = LearnerSession(config)
    assert contents(resumed) == contents(session)
    resumed.close()


def test_fresh_does_not_mind_checkpoints_that_are_all_bad(config: Config) -> None:
    saved_run(config)
    (checkpoints(config)[0] / "manifest.json").unlink()
    session = LearnerSession(config, fresh=True)
    assert session.updates == 0
    session.close()


def test_resume_required_refuses_where_nothing_is(config: Config) -> None:
    with pytest.raises(SessionRefused, match="no checkpoint to resume"):
        LearnerSession(config, resume_required=True)
    saved_run(config)
    session = LearnerSession(config, resume_required=True)
    assert session.updates == 12
    session.close()


def test_a_checkpoint_of_format_1_is_resumed(config: Config) -> None:
    arm = Arm(config, 1)
    arm.record(60)
    straight = LearnerSession(config)
    go_on(straight, 4)
    straight.save_checkpoint(wait=True)
    as_format_1(checkpoints(config)[0])
    resumed = LearnerSession(config)
    assert contents(resumed) == contents(straight)
    assert resumed.env_steps == straight.env_steps
    arm.close()
    resumed.close()
    straight.close()


def as_format_1(path: Path) -> None:
    """Turn a checkpoint of one log into what the version before wrote."""
    import hashlib

    tensors = {}
    for file in path.glob("*.safetensors"):
        tensors |= load_file(file)
        file.unlink()
    save_file(tensors, path / "state.safetensors")
    manifest = json.loads((path / "manifest.json").read_text())
    digest = hashlib.sha256((path / "state.safetensors").read_bytes()).hexdigest()
    old = {
        "format": 1,
        "log_position": manifest["logs"][""]["records"],
        "counters": {key: manifest["counters"][key] for key in ("pretrain_done", "policy_version")},
        "sha256": {"state.safetensors": digest},
    } | {key: manifest[key] for key in ("step", "settings_hash", "rng")}
    (path / "manifest.json").write_text(json.dumps(old))


def test_other_features_are_refused_by_name(config: Config) -> None:
    saved_run(config)
    path = checkpoints(config)[0]
    shutil.rmtree(config.run_dir / "log")
    shutil.rmtree(config.run_dir / "actors")
    data = msgspec.to_builtins(config)
    data["env"]["processor"]["image_preprocessing"]["resize_size"] = [40, 40]
    with pytest.raises(SessionRefused, match=rf"{path.name} was trained on other observations.*--fresh"):
        LearnerSession(msgspec.convert(data, Config))


def test_the_best_checkpoint_is_told_by_the_session(config: Config) -> None:
    session = saved_run(config)
    session.note_success(policy_version=1, successes=9, trials=10)
    best = CheckpointStore(config.run_dir / "checkpoints").best()
    assert best is not None
    assert (best.checkpoint, best.successes, best.trials) == ("step-00000012", 9, 10)


def test_a_full_disk_costs_a_checkpoint_and_the_next_one_is_whole(
    config: Config, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    arms = two_arms(config)
    session = train_with_two_arms(config, arms, 10)

    def full(*args: object) -> int:
        raise OSError(28, "No space left on device")

    for name in ("pwrite", "write", "fsync"):
        with monkeypatch.context() as patched:
            patched.setattr(os, name, full)
            session.save_checkpoint(wait=True)
        assert "No space left on device" in caplog.text
        assert checkpoints(config) == []
        caplog.clear()
    session.save_checkpoint(wait=True)
    resumed = LearnerSession(config)
    assert contents(resumed) == contents(session)
    resumed.close()
    session.close()
