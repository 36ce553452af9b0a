"""The policy runtime: weights arrive in the background, are taken between steps, and bad ones change nothing."""

import logging
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace

from workers.actor import runtime as runtime_module
from workers.actor.policy import Policy
from workers.actor.runtime import PolicyRuntime
from workers.config import Config, PolicyConfig, load
from workers.config.ready import ready_config
from workers.learner.sac import SAC
from workers.learner.sac_state import frozen_tensors, policy_tensors
from workers.model.events import Event, PolicySwapped
from workers.processors.build import feature_spec
from workers.transport.shelf import PolicyShelf


class Bench:
    """A runtime, the shelf before it, and what it told."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.features = feature_spec(config)
        self.shelf = PolicyShelf(config.run_dir / "policy")
        self.told: list[Event] = []
        self.runtime = PolicyRuntime(config, self.told.append)

    def learner(self, seed: int) -> SAC:
        return SAC(self.features, self.config.policy, self.config.algorithm, seed=seed, pretrained=False)

    def publish(self, version: int, seed: int = 0) -> SAC:
        sac = self.learner(seed)
        self.shelf.publish(version, policy_tensors(sac, include_frozen=False))
        return sac

    def settled(self) -> None:
        """Nothing is being loaded any more."""
        until_s = time.monotonic() + 20
        while self.runtime._loader._thread is not None:
            assert time.monotonic() < until_s
            time.sleep(0.002)

    def swap_to(self, version: int) -> None:
        self.runtime.offer(version)
        self.settled()
        self.runtime.swap()

    def act(self) -> np.ndarray:
        size = (1, self.features.height, self.features.width, 3)
        generator = torch.Generator().manual_seed(3)
        seen = {
            f"observation.images.{camera}": torch.randint(
                0, 255, size, dtype=torch.uint8, generator=generator
            )
            for camera in self.features.cameras
        }
        state = torch.randn(1, self.features.state_dim, generator=generator)
        return self.runtime.act(seen | {"observation.state": state}, deterministic=True)


def small(folder: Path, **policy: object) -> Config:
    config = load(ready_config())
    run = replace(config.run, directory=str(folder))
    return replace(config, run=run, policy=replace(PolicyConfig(latent_dim=16), **policy))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(small(tmp_path))


def test_an_offered_policy_is_ready_later_and_taken_between_steps(bench: Bench) -> None:
    bench.publish(1)
    before_s = time.monotonic()
    bench.swap_to(1)
    (swapped,) = bench.told
    assert isinstance(swapped, PolicySwapped)
    assert (swapped.version, bench.runtime.version) == (1, 1)
    assert before_s <= swapped.at_s <= time.monotonic()


def test_the_policy_in_use_drives_while_the_next_is_loaded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.publish(1, seed=1)
    bench.swap_to(1)
    first = bench.act()
    half_way, go_on = threading.Event(), threading.Event()
    prepare = Policy.prepare

    def prepare_slowly(
        policy: Policy, tensors: dict[str, torch.Tensor], version: int, breathe: object
    ) -> None:
        prepare(policy, tensors, version)
        half_way.set()
        assert go_on.wait(20)

    monkeypatch.setattr(Policy, "prepare", prepare_slowly)
    bench.publish(2, seed=2)
    bench.runtime.offer(2)
    assert half_way.wait(20)
    np.testing.assert_array_equal(bench.act(), first)
    assert bench.runtime.version == 1
    go_on.set()
    bench.settled()
    assert not np.array_equal(bench.act(), first)
    assert bench.runtime.version == 2


@pytest.mark.parametrize("fault", ["nan", "shape", "dtype", "garbage"])
def test_a_bad_policy_is_reported_once_and_the_last_good_one_stays(
    bench: Bench, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    bench.publish(1, seed=1)
    bench.swap_to(1)
    good = bench.act()
    tensors = policy_tensors(bench.learner(seed=2))
    match fault:
        case "nan":
            tensors["gripper.out.bias"][1] = float("inf")
        case "shape":
            tensors["gripper.out.bias"] = torch.zeros(4)
        case "dtype":
            tensors["gripper.out.bias"] = tensors["gripper.out.bias"].double()
    if fault == "garbage":
        bench.shelf.put(2, b"\xff" * 64)
    else:
        bench.shelf.publish(2, tensors)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            bench.swap_to(2)
            np.testing.assert_array_equal(bench.act(), good)
    (record,) = caplog.records
    assert "policy 2" in record.getMessage() and "goes on with policy 1" in record.getMessage()
    bench.publish(3, seed=3)
    bench.swap_to(3)
    assert bench.runtime.version == 3


def test_an_older_policy_is_never_taken(bench: Bench) -> None:
    for version in (1, 2):
        bench.publish(version, seed=version)
    bench.swap_to(2)
    bench.swap_to(1)
    assert bench.runtime.version == 2
    assert [event.version for event in bench.told] == [2]  # type: ignore[attr-defined]


def test_the_newest_is_loaded_when_the_offered_one_has_left_the_shelf(bench: Bench) -> None:
    for version in range(1, 7):
        bench.publish(version)
    bench.swap_to(2)
    assert bench.runtime.version == 6


def test_a_pinned_policy_stays_until_the_evaluation_is_over(bench: Bench) -> None:
    bench.publish(1, seed=1)
    bench.swap_to(1)
    bench.runtime.pinned = True
    bench.publish(2, seed=2)
    bench.swap_to(2)
    bench.act()
    assert bench.runtime.version == 1
    bench.runtime.pinned = False
    bench.act()
    assert bench.runtime.version == 2


def test_policies_that_come_faster_than_they_load_are_still_taken(bench: Bench) -> None:
    for version in range(1, 4):
        bench.publish(version)
    bench.runtime.offer(1)
    bench.settled()
    bench.runtime.offer(2)
    bench.runtime.offer(3)
    bench.runtime.swap()
    assert bench.runtime.version == 1
    bench.settled()
    bench.runtime.swap()
    assert bench.runtime.version == 3


def test_a_frozen_backbone_is_read_once_from_its_own_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(small(tmp_path, vision_encoder_name="resnet10", image_embedding_pooling_dim=2))
    sac = bench.publish(1, seed=1)
    bench.swap_to(1)
    assert bench.runtime.version == 0
    assert "tensors missing" in caplog.text and "no policy to drive with" in caplog.text
    bench.shelf.publish_frozen(frozen_tensors(sac))
    bench.shelf.publish(2, policy_tensors(sac, include_frozen=False))
    opened: list[str] = []
    mapped = runtime_module._mapped
    monkeypatch.setattr(
        runtime_module, "_mapped", lambda path, turn: (opened.append(path.name), mapped(path, turn))[1]
    )
    bench.swap_to(2)
    whole = Policy(bench.features, bench.config.policy, bench.config.algorithm)
    whole.load(policy_tensors(sac), version=2)
    first = bench.act()
    bench.runtime._policy = whole
    np.testing.assert_array_equal(bench.act(), first)
    bench.runtime._policy = bench.runtime._loader._policy
    bench.shelf.publish(3, policy_tensors(sac, include_frozen=False))
    bench.swap_to(3)
    assert bench.runtime.version == 3
    assert [name.split("-")[0] for name in opened] == ["frozen", "policy", "policy"]
