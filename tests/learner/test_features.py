"""Actions of any size, with or without gripper and cameras: one path from the log to the action, no part idle."""

from pathlib import Path

import numpy as np
import pytest
import torch

from workers.actor.policy import Policy
from workers.config import AlgorithmConfig, NetworkConfig, PolicyConfig
from workers.learner.memory import frame_bytes
from workers.learner.replay import Replay
from workers.learner.sac import SAC
from workers.learner.sac_state import load_state_tensors, policy_tensors, state_tensors
from workers.transport.log import LogReader, LogWriter
from workers.transport.record import EpisodeEnd, FeatureSpec, Outcome, Step

SMALL = NetworkConfig(hidden_dims=(16, 16))
POLICY = PolicyConfig(
    image_encoder_hidden_dim=4,
    latent_dim=8,
    state_encoder_hidden_dim=8,
    actor_network_kwargs=SMALL,
    discrete_critic_network_kwargs=SMALL,
)
ALGORITHM = AlgorithmConfig(
    critic_network_kwargs=SMALL, bc_weight=0.2, bc_q_filter=True, discrete_exploration=0.5
)
ARM = FeatureSpec(state_dim=5, cameras=("front", "side"), height=16, width=16)
FEATURES = {
    "arm": ARM,
    "arm without gripper": FeatureSpec(
        state_dim=5, cameras=("front",), height=16, width=16, motion_dim=3, gripper=False
    ),
    "one motion": FeatureSpec(state_dim=1, cameras=(), height=0, width=0, motion_dim=1, gripper=False),
    "seven motions and a gripper": FeatureSpec(
        state_dim=18, cameras=("wrist",), height=16, width=20, motion_dim=7
    ),
    "no cameras": FeatureSpec(state_dim=9, cameras=(), height=0, width=0, motion_dim=2),
}


@pytest.fixture(params=FEATURES.values(), ids=FEATURES.keys())
def features(request: pytest.FixtureRequest) -> FeatureSpec:
    return request.param


def write_episode(directory: Path, features: FeatureSpec) -> list[Step]:
    """Twenty random steps, half of them a person's, and the closing observation."""
    rng = np.random.default_rng(0)

    def state() -> np.ndarray:
        return rng.normal(size=features.state_dim).astype(np.float32)

    def images() -> np.ndarray:
        return rng.integers(0, 255, features.image_shape, np.uint8)

    def action() -> np.ndarray:
        motion = rng.uniform(-1, 1, features.motion_dim)
        return np.append(motion, rng.integers(0, 3, int(features.gripper))).astype(np.float32)

    steps = [
        Step(
            episode=0, step=number, state=state(), images=images(), action=action(), reward=float(number == 19),
            terminated=number == 19, truncated=False, is_intervention=number % 2 == 0,
        )
        for number in range(20)
    ]  # fmt: skip
    with LogWriter(directory, features) as log:
        for step in steps:
            log.append(step)
        log.append(EpisodeEnd(episode=0, outcome=Outcome.SUCCESS, state=state(), images=images()))
    return steps


def filled_replay(directory: Path, features: FeatureSpec) -> Replay:
    write_episode(directory, features)
    replay = Replay(features, 30, 30)
    for record in LogReader(directory, features).read_new():
        replay.add(record)
    return replay


def observe(features: FeatureSpec) -> dict[str, torch.Tensor]:
    view = torch.randint(0, 255, (1, features.height, features.width, 3), dtype=torch.uint8)
    pictures = {f"observation.images.{camera}": view for camera in features.cameras}
    return pictures | {"observation.state": torch.randn(1, features.state_dim)}


def test_the_way_from_the_log_to_an_action(tmp_path: Path, features: FeatureSpec) -> None:
    replay, rng = filled_replay(tmp_path, features), np.random.default_rng(0)
    sac = SAC(features, POLICY, ALGORITHM, seed=0)
    metrics = sac.pretrain(replay.sample(8, 0.0, rng))
    for _ in range(2):
        metrics |= sac.update(replay.sample(8, 0.5, rng))
    assert all(torch.isfinite(value).all() for value in metrics.values())

    policy = Policy(features, POLICY, ALGORITHM)
    policy.load(policy_tensors(sac), version=1)
    generator = torch.Generator().manual_seed(0)
    for deterministic in (True, False):
        action = policy.act(observe(features), deterministic, generator)
        assert (action.shape, action.dtype) == ((features.action_dim,), np.float32)
        assert (np.abs(action[: features.motion_dim]) <= 1).all()
        assert set(action[features.motion_dim :].tolist()) <= {0.0, 1.0, 2.0}


def test_a_batch_holds_the_logged_actions(tmp_path: Path, features: FeatureSpec) -> None:
    logged = {step.action.tobytes() for step in write_episode(tmp_path / "again", features)}
    batch = filled_replay(tmp_path / "log", features).sample(200, 0.5, np.random.default_rng(0))
    assert {row.numpy().tobytes() for row in batch.action} == logged
    assert batch.motion.shape == (200, features.motion_dim)
    assert batch.observation.images.shape == (200, *features.image_shape)
    if features.gripper:
        assert torch.equal(batch.command.float(), batch.action[:, -1])


def test_a_run_resumes_exactly(tmp_path: Path, features: FeatureSpec) -> None:
    replay = filled_replay(tmp_path, features)
    first, second = (SAC(features, POLICY, ALGORITHM, seed=seed) for seed in (1, 2))
    first.update(replay.sample(8, 0.5, np.random.default_rng(0)))
    load_state_tensors(second, state_tensors(first))
    batch = replay.sample(8, 0.5, np.random.default_rng(1))
    one, two = first.update(batch), second.update(batch)
    assert {name: value.item() for name, value in one.items()} == {
        name: value.item() for name, value in two.items()
    }


def test_without_a_gripper_there_is_nothing_of_it(tmp_path: Path) -> None:
    features = FEATURES["arm without gripper"]
    replay = filled_replay(tmp_path, features)
    sac = SAC(features, POLICY, ALGORITHM, seed=0)
    metrics = sac.pretrain(replay.sample(8, 0.0, np.random.default_rng(0)))
    metrics |= sac.update(replay.sample(8, 0.5, np.random.default_rng(0)))
    named = [*metrics, *state_tensors(sac), *policy_tensors(sac)]
    assert [name for name in named if "gripper" in name] == []
    trained = {id(p) for optimiser in sac.optimisers.values() for p in optimiser.param_groups[0]["params"]}
    networks = [*sac.encoder.parameters(), *sac.actor.parameters(), *sac.critics.parameters()]
    assert trained == {id(parameter) for parameter in [*networks, sac.log_temperature]}


def test_without_a_gripper_nothing_explores_beside_the_motion() -> None:
    features = FEATURES["arm without gripper"]
    sac, seen = SAC(features, POLICY, ALGORITHM, seed=0), observe(features)
    policy = Policy(features, POLICY, ALGORITHM)
    policy.load(policy_tensors(sac), version=1)
    acting, sampling = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    policy.act(seen, False, acting)
    torch.randn(1, features.motion_dim, generator=sampling)
    assert torch.equal(acting.get_state(), sampling.get_state())


def test_a_gripper_and_its_penalty_leave_the_first_losses_of_the_motion_as_they_are(tmp_path: Path) -> None:
    """The same arm with and without its gripper: it is learned beside the motion, not instead of it."""
    replay = filled_replay(tmp_path, ARM)
    batch = replay.sample(8, 0.5, np.random.default_rng(0))
    algorithm = AlgorithmConfig(critic_network_kwargs=SMALL)
    without = FeatureSpec(**{name: getattr(ARM, name) for name in ARM.__struct_fields__} | {"gripper": False})
    with_gripper, motion_only = (
        SAC(features, POLICY, algorithm, seed=0).update(batch, with_actor=False)
        for features in (ARM, without)
    )
    assert with_gripper.keys() - motion_only.keys() == {"gripper_loss"}
    assert with_gripper["critic_loss"] == motion_only["critic_loss"]
    assert with_gripper["q_mean"] == motion_only["q_mean"]


@pytest.mark.parametrize(
    ("motion_dim", "gripper", "expected"),
    [(3, True, -2.0), (3, False, -1.5), (7, True, -4.0), (1, False, -0.5)],
)
def test_the_target_entropy_is_minus_half_of_the_action(
    motion_dim: int, gripper: bool, expected: float
) -> None:
    features = FeatureSpec(state_dim=2, cameras=(), height=0, width=0, motion_dim=motion_dim, gripper=gripper)
    assert SAC(features, POLICY, ALGORITHM, seed=0).target_entropy == expected


def test_without_cameras_no_vision_encoder_is_built_or_fetched() -> None:
    policy = PolicyConfig(vision_encoder_name="nobody/has-this", state_encoder_hidden_dim=8)
    sac = SAC(FEATURES["no cameras"], policy, ALGORITHM, seed=0)
    assert {name.split(".")[0] for name in sac.encoder.state_dict()} == {"state_head"}
    assert sac.encoder.out_dim == 8


def test_early_fusion_without_cameras_fuses_nothing(tmp_path: Path) -> None:
    features = FEATURES["no cameras"]
    policy = PolicyConfig(camera_fusion="early", state_encoder_hidden_dim=8)
    batch = filled_replay(tmp_path, features).sample(4, 0.5, np.random.default_rng(0))
    assert SAC(features, policy, ALGORITHM, seed=0).encoder(batch.observation).shape == (4, 8)


def test_an_action_of_another_size_is_refused_by_replay(tmp_path: Path) -> None:
    step = write_episode(tmp_path, ARM)[0]
    other = FeatureSpec(state_dim=5, cameras=ARM.cameras, height=16, width=16, gripper=False)
    with pytest.raises(ValueError, match=r"record has action \(4,\), this replay takes \(3,\)"):
        Replay(other, 10, 10).add(step)


def test_the_predicted_memory_counts_the_action() -> None:
    wide = FeatureSpec(state_dim=5, cameras=ARM.cameras, height=16, width=16, motion_dim=13)
    assert frame_bytes(wide) - frame_bytes(ARM) == 4 * 10


def test_a_toy_reach_is_learned_without_gripper_and_cameras() -> None:
    """The state says where to go; the second motion is worth nothing."""
    features = FeatureSpec(state_dim=1, cameras=(), height=0, width=0, motion_dim=2, gripper=False)
    algorithm = AlgorithmConfig(
        critic_network_kwargs=SMALL,
        discount=0.5,
        actor_lr=1e-3,
        critic_lr=1e-3,
        critic_target_update_weight=0.01,
    )
    sac, rng, replay = (
        SAC(features, POLICY, algorithm, seed=0),
        np.random.default_rng(0),
        Replay(features, 900, 1),
    )
    none = np.empty(features.image_shape, np.uint8)
    for episode in range(600):
        state, action = (rng.uniform(-1, 1, size).astype(np.float32) for size in (1, 2))
        reward = float(action[0] * np.sign(state[0]))
        replay.add(
            Step(
                episode=episode, step=0, state=state, images=none, action=action, reward=reward,
                terminated=True, truncated=False,
            )
        )  # fmt: skip
        replay.add(EpisodeEnd(episode=episode, outcome=Outcome.SUCCESS, state=state, images=none))
    for _ in range(400):
        sac.update(replay.sample(64, 1.0, rng))
    policy = Policy(features, POLICY, algorithm)
    policy.load(policy_tensors(sac), version=1)
    left, right = (
        policy.act({"observation.state": torch.tensor([[side]])}, True, torch.Generator())[0]
        for side in (-0.7, 0.7)
    )
    assert left < -0.6
    assert right > 0.6
