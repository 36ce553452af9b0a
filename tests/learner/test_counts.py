"""What an update does, counted: numbers that no other load on the machine changes, and that may only fall."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from workers.config import AlgorithmConfig, PolicyConfig
from workers.learner.feature_maps import feature_maps
from workers.learner.frame_store import FrameStore
from workers.learner.pictures import HostPictures
from workers.learner.replay import Replay, frame_slots
from workers.learner.sac import SAC
from workers.transport.record import FeatureSpec, Step

FEATURES = FeatureSpec(state_dim=18, cameras=("front", "side"), height=128, width=128)
BATCH = 4
RESNET = {"vision_encoder_name": "resnet10", "image_embedding_pooling_dim": 8}
LEROBOTS = {"vision_encoder_name": "lerobot_cnn", "image_embedding_pooling_dim": 8}
MFLOP_A_TRANSITION: dict[str, tuple[dict[str, object], float]] = {
    "small CNN": ({}, 78.38),
    "LeRobot's CNN": (LEROBOTS, 1_197.93),
    "ResNet-10, frozen": (RESNET, 4_696.31),
    "ResNet-10, feature replay": (RESNET | {"feature_replay": 1}, 53.22),
}
"""Of a UTD-2 step with two 128x128 cameras and a gripper: two critic updates, one of actor and temperature."""


def made(change: dict[str, object]) -> tuple[SAC, Replay]:
    """A learner with LeRobot's widths, and a replay with a few transitions for it."""
    policy, algorithm = PolicyConfig(**change), AlgorithmConfig(bc_weight=0.0)  # type: ignore[arg-type]
    sac = SAC(FEATURES, policy, algorithm, seed=0, pretrained=False)
    slots, cpu = frame_slots(4, 4), torch.device("cpu")
    maps = feature_maps(sac.encoder, FEATURES, policy, algorithm, slots=slots, seed=0, device=cpu)
    replay = Replay(FEATURES, 4, 4, pictures=maps)
    for number in range(4):
        replay.add(
            Step(
                episode=0, step=number, state=np.zeros(18, np.float32), images=np.zeros(FEATURES.image_shape, np.uint8),
                action=np.ones(4, np.float32), reward=0.0, terminated=False, truncated=False,
            )
        )  # fmt: skip
    return sac, replay


def utd_2_step(sac: SAC, replay: Replay) -> None:
    rng = np.random.default_rng(0)
    for with_actor in (False, True):
        sac.update(replay.sample(BATCH, 0.5, rng), with_actor=with_actor)


def passes(sac: SAC, replay: Replay) -> Counter[str]:
    """How often the encoder's heads and its backbone run in a UTD-2 step, and are differentiated."""
    seen: Counter[str] = Counter()
    for name, module in (("backbone", sac.encoder.backbone), ("encoder", sac.encoder.state_head)):
        module.register_forward_hook(lambda *_, name=name: seen.update([f"{name} forward"]))
        module.register_full_backward_hook(lambda *_, name=name: seen.update([f"{name} backward"]))
    utd_2_step(sac, replay)
    return seen


@pytest.mark.filterwarnings("ignore:Full backward hook")  # pictures need no gradient
@pytest.mark.parametrize(
    ("change", "backbone"),
    [({}, (4, 2)), (LEROBOTS, (4, 2)), (RESNET, (4, 0)), (RESNET | {"feature_replay": 1}, (0, 0))],
    ids=MFLOP_A_TRANSITION,
)
def test_a_utd_2_step_encodes_four_times_and_differentiates_twice(
    change: dict[str, object], backbone: tuple[int, int]
) -> None:
    seen = passes(*made(change))
    assert (seen["encoder forward"], seen["encoder backward"]) == (4, 2)
    assert (seen["backbone forward"], seen["backbone backward"]) == backbone


@pytest.mark.parametrize(("change", "most"), MFLOP_A_TRANSITION.values(), ids=MFLOP_A_TRANSITION)
def test_the_arithmetic_of_a_utd_2_step_does_not_grow(change: dict[str, object], most: float) -> None:
    sac, replay = made(change)
    with FlopCounterMode(display=False) as flops:
        utd_2_step(sac, replay)
    mflop = flops.get_total_flops() / BATCH / 1e6
    assert 0.9 * most < mflop <= most, "where it fell, write down the new figure"


@pytest.mark.parametrize(("change", "most"), [({}, 98_560), (RESNET | {"feature_replay": 1}, 33_000)])
def test_the_memory_of_a_transition_does_not_grow(change: dict[str, object], most: int) -> None:
    _, replay = made(change)
    store = replay._store
    pictures = store.pictures
    kept = pictures._images if isinstance(pictures, HostPictures) else pictures._maps  # type: ignore[attr-defined]
    rings = (replay._online, replay._demonstrations, replay._interventions)
    held = kept.nbytes + _arrays(store) + sum(ring._slots.nbytes for ring in rings)
    assert held / frame_slots(4, 4) <= most


def _arrays(store: FrameStore) -> int:
    return sum(one.nbytes for one in vars(store).values() if isinstance(one, np.ndarray))
