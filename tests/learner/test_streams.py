"""Updates on batches made ready beside the update before are the updates that are made one after another."""

from functools import partial

import numpy as np
import pytest
import torch

from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.feature_maps import feature_maps
from workers.learner.replay import Replay, frame_slots
from workers.learner.sac import SAC
from workers.learner.sac_state import state_tensors
from workers.learner.streams import Ahead
from workers.transport.record import FeatureSpec, Step

FEATURES = FeatureSpec(state_dim=3, cameras=("front", "side"), height=64, width=64)
RESNET = {"vision_encoder_name": "resnet10", "image_embedding_pooling_dim": 4}
CAPACITY, ROWS, UPDATES = 60, 8, 16


def a_step(number: int, rng: np.random.Generator) -> Step:
    return Step(
        episode=0, step=number, state=rng.normal(size=3).astype(np.float32), reward=float(number % 2), terminated=False,
        images=rng.integers(0, 256, FEATURES.image_shape, dtype=np.uint8), truncated=False,
        action=np.append(rng.uniform(-1, 1, 3), number % 3).astype(np.float32), is_intervention=number % 3 == 0,
    )  # fmt: skip


def learned(policy: PolicyConfig, storage_device: str, *, ahead: bool) -> dict[str, torch.Tensor]:
    """What a learner knows after updates between which steps come in."""
    algorithm, device = AlgorithmConfig(bc_weight=0.3), torch.device(policy.device)
    sac = SAC(FEATURES, policy, algorithm, seed=0, device=device, pretrained=False)
    kept = torch.device(storage_device)
    slots = frame_slots(CAPACITY, CAPACITY)
    maps = feature_maps(sac.encoder, FEATURES, policy, algorithm, slots=slots, seed=0, device=kept)
    replay = Replay(FEATURES, CAPACITY, CAPACITY, kept, maps)
    beside = Ahead(device if ahead else torch.device("cpu"))
    frames, draws = np.random.default_rng(1), np.random.default_rng(2)
    for number in range(20 + UPDATES):
        with beside.adding():
            replay.add(a_step(number, frames))
        if number < 20:
            continue
        sample = partial(replay.sample, ROWS, 0.5, draws)
        if number < 24:
            sac.pretrain(beside.draw(sample))
        batch = beside.draw(lambda sample=sample: sac.encoded(sample()))
        sac.update(batch, with_actor=number % 2 == 1)
    return state_tensors(sac)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize(
    ("change", "stored_there"),
    [({}, True), (RESNET, True), (RESNET, False), (RESNET | {"feature_replay": 2}, True)],
    ids=["cnn", "resnet10", "resnet10, pictures in main memory", "feature replay"],
)
def test_batches_made_ready_ahead_are_learned_from_as_in_turn(
    change: dict[str, object], stored_there: bool
) -> None:
    policy = PolicyConfig(device="cuda", use_torch_compile=False, use_amp=True, **change)  # type: ignore[arg-type]
    one, other = (learned(policy, "cuda" if stored_there else "cpu", ahead=ahead) for ahead in (True, False))
    for name in other:
        torch.testing.assert_close(one[name], other[name], rtol=1e-3, atol=1e-4)


def test_an_update_takes_a_batch_that_is_encoded_already() -> None:
    policy, algorithm, rng = PolicyConfig(**RESNET), AlgorithmConfig(), np.random.default_rng(0)  # type: ignore[arg-type]
    one, other = (SAC(FEATURES, policy, algorithm, seed=0, pretrained=False) for _ in range(2))
    replay = Replay(FEATURES, CAPACITY, CAPACITY)
    for number in range(4):
        replay.add(a_step(number, rng))
    batch = replay.sample(4, 0.5, rng)
    encoded = one.encoded(batch)
    assert encoded.observation.images.shape == (4, *one.encoder.maps_shape)
    assert one.encoded(encoded) is encoded
    one.update(encoded)
    other.update(batch)
    ours, theirs = state_tensors(one), state_tensors(other)
    for name in theirs:
        assert torch.equal(ours[name], theirs[name]), name
