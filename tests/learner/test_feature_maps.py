"""Feature replay: an update from stored features is the update from pictures, and nothing else about replay changes."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.learner.runs import Arm, contents, go_on, tiny_config
from workers.config import AlgorithmConfig, Config, NetworkConfig, PolicyConfig
from workers.learner.augment import draw_shifts
from workers.learner.backbones import ResNet10
from workers.learner.encoders import ObservationEncoder
from workers.learner.feature_maps import FeatureMaps, feature_maps
from workers.learner.memory import ReplayTooLarge, check_fits, frame_bytes, replay_bytes
from workers.learner.pictures import HostPictures, Pictures, Shifts, Slots
from workers.learner.replay import Replay, frame_slots
from workers.learner.sac import SAC
from workers.learner.sac_state import state_tensors
from workers.learner.session import LearnerSession
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Step

FEATURES = FeatureSpec(state_dim=3, cameras=("front", "side"), height=40, width=33)
CPU = torch.device("cpu")
PAD = 4
SMALL = NetworkConfig(hidden_dims=(16, 16))
POLICY = PolicyConfig(
    vision_encoder_name="resnet10",
    image_embedding_pooling_dim=2,
    latent_dim=8,
    state_encoder_hidden_dim=8,
    actor_network_kwargs=SMALL,
    discrete_critic_network_kwargs=SMALL,
    feature_replay=2,
)
ALGORITHM = AlgorithmConfig(critic_network_kwargs=SMALL, bc_weight=0.2)


def make_sac() -> SAC:
    return SAC(FEATURES, POLICY, ALGORITHM, seed=0, pretrained=False)


@pytest.fixture(scope="module")
def encoder() -> ObservationEncoder:
    return make_sac().encoder


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def store(encoder: ObservationEncoder, slots: int, views: int = 2, **options: object) -> FeatureMaps:
    return FeatureMaps(
        encoder, FEATURES, slots, views=views, random_shift_px=PAD, shifts_rng=rng(), device=CPU, **options
    )  # type: ignore[arg-type]


class PicturesWithShiftsOfTheirOwn(HostPictures):
    """Pictures with the shifts that feature maps draw when they are written, `views` a slot."""

    def __init__(self, slots: int, views: int) -> None:
        super().__init__(FEATURES, slots)
        self._views, self._own, self._rng = views, {}, rng()

    def write(self, slot: int, images: np.ndarray) -> None:
        super().write(slot, images)
        self._own[slot] = draw_shifts(self._views, PAD, self._rng)

    def draw(self, count: int, random_shift_px: int, rng: np.random.Generator) -> Shifts:
        return rng.integers(0, self._views, (count, 1))

    def gather(self, slots: Slots, shifts: Shifts) -> torch.Tensor:
        own = [self._own[slot][view] for slot, (view,) in zip(slots.tolist(), shifts.tolist(), strict=True)]
        return super().gather(slots, np.array(own))


def images(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, FEATURES.image_shape, dtype=np.uint8)


def steps(count: int, episode_length: int = 10) -> list[Step | EpisodeEnd]:
    """Demonstrations, training and interventions, with the closing observation of each episode."""
    made: list[Step | EpisodeEnd] = []
    draw = np.random.default_rng(1)
    for number in range(count):
        episode, step = divmod(number, episode_length)
        made.append(
            Step(
                episode=episode, step=step, state=draw.normal(size=3).astype(np.float32), images=images(number),
                action=np.append(draw.uniform(-1, 1, 3), number % 3).astype(np.float32), reward=float(draw.random()),
                terminated=step == episode_length - 1, truncated=False, is_demonstration=episode == 0,
                is_intervention=episode > 0 and step % 3 == 0,
            )
        )  # fmt: skip
        if step == episode_length - 1:
            state = draw.normal(size=3).astype(np.float32)
            made.append(
                EpisodeEnd(
                    episode=episode, outcome=Outcome.SUCCESS, state=state, images=images(-number - 1 + 999)
                )
            )
    return made


def filled(pictures: Pictures | None, capacity: int, offline: int, count: int) -> Replay:
    replay = Replay(FEATURES, capacity, offline, pictures=pictures)
    for record in steps(count):
        replay.add(record)
    return replay


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float16, 1e-3)])
def test_an_update_from_features_is_the_update_from_pictures_with_the_same_shifts(
    dtype: torch.dtype, tolerance: float
) -> None:
    capacity, offline, views = 12, 8, 3  # so small that frames are dropped and slots used again
    slots = frame_slots(capacity, offline)
    by_features, by_pictures = make_sac(), make_sac()
    kept = store(by_features.encoder, slots, views, dtype=dtype)
    replays = (
        filled(kept, capacity, offline, 40),
        filled(PicturesWithShiftsOfTheirOwn(slots, views), capacity, offline, 40),
    )
    for sac, replay in zip((by_features, by_pictures), replays, strict=True):
        batch = replay.sample(32, 0.5, np.random.default_rng(2), PAD)
        sac.pretrain(batch)
        sac.update(batch)
    one, other = state_tensors(by_features), state_tensors(by_pictures)
    for name in (name for name in other if not name.startswith("optimiser")):
        torch.testing.assert_close(one[name], other[name], rtol=tolerance, atol=tolerance)


def test_half_precision_keeps_features_to_a_thousandth(encoder: ObservationEncoder) -> None:
    whole, half = store(encoder, 3, dtype=torch.float32), store(encoder, 3)
    for slot in range(3):
        whole.write(slot, images(slot))
        half.write(slot, images(slot))
    rows = np.array([0, 1, 2]), np.array([[0], [1], [0]])
    exact = whole.gather(*rows)
    assert exact.std() > 0.1
    torch.testing.assert_close(half.gather(*rows).float(), exact, rtol=1e-3, atol=1e-3)


def test_the_backbone_sees_each_frame_once_a_view_and_no_update(monkeypatch: pytest.MonkeyPatch) -> None:
    sac, seen = make_sac(), []
    inner = sac.encoder.backbone.forward
    monkeypatch.setattr(
        sac.encoder.backbone, "forward", lambda pixels: seen.append(len(pixels)) or inner(pixels)
    )
    kept = store(sac.encoder, frame_slots(30, 30), views=3)
    replay = filled(kept, 30, 30, 20)
    frames = 20 + 2  # and two closing observations
    assert sum(seen) == frames * 3 * 2  # two cameras
    for with_actor in (False, True):
        sac.update(replay.sample(8, 0.5, np.random.default_rng(0), PAD), with_actor=with_actor)
    assert sum(seen) == frames * 3 * 2


@pytest.mark.parametrize("at_once", [3, 64])
def test_frames_that_wait_for_each_other_are_encoded_before_they_are_drawn(
    encoder: ObservationEncoder, at_once: int
) -> None:
    single, grouped = store(encoder, 4), store(encoder, 4, at_once=at_once)
    for number, slot in enumerate(
        [0, 1, 2, 3, 1, 1]
    ):  # slot 1 is written again, before and after a group is full
        for kept in (single, grouped):
            kept.write(slot, images(number))
    rows = np.array([0, 1, 1, 2, 3]), np.array([[1], [0], [1], [0], [1]])
    torch.testing.assert_close(grouped.gather(*rows), single.gather(*rows), rtol=2e-3, atol=2e-3)


def test_replay_draws_the_same_transitions_whatever_it_keeps(encoder: ObservationEncoder) -> None:
    slots = frame_slots(12, 8)
    kept, plain = filled(store(encoder, slots, views=1), 12, 8, 40), filled(None, 12, 8, 40)
    assert (kept.online_size, kept.offline_size, kept.demonstration_size) == (
        plain.online_size,
        plain.offline_size,
        plain.demonstration_size,
    )
    one, other = (replay.sample(16, 0.5, np.random.default_rng(3), PAD) for replay in (kept, plain))
    for name in ("action", "reward", "terminated", "offline"):
        assert torch.equal(getattr(one, name), getattr(other, name))
    assert torch.equal(one.next_observation.state, other.next_observation.state)


def test_without_augmentation_there_is_one_view_and_it_is_not_shifted(encoder: ObservationEncoder) -> None:
    plain = AlgorithmConfig(random_shift_px=0)
    policy = msgspec.structs.replace(POLICY, feature_replay=1)
    kept = feature_maps(encoder, FEATURES, policy, plain, slots=2, seed=0, device=CPU)
    assert kept is not None
    kept.write(1, images(4))
    drawn = kept.draw(1, 0, np.random.default_rng(0))
    maps = encoder.features(torch.from_numpy(images(4))[None])
    torch.testing.assert_close(kept.gather(np.array([1]), drawn).float(), maps, rtol=1e-3, atol=1e-3)


def test_there_is_nothing_to_keep_where_it_is_off_or_nothing_is_seen(encoder: ObservationEncoder) -> None:
    off = msgspec.structs.replace(POLICY, feature_replay=0)
    blind = FeatureSpec(state_dim=3, cameras=(), height=0, width=0)
    for features, policy in ((FEATURES, off), (blind, POLICY)):
        assert feature_maps(encoder, features, policy, ALGORITHM, slots=2, seed=0, device=CPU) is None


@pytest.mark.parametrize("name", ["resnet10", "resnet18"])
def test_memory_is_predicted_to_the_byte_and_33_kb_a_shift_with_two_128_pixel_cameras(name: str) -> None:
    features = FeatureSpec(state_dim=18, cameras=("front", "side"), height=128, width=128)
    for spec, views in ((features, 1), (FEATURES, 3)):
        policy = msgspec.structs.replace(POLICY, vision_encoder_name=name, feature_replay=views)
        encoder = ObservationEncoder(spec, policy, pretrained=False)
        kept = feature_maps(encoder, spec, policy, ALGORITHM, slots=2, seed=0, device=CPU)
        assert isinstance(kept, FeatureMaps)
        blind = FeatureSpec(state_dim=spec.state_dim, cameras=(), height=0, width=0)
        assert kept._maps.nbytes // 2 == frame_bytes(spec, policy) - frame_bytes(blind)
    policy = msgspec.structs.replace(POLICY, feature_replay=1)
    assert frame_bytes(features, policy) < 33_000


def test_a_replay_of_features_that_cannot_fit_is_refused_with_one_that_would() -> None:
    wanted = msgspec.structs.replace(POLICY, online_buffer_capacity=1000, offline_buffer_capacity=500)
    room = replay_bytes(FEATURES, wanted) // 3
    with pytest.raises(ReplayTooLarge, match="online_buffer_capacity to at most 33"):
        check_fits(FEATURES, wanted, room)


# A whole session on a log


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A tiny run with a ResNet-10 of random weights and two views a frame."""
    torch.manual_seed(0)
    weights = {name: tensor.contiguous() for name, tensor in ResNet10().state_dict().items()}
    save_file(weights, tmp_path / "resnet10.safetensors")
    return keeping(tiny_config(tmp_path), tmp_path, views=2)


def keeping(config: Config, folder: Path, views: int) -> Config:
    policy = msgspec.to_builtins(config.policy) | {
        "vision_encoder_name": str(folder / "resnet10.safetensors"),
        "image_encoder_hidden_dim": PolicyConfig().image_encoder_hidden_dim,
        "feature_replay": views,
    }
    return msgspec.structs.replace(config, policy=msgspec.convert(policy, PolicyConfig))


def test_a_resumed_session_has_the_same_features_and_goes_on_in_the_same_way(config: Config) -> None:
    arms = [Arm(config, 1), Arm(config, 2, "left")]
    straight = LearnerSession(config)
    for turn in range(12):
        arms[turn % 2].record(4 + turn)
        straight.take_in()
        if straight.replay.online_size:
            straight.update()
    straight.save_checkpoint(wait=True)
    resumed = LearnerSession(config)
    assert isinstance(resumed.replay._store.pictures, FeatureMaps)
    assert contents(resumed) == contents(straight)
    arms[0].record(9)
    for session in (straight, resumed):
        session.take_in()
    assert go_on(resumed, 3) == go_on(straight, 3)
    assert contents(resumed) == contents(straight)
    for closing in (*arms, straight, resumed):
        closing.close()


def test_a_run_may_begin_with_pictures_and_go_on_with_features(config: Config, tmp_path: Path) -> None:
    with_pictures, arm = keeping(config, tmp_path, views=0), Arm(config, 1)
    arm.record(40)
    before = LearnerSession(with_pictures)
    before.update()
    before.save_checkpoint(wait=True)
    after = LearnerSession(config, resume_required=True)
    assert (after.updates, after.replay.online_size) == (1, before.replay.online_size)
    after.update()
    for closing in (arm, before, after):
        closing.close()
