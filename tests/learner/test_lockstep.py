"""Two ranks on the logs of two actors stand alike at every moment, learn what one process would, and resume."""

import os
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.emulators.ranks import on_ranks
from tests.learner.runs import Arm, contents, tiny_config
from workers.config import Config
from workers.learner import worker
from workers.learner.lockstep import LeadingSession, join, on_own_device
from workers.learner.lockstep_follower import follow
from workers.learner.lockstep_place import Place, own_place
from workers.learner.memory import ReplayTooLarge, check_fits, replay_bytes
from workers.learner.sac_state import state_tensors
from workers.learner.session import LearnerSession, SessionRefused
from workers.learner.sharding import RanksApart, Shard

BATCH = 6


def config_of(folder: Path, batch: int) -> Config:
    config = tiny_config(folder)
    cloning = {"bc_pretrain_updates": 2, "bc_weight": 0.2, "bc_decay_updates": 20}
    algorithm = msgspec.structs.replace(config.algorithm, batch_size=batch, log_freq=2, **cloning)
    return msgspec.structs.replace(config, algorithm=algorithm)


def record(config: Config, count: int, seed: int) -> None:
    for number, actor in enumerate(("", "b")):
        arm = Arm(config, seed + number, actor)
        arm.record(count)
        arm.close()


def train(session: LearnerSession, config: Config) -> None:
    """Clone, learn, save; then more was recorded, and on it goes."""
    for _ in range(2):
        session.pretrain()
    for _ in range(4):
        session.update()
    session.save_checkpoint(wait=True)
    record_more(config)
    go_on(session)


def record_more(config: Config) -> None:
    arm = Arm(config, 1)
    arm.record(30)
    arm.close()


def go_on(session: LearnerSession) -> None:
    while session.take_in():
        pass
    for _ in range(4):
        session.update()


def tell_at_the_end(folder: Path, rank: int, part: str) -> None:
    """Have sessions of this process write down all they hold when they close."""
    close = LearnerSession.close

    def told(session: LearnerSession) -> None:
        save_file(state_tensors(session.sac), folder / f"{part} {rank}.safetensors")
        (folder / f"{part} {rank}.json").write_bytes(msgspec.json.encode(contents(session)))
        close(session)

    LearnerSession.close = told  # type: ignore[method-assign]


def learn_twice(shard: Shard, folder: Path) -> None:
    """All of it; once more from the checkpoint in the middle; then rank 0 is gone without a word."""
    config = config_of(folder, BATCH)
    plain_close = LearnerSession.close
    for part in ("through", "resumed"):
        LearnerSession.close = plain_close  # type: ignore[method-assign]
        tell_at_the_end(folder, shard.rank, part)
        if shard.rank:
            follow(config, shard)
            continue
        session = LeadingSession(config, shard=shard)
        train(session, config) if part == "through" else go_on(session)
        session.close()
    LearnerSession.close = plain_close  # type: ignore[method-assign]
    leave_in_the_middle(config, shard, folder)


def leave_in_the_middle(config: Config, shard: Shard, folder: Path) -> None:
    if shard.rank:
        try:
            follow(config, shard)
        except RanksApart as told:
            (folder / "told").write_text(str(told))
    else:
        LeadingSession(config, shard=shard).update()
    os._exit(0)  # as a killed process: nobody is told


@pytest.fixture(scope="module")
def by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("two")
    record(config_of(folder, BATCH), 40, seed=1)
    on_ranks(learn_twice, folder)
    return folder


@pytest.mark.parametrize("part", ["through", "resumed"])
def test_both_ranks_hold_the_same_to_the_last_bit(by_two: Path, part: str) -> None:
    """Networks, moments, generators, and the replay slot by slot."""
    first, second = (msgspec.json.decode((by_two / f"{part} {rank}.json").read_bytes()) for rank in range(2))
    assert first == second
    assert first["counters"].startswith("(8, ")


def test_ranks_that_resume_go_on_exactly_where_they_were(by_two: Path) -> None:
    through, resumed = ((by_two / f"{part} 0.json").read_bytes() for part in ("through", "resumed"))
    assert msgspec.json.decode(through) == msgspec.json.decode(resumed)


def test_they_learn_what_one_process_learns_from_the_summed_batch(by_two: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, 2 * BATCH)
    record(config, 40, seed=1)
    session = LearnerSession(config)
    train(session, config)
    learned = load_file(by_two / "through 0.safetensors")
    torch.testing.assert_close(learned, state_tensors(session.sac), atol=2e-5, rtol=1e-4)
    session.close()


def test_rank_0_alone_writes_metrics_and_checkpoints(by_two: Path) -> None:
    rows = [
        msgspec.json.decode(line) for line in (by_two / "run" / "metrics.jsonl").read_bytes().splitlines()
    ]
    updates = [row["updates"] for row in rows]
    assert updates == [0, 2, 4, 6, 8, 6, 8]
    assert len(list((by_two / "run" / "checkpoints").glob("step-*"))) >= 1


def test_a_rank_that_is_left_alone_says_so_and_ends(by_two: Path) -> None:
    assert "another process of this learner is gone" in (by_two / "told").read_text()


def under_torchrun(monkeypatch: pytest.MonkeyPatch, **place: int) -> None:
    names = {"RANK": 0, "WORLD_SIZE": 2, "LOCAL_RANK": 0, "LOCAL_WORLD_SIZE": 2} | place
    for name, number in (names | {"TORCHELASTIC_RESTART_COUNT": 0, "TORCHELASTIC_RUN_ID": 7}).items():
        monkeypatch.setenv(name, str(number))


def test_a_cluster_s_own_world_size_makes_no_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("RANK", "3")
    assert own_place() == Place()


def test_the_others_hear_of_rank_0_in_time_however_long_its_naps_may_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tiny_config(tmp_path)
    link = msgspec.structs.replace(config.policy.actor_learner_config, queue_get_timeout=3600.0)
    policy = msgspec.structs.replace(config.policy, actor_learner_config=link)
    config = msgspec.structs.replace(config, policy=policy)
    monkeypatch.setattr(worker, "WORD_EVERY_S", 0.05)
    under_torchrun(monkeypatch)
    session = LearnerSession(config)
    looks: list[float] = []
    monkeypatch.setattr(session, "take_in", lambda: looks.append(time.monotonic()))
    until_s = time.monotonic() + 5.0
    desk = SimpleNamespace(
        alive=lambda: len(looks) < 4 and time.monotonic() < until_s,
        next_order=lambda wait_s=0.0: time.sleep(wait_s),
        mailbox=SimpleNamespace(emit=lambda event: None),
    )
    worker.Loop(desk, config, session).run()  # type: ignore[arg-type]
    session.close()
    assert len(looks) == 4


def test_ranks_on_other_machines_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    under_torchrun(monkeypatch, WORLD_SIZE=4)
    with pytest.raises(SessionRefused, match="one machine"):
        join(config_of(tmp_path, BATCH))


def test_each_rank_takes_the_gpu_of_its_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    under_torchrun(monkeypatch, RANK=1, LOCAL_RANK=1)
    config = config_of(tmp_path, BATCH)
    policy = msgspec.structs.replace(config.policy, device="cuda", storage_device="cpu")
    placed = on_own_device(msgspec.structs.replace(config, policy=policy), Shard(1, 2)).policy
    assert (placed.device, placed.storage_device) == ("cuda:1", "cpu")
    assert on_own_device(config, Shard(1, 2)).policy.device == "cpu"


def test_replays_of_all_ranks_must_fit_into_memory_together(tmp_path: Path) -> None:
    config = tiny_config(tmp_path, online=1000, offline=1000)
    features = LearnerSession(config).features
    room = replay_bytes(features, config.policy)
    check_fits(features, config.policy, room)
    check_fits(features, config.policy, 2 * room, processes=2)
    with pytest.raises(ReplayTooLarge, match=r"2 of them in as many processes, .* at most (499|500) and"):
        check_fits(features, config.policy, room, processes=2)
