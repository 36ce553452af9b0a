"""Disk, memory, devices of PyTorch: what the configuration needs beside what there is."""

from pathlib import Path

import msgspec
import pytest
import torch

from workers.config import Config, load
from workers.config.ready import ready_config
from workers.doctor import machine
from workers.doctor.examine import examined
from workers.doctor.forecast import cores, memory
from workers.doctor.machine import disk_speed, egl, gpu, written_bytes_s
from workers.learner.memory import replay_bytes
from workers.processors.build import feature_spec

CONFIG = load(ready_config())


def with_policy(**keys: object) -> Config:
    return msgspec.structs.replace(CONFIG, policy=msgspec.structs.replace(CONFIG.policy, **keys))


def test_the_disk_is_written_to_for_real_and_left_as_it_was(tmp_path: Path) -> None:
    check = disk_speed(tmp_path / "runs", CONFIG)
    assert "MB/s to" in check.found and "this run writes 1.0 MB/s" in check.found
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_too_slow_is_a_remark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_write_rate", lambda folder: 3e6)
    check = disk_speed(tmp_path, CONFIG)
    assert check.ok is None and check.found.startswith("3 MB/s") and "local disk" in check.do


def test_a_folder_that_takes_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path) -> float:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(machine, "_write_rate", full)
    check = disk_speed(tmp_path, None)
    assert check.ok is False and "No space left" in check.found


def test_what_a_run_writes_is_its_pictures_at_its_rate() -> None:
    pictures = 2 * 128 * 128 * 3 * CONFIG.env.fps
    assert pictures < written_bytes_s(CONFIG) < 1.05 * pictures


@pytest.mark.parametrize(("share", "ok"), [(0.5, True), (0.9, None), (1.1, False)])
def test_a_replay_is_measured_against_what_is_free(share: float, ok: bool | None) -> None:
    needed = replay_bytes(feature_spec(CONFIG), CONFIG.policy)
    check = memory(CONFIG, lambda device: int(needed / share))
    assert check.ok is ok
    assert f"{needed / 2**30:.1f} GiB" in check.found
    if ok is False:
        assert "online_buffer_capacity" in check.found


def test_a_learner_elsewhere_has_the_replay() -> None:
    link = msgspec.structs.replace(CONFIG.policy.actor_learner_config, learner_host="gpu")
    check = memory(with_policy(actor_learner_config=link), lambda device: 10)
    assert check.ok is True and "on gpu" in check.found


def test_a_device_that_is_not_here_is_told_with_its_key() -> None:
    if torch.cuda.device_count() > 7:
        pytest.skip("this machine has eight GPUs")
    check = gpu(with_policy(device="cuda:7"))
    assert check.ok is False and 'policy.device = "cuda:7"' in check.found


def test_a_machine_without_a_gpu_is_a_remark_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert gpu(CONFIG).ok is None
    assert gpu(None).ok is None


def test_cores_are_counted() -> None:
    check = cores()
    assert int(check.found.split()[0]) >= 1


def test_a_renderer_that_fails_is_told_with_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_RENDER", "raise SystemExit('no EGL here')")
    check = egl()
    assert check.ok is False and check.found == "no EGL here" and "libegl1" in check.do


def test_an_examination_that_breaks_is_a_finding_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(config: object) -> object:
        raise RuntimeError("driver gone")

    monkeypatch.setattr("workers.doctor.devices.ports", broken)
    monkeypatch.setattr("workers.doctor.machine.egl", lambda: machine.Check("EGL rendering", True, "yes"))
    findings = {check.name: check for check in examined(tmp_path, None)}
    assert findings["serial ports"].ok is False and "driver gone" in findings["serial ports"].found
    assert findings["EGL rendering"].ok is True
    assert list(findings)[-1] == "EGL rendering"
