"""What a checkpoint holds is enough to go on exactly, and belongs to its settings."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from workers.config import (
    ActorLearnerConfig,
    AlgorithmConfig,
    NetworkConfig,
    PolicyConfig,
    PolicyKwargsConfig,
)
from workers.learner.checkpoint import Checkpoint, LogPosition
from workers.learner.checkpoint_store import CheckpointStore
from workers.learner.intake_order import IntakeMark
from workers.learner.replay import Replay
from workers.learner.sac import SAC
from workers.learner.sac_state import load_state_tensors, state_tensors
from workers.learner.settings_hash import FREE_ALGORITHM_KEYS, FREE_POLICY_KEYS, settings_hash
from workers.transport.record import FeatureSpec, Step

FEATURES = FeatureSpec(state_dim=3, cameras=("front", "side"), height=16, width=16)
SMALL = NetworkConfig(hidden_dims=(16, 16))
POLICY = PolicyConfig(latent_dim=8, actor_network_kwargs=SMALL, discrete_critic_network_kwargs=SMALL)
ALGORITHM = AlgorithmConfig(critic_network_kwargs=SMALL, bc_weight=0.3, bc_decay_updates=20)


def make_checkpoint(step: int, mark: float = 0.0) -> Checkpoint:
    rng = np.random.default_rng(step).bit_generator.state
    return Checkpoint(
        step=step,
        logs={"": LogPosition(10 * step, "ab")},
        intake=IntakeMark(),
        settings_hash="abc",
        features_hash="def",
        counters={"env_steps": step},
        rng=rng,
        tensors={"weight": torch.full((4,), mark)},
    )


def filled_replay() -> Replay:
    replay, rng = Replay(FEATURES, 50, 20), np.random.default_rng(1)
    for number in range(40):
        replay.add(
            Step(
                episode=0,
                step=number,
                state=rng.normal(size=3).astype(np.float32),
                images=rng.integers(0, 255, FEATURES.image_shape, dtype=np.uint8),
                action=np.append(rng.uniform(-1, 1, 3), number % 3).astype(np.float32),
                reward=float(number % 2),
                terminated=False,
                truncated=False,
                is_intervention=number % 3 == 0,
            )
        )
    return replay


def train(sac: SAC, rng: np.random.Generator, replay: Replay, updates: int) -> list[dict[str, float]]:
    seen = []
    for number in range(updates):
        metrics = sac.update(replay.sample(8, 0.5, rng), with_actor=number % 2 == 1)
        seen.append({name: value.item() for name, value in metrics.items()})
    return seen


def test_resume_is_bit_exact(tmp_path: Path) -> None:
    replay, rng = filled_replay(), np.random.default_rng(0)
    sac = SAC(FEATURES, POLICY, ALGORITHM, seed=0)
    train(sac, rng, replay, 6)
    store = CheckpointStore(tmp_path)
    store.save(
        Checkpoint(
            step=sac.critic_updates,
            logs={"": LogPosition(41)},
            intake=None,
            settings_hash=settings_hash(POLICY, ALGORITHM),
            features_hash="",
            counters={"env_steps": 40},
            rng=rng.bit_generator.state,
            tensors=state_tensors(sac),
        )
    )
    straight_on = train(sac, rng, replay, 6)

    saved = store.load()
    resumed, resumed_rng = SAC(FEATURES, POLICY, ALGORITHM, seed=99), np.random.default_rng(7)
    load_state_tensors(resumed, saved.tensors)
    resumed_rng.bit_generator.state = saved.rng
    assert (saved.step, saved.logs, saved.counters) == (6, {"": LogPosition(41)}, {"env_steps": 40})
    assert train(resumed, resumed_rng, replay, 6) == straight_on
    first, second = state_tensors(sac), state_tensors(resumed)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def test_state_tensors_are_copies_that_training_does_not_touch() -> None:
    sac, replay = SAC(FEATURES, POLICY, ALGORITHM, seed=0), filled_replay()
    train(sac, np.random.default_rng(0), replay, 2)
    state = state_tensors(sac)
    before = {name: tensor.clone() for name, tensor in state.items()}
    train(sac, np.random.default_rng(0), replay, 2)
    assert all(torch.equal(state[name], before[name]) for name in state)


@pytest.mark.parametrize(
    "change",
    [
        {"torch_threads": 4},
        {"device": "cuda"},
        {"storage_device": "cuda"},
        {"online_steps": 7},
        {"log_freq": 7},
        {"online_buffer_capacity": 7},
        {"offline_buffer_capacity": 7},
        {"online_step_before_learning": 0},
        {"actor_learner_config": ActorLearnerConfig(policy_parameters_push_frequency=9.0)},
        {"utd_ratio": 5},
        {"discrete_exploration": 0.0},
        {"policy_average_weight": 1.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_where_and_how_fast_a_run_learns_may_change(change: dict[str, object]) -> None:
    assert hash_with(change) == settings_hash(POLICY, ALGORITHM)


@pytest.mark.parametrize(
    "change",
    [
        {"latent_dim": 9},
        {"camera_fusion": "early"},
        {"policy_kwargs": PolicyKwargsConfig(std_max=2.0)},
        {"actor_network_kwargs": NetworkConfig(hidden_dims=(16,))},
        {"critic_network_kwargs": NetworkConfig(hidden_dims=(16,))},
        {"batch_size": 32},
        {"discount": 0.5},
        {"critic_lr": 1.0},
        {"bc_gripper_margin": 0.2},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_learned_and_how_may_not_change(change: dict[str, object]) -> None:
    assert hash_with(change) != settings_hash(POLICY, ALGORITHM)


def hash_with(change: dict[str, object]) -> str:
    """The hash with one key changed, in whichever section has it."""
    sections = [POLICY, ALGORITHM]
    policy, algorithm = (
        msgspec.structs.replace(one, **{k: v for k, v in change.items() if hasattr(one, k)})
        for one in sections
    )
    return settings_hash(policy, algorithm)


def test_the_keys_that_may_change_exist() -> None:
    assert set(PolicyConfig.__struct_fields__) >= FREE_POLICY_KEYS
    assert set(AlgorithmConfig.__struct_fields__) >= FREE_ALGORITHM_KEYS


def test_a_run_moves_to_a_device_whose_generator_is_another() -> None:
    saved = state_tensors(SAC(FEATURES, POLICY, ALGORITHM, seed=0))
    saved["generator"] = torch.zeros(16, dtype=torch.uint8)  # as CUDA's is
    saved["updates"] = torch.tensor([12, 6])
    noise = []
    for _ in range(2):
        sac = SAC(FEATURES, POLICY, ALGORITHM, seed=0)
        load_state_tensors(sac, saved)
        noise.append(torch.rand(4, generator=sac.generator))
    assert torch.equal(*noise)
    assert not torch.equal(noise[0], torch.rand(4, generator=torch.Generator().manual_seed(0)))
