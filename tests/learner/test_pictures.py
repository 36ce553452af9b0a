"""Pictures on a device are drawn and shifted as those in main memory, byte for byte."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.learner import replay
from workers.learner.pictures import DevicePictures, HostPictures, picture_store
from workers.transport.record import FeatureSpec, Step

FEATURES = FeatureSpec(state_dim=2, cameras=("front", "side"), height=9, width=7)
SLOTS = 5
CPU = torch.device("cpu")


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, SLOTS - 1), st.integers(-6, 6), st.integers(-6, 6)), min_size=1)
)
def test_both_stores_give_the_same_pictures(rows: list[tuple[int, int, int]]) -> None:
    host, device = HostPictures(FEATURES, SLOTS), DevicePictures(FEATURES, SLOTS, CPU)
    images = np.random.default_rng(0).integers(0, 255, (SLOTS, *FEATURES.image_shape), dtype=np.uint8)
    for slot in range(SLOTS):
        host.write(slot, images[slot])
        device.write(slot, images[slot])
    slots, shifts = np.array(rows)[:, 0], np.array(rows)[:, 1:]
    pictures = host.gather(slots, shifts)
    assert torch.equal(pictures, device.gather(slots, shifts))


def test_main_memory_is_for_the_cpu_only() -> None:
    assert isinstance(picture_store(FEATURES, SLOTS, CPU), HostPictures)
    assert isinstance(picture_store(FEATURES, SLOTS, torch.device("meta")), DevicePictures)


def test_a_batch_is_gathered_where_the_pictures_are() -> None:
    pictures = DevicePictures(FEATURES, SLOTS, torch.device("meta"))
    batch = pictures.gather(np.array([0, 3, 4]), np.array([[0, 1], [2, -3], [0, 0]]))
    assert (batch.device.type, batch.dtype, batch.shape) == ("meta", torch.uint8, (3, *FEATURES.image_shape))


@pytest.mark.filterwarnings("error")
def test_read_only_pictures_of_the_log_are_taken() -> None:
    pictures = DevicePictures(FEATURES, SLOTS, CPU)
    images = np.full(FEATURES.image_shape, 7, np.uint8)
    images.flags.writeable = False
    pictures.write(2, images)
    assert pictures.gather(np.array([2]), np.array([[0, 0]])).unique().tolist() == [7]


def test_replay_draws_the_same_batches_from_both(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    steps = [
        Step(
            episode=0, step=number, state=rng.normal(size=2).astype(np.float32), reward=float(number),
            images=rng.integers(0, 255, FEATURES.image_shape, dtype=np.uint8), truncated=False,
            action=np.array([0, 0, 0, 1], np.float32), terminated=False, is_intervention=number % 3 == 0,
        )
        for number in range(30)
    ]  # fmt: skip
    batches = []
    for store in (picture_store, DevicePictures):
        monkeypatch.setattr(replay, "picture_store", store)
        memory = replay.Replay(FEATURES, 12, 6)
        for step in steps:
            memory.add(step)
        batches.append(memory.sample(16, 0.5, np.random.default_rng(1)))
    one, two = batches
    assert torch.equal(one.reward, two.reward)
    assert torch.equal(one.observation.images, two.observation.images)
    assert torch.equal(one.next_observation.images, two.next_observation.images)
