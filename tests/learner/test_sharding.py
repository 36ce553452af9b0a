"""Two ranks, each with its rows, make the update of one process on the summed batch."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from msgspec import structs
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.emulators.ranks import on_ranks
from tests.learner.test_sac import FEATURES, POLICY, SMALL, make_batch
from workers.config import AlgorithmConfig
from workers.learner.batch import Batch, Observation
from workers.learner.sac import SAC
from workers.learner.sac_state import state_tensors
from workers.learner.sharding import ALONE, RanksDiffer, Shard, digest

ROWS = 12
UPDATES = 24
PLAIN: dict[str, object] = {"critic_network_kwargs": SMALL, "policy_update_freq": 2}
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


def learn_every_variant(shard: Shard, folder: Path) -> None:
    for variant in VARIANTS:
        save_file(learned(variant, shard), folder / f"{variant} {shard.rank}.safetensors")


@pytest.fixture(scope="module")
def learned_by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("ranks")
    on_ranks(learn_every_variant, folder)
    return folder


@pytest.mark.parametrize("variant", VARIANTS)
def test_two_ranks_make_the_updates_of_one_process_on_the_summed_batch(
    learned_by_two: Path, variant: str
) -> None:
    """Networks, targets, temperature, moments and metrics; on both ranks the same, bit for bit."""
    alone = learned(variant, ALONE)
    first, second = (load_file(learned_by_two / f"{variant} {rank}.safetensors") for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    torch.testing.assert_close(first, alone, atol=1e-5, rtol=1e-5)


def refuse_other_weights(shard: Shard, folder: Path) -> None:
    sac = SAC(FEATURES, POLICY, AlgorithmConfig(critic_network_kwargs=SMALL), seed=0, shard=shard)
    shard.require_alike(digest(state_tensors(sac)), "weights")
    if shard.rank == 1:
        with torch.no_grad():
            sac.actor.mean.bias[0] += 1e-6
    with pytest.raises(RanksDiffer, match="rank 1 differs from rank 0"):
        shard.require_alike(digest(state_tensors(sac)), "weights")


def test_a_rank_with_other_weights_is_refused_on_every_rank(tmp_path: Path) -> None:
    on_ranks(refuse_other_weights, tmp_path)


def skip_where_one_rank_has_nan(shard: Shard, folder: Path) -> None:
    sac = SAC(FEATURES, POLICY, AlgorithmConfig(**PLAIN), seed=0, shard=shard)  # type: ignore[arg-type]
    sac.update(own_rows(make_batch(ROWS), shard))
    before = state_tensors(sac)
    batch = own_rows(make_batch(ROWS), shard)
    if shard.rank == 1:
        batch.observation.state[0, 0] = float("nan")
    sac.update(batch)
    kept = ("encoder", "actor", "critics", "gripper", "log_temperature", "optimiser")
    after = state_tensors(sac)
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith(kept))
    assert sac.skipped_updates == 3  # critic, actor, temperature


def test_a_gradient_that_is_not_finite_on_one_rank_is_stepped_along_by_none(tmp_path: Path) -> None:
    on_ranks(skip_where_one_rank_has_nan, tmp_path)


def test_the_rows_of_all_ranks_are_the_summed_batch() -> None:
    rows = torch.arange(12)
    taken = torch.cat([rows[Shard(rank, 3).rows] for rank in range(3)])
    assert sorted(taken.tolist()) == rows.tolist()
    assert torch.equal(rows[ALONE.rows], rows)
