"""A device that is not here is refused by the name of the key that asks for it, before anything is built."""

from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
import torch

from workers.actor.policy import Policy
from workers.actor.runtime import PolicyRuntime
from workers.config import AlgorithmConfig, Config, PolicyConfig, load
from workers.config.ready import ready_config
from workers.learner import worker
from workers.learner.devices import DeviceMissing, usable_device
from workers.runtime.harness import WorkerFailure
from workers.transport.record import FeatureSpec


@pytest.fixture(autouse=True)
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)


def config_with(folder: Path, **changes: object) -> Config:
    config = load(ready_config())
    run = msgspec.structs.replace(config.run, directory=str(folder))
    return msgspec.structs.replace(config, run=run, **changes)


def test_a_device_that_is_here_is_given() -> None:
    assert usable_device("cpu", "device") == torch.device("cpu")
    assert usable_device("cuda:0", "device") == torch.device("cuda", 0)


def test_a_second_gpu_that_is_not_here_is_counted() -> None:
    with pytest.raises(DeviceMissing, match=r'policy.device = "cuda:1", but .* finds only 1 of that kind'):
        usable_device("cuda:1", "policy.device")


@pytest.mark.parametrize("key", ["device", "storage_device"])
def test_the_learner_fails_with_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    policy = msgspec.structs.replace(load(ready_config()).policy, **{key: "cuda"})
    desk = SimpleNamespace(alive=lambda: True, restarts=0)
    with pytest.raises(WorkerFailure, match=rf'policy.{key} = "cuda", but .* none of that kind'):
        worker.main(desk, config_with(tmp_path, policy=policy))  # type: ignore[arg-type]


def test_a_replay_on_a_gpu_must_fit_into_the_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10**6, 10**9))
    policy = msgspec.structs.replace(load(ready_config()).policy, storage_device="cuda")
    desk = SimpleNamespace(alive=lambda: True, restarts=0)
    with pytest.raises(WorkerFailure, match=r"0\.0 GiB are free\. Set online_buffer_capacity to at most"):
        worker.main(desk, config_with(tmp_path, policy=policy))  # type: ignore[arg-type]


def test_the_actor_fails_with_its_own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(WorkerFailure, match=r'^device = "cuda", but'):
        PolicyRuntime(config_with(tmp_path, device="cuda"), lambda event: None)


def test_every_weight_of_a_policy_is_on_its_device() -> None:
    features = FeatureSpec(state_dim=2, cameras=("front",), height=32, width=32)
    policy = Policy(features, PolicyConfig(), AlgorithmConfig(), torch.device("meta"))
    assert {tensor.device.type for tensor in policy._networks.state_dict().values()} == {"meta"}
