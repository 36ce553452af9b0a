"""Two ranks, each with its rows, make the update of one process on the summed batch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec import structs
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.emulators.ranks import on_ranks
from tests.learner.test_sac import FEATURES, POLICY, SMALL, make_batch
from workers.config import AlgorithmConfig
from workers.learner.batch import Batch, Observation
from workers.learner.replay import Replay
from workers.learner.sac import SAC
from workers.learner.sac_state import state_tensors
from workers.learner.sharding import ALONE, RanksApart, Shard, digest
from workers.transport.record import Step

ROWS = 12
UPDATES = 24
PLAIN: dict[str, object] = {
    "critic_network_kwargs": SMALL,
    "policy_update_freq": 2,
    "bc_pretrain_updates": 0,
    "bc_weight": 0.0,
}
VARIANTS: dict[str, dict[str, object]] = {
    "plain": {},
    "no gripper": {},
    "cloning beside": {"bc_weight": 0.5, "bc_decay_updates": 30},
    "filtered cloning": {"bc_weight": 0.5, "bc_q_filter": True},
    "subset of critics": {"num_critics": 4, "num_subsample_critics": 2, "use_backup_entropy": False},
    "pretrained": {"bc_pretrain_updates": 5},
    "clipped": {"grad_clip_norm": 0.05},
}


def own_rows(batch: Batch, shard: Shard) -> Batch:
    def view(seen: Observation) -> Observation:
        return Observation(seen.state[shard.rows], seen.images[shard.rows])

    return replace(
        batch,
        observation=view(batch.observation),
        next_observation=view(batch.next_observation),
        **{
            name: getattr(batch, name)[shard.rows]
            for name in ("action", "reward", "terminated", "discrete_penalty", "offline")
        },
    )


def learned(variant: str, shard: Shard) -> dict[str, Tensor]:
    """State and last metrics after many updates; the offline rows fall unevenly to the ranks."""
    features = structs.replace(FEATURES, gripper=False) if variant == "no gripper" else FEATURES
    algorithm = AlgorithmConfig(**PLAIN | VARIANTS[variant])  # type: ignore[arg-type]
    sac = SAC(features, POLICY, algorithm, seed=5, shard=shard)
    for number in range(algorithm.bc_pretrain_updates):
        sac.pretrain(own_rows(batch_of(number, features), shard))
    for number in range(UPDATES):
        metrics = sac.update(own_rows(batch_of(number, features), shard), with_actor=number % 2 == 1)
    read = {f"metric {name}": torch.tensor(value) for name, value in shard.read(metrics).items()}
    return state_tensors(sac) | read


def batch_of(number: int, features: object) -> Batch:
    batch = make_batch(ROWS, seed=number, features=features)  # type: ignore[arg-type]
    mask = torch.rand(ROWS, generator=torch.Generator().manual_seed(number)) < 0.4
    return replace(batch, offline=mask.float(), terminated=1.0 - mask.float())


def differing(shard: Shard) -> str:
    """What a rank is told when the weights of rank 1 are a little different."""
    sac = SAC(FEATURES, POLICY, AlgorithmConfig(critic_network_kwargs=SMALL), seed=0, shard=shard)
    shard.require_alike(digest(state_tensors(sac)), "weights")
    if shard.rank == 1:
        with torch.no_grad():
            sac.actor.mean.bias[0] += 1e-6
    try:
        shard.require_alike(digest(state_tensors(sac)), "weights")
    except RanksApart as refused:
        return str(refused)
    return ""


def poisoned(shard: Shard) -> tuple[SAC, dict[str, Tensor]]:
    """A SAC after an update in which a row of the last rank held NaN, and its state before."""
    sac = SAC(FEATURES, POLICY, AlgorithmConfig(**PLAIN), seed=0, shard=shard)  # type: ignore[arg-type]
    sac.update(own_rows(make_batch(ROWS), shard))
    before = state_tensors(sac)
    batch = own_rows(make_batch(ROWS), shard)
    if shard.rank == shard.world - 1:
        batch.observation.state[0, 0] = float("nan")
    sac.update(batch)
    return sac, before


def all_on_a_rank(shard: Shard, folder: Path) -> None:
    """Everything that the tests below look at, in one start of the processes: that takes longest."""
    for variant in VARIANTS:
        save_file(learned(variant, shard), folder / f"{variant} {shard.rank}.safetensors")
    (folder / f"refused {shard.rank}").write_text(differing(shard))
    sac, before = poisoned(shard)
    save_file(before, folder / f"before {shard.rank}.safetensors")
    save_file(
        state_tensors(sac) | {"skipped": sac.descent.skipped_updates},
        folder / f"after {shard.rank}.safetensors",
    )


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("ranks")
    on_ranks(all_on_a_rank, folder)
    return folder


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_ranks_make_the_updates_of_one_process_on_the_summed_batch(by_two: Path, variant: str) -> None:
    """Networks, targets, temperature, moments and metrics; on both ranks the same, bit for bit."""
    alone = learned(variant, ALONE)
    first, second = (load_file(by_two / f"{variant} {rank}.safetensors") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    torch.testing.assert_close(first, alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_with_other_weights_is_refused_on_every_rank(by_two: Path, rank: int) -> None:
    assert "rank 1 differs from rank 0" in (by_two / f"refused {rank}").read_text()


@pytest.mark.parametrize("rank", [0, 1])
def test_a_gradient_that_is_not_finite_on_one_rank_is_stepped_along_by_none(by_two: Path, rank: int) -> None:
    before, after = (load_file(by_two / f"{when} {rank}.safetensors") for when in ("before", "after"))
    kept = ("encoder", "actor", "critics", "gripper", "log_temperature", "optimiser")
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith(kept))
    assert after["skipped"] == 1


def test_the_rows_of_all_ranks_are_the_summed_batch() -> None:
    rows = torch.arange(12)
    taken = torch.cat([rows[Shard(rank, 3).rows] for rank in range(3)])
    assert sorted(taken.tolist()) == rows.tolist()
    assert torch.equal(rows[ALONE.rows], rows)


def filled_replay() -> Replay:
    rng, replay = np.random.default_rng(0), Replay(FEATURES, 60, 60)
    for number in range(80):
        replay.add(
            Step(
                episode=number // 40, step=number, state=rng.normal(size=3).astype(np.float32), reward=0.0,
                images=rng.integers(0, 255, FEATURES.image_shape, np.uint8), terminated=False, truncated=False,
                action=rng.uniform(-1, 1, 4).astype(np.float32), is_demonstration=number < 40,
            )
        )  # fmt: skip
    return replay


def test_the_ranks_batches_are_the_rows_of_the_batch_that_one_process_draws() -> None:
    def drawn(size: int, shard: Shard) -> Batch:
        return filled_replay().sample(size, 0.5, np.random.default_rng(1), 2, shard)

    whole = drawn(10, ALONE)
    for rank in range(2):
        shard = Shard(rank, 2)
        mine, theirs = drawn(5, shard), own_rows(whole, shard)
        assert torch.equal(mine.observation.images, theirs.observation.images)
        assert torch.equal(mine.next_observation.images, theirs.next_observation.images)
        assert torch.equal(mine.next_observation.state, theirs.next_observation.state)
        assert torch.equal(mine.action, theirs.action)
        assert torch.equal(mine.offline, theirs.offline)
        assert 0 < mine.offline.sum() < 5
