"""Several processes under torchrun learn as one: rank 0 says what comes next, and all do it.

Every rank reads the same logs into a replay of its own, draws the same batches and takes its own rows
(`sharding.py`). Rank 0 alone has a station, decides, publishes, saves and reports; what it does to replay or
networks it says, and the others follow (`lockstep_follower.py`). Whoever is lost ends all: torchrun starts
them again, and they resume. Each rank's replay takes memory of its own.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import IntEnum

import msgspec
import torch
import torch.distributed as dist

from workers.config import Config
from workers.learner.intake import Runs
from workers.learner.lockstep_place import WORD_EVERY_S, own_place
from workers.learner.session import LearnerSession, SessionRefused
from workers.learner.sharding import ALONE, RanksApart, Shard
from workers.runtime.beginning import Beginning

LONGEST_SILENCE = timedelta(minutes=10)
"""How long a rank may keep the others waiting, a long log to read included, before it counts as lost."""


class Do(IntEnum):
    """What rank 0 says."""

    BEGIN = 0  # it has chosen the checkpoint: begin from the same one
    TAKE_IN = 1
    PRETRAIN = 2
    UPDATE = 3
    STOP = 4


def opened(config: Config, beginning: Beginning, breathe: Callable[[], object]) -> LearnerSession:
    """The session of a learner that decides: the only one, or rank 0's.

    Raises SessionRefused, RanksApart, and what LearnerSession raises.
    """
    shard = join(config)
    session = LearnerSession if shard.world == 1 else LeadingSession
    return session(
        on_own_device(config, shard),
        breathe,
        fresh=beginning is Beginning.FRESH,
        resume_required=beginning is Beginning.RESUME,
        shard=shard,
    )


def join(config: Config) -> Shard:
    """Meet the other ranks; alone where torchrun started none. Raises SessionRefused or RanksApart."""
    place = own_place()
    if place.world == 1:
        return ALONE
    if place.local_world != place.world:
        raise SessionRefused(
            f"{place.world} processes of this learner run on several machines, but all must read the same logs."
            " Start them on one machine: torchrun --nproc-per-node N, without --nnodes."
        )
    kind = config.policy.device.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise SessionRefused(
            f'policy.device = "{config.policy.device}" cannot be shared by {place.world} processes. Set it to'
            ' "cuda" or "cpu", or start the learner without torchrun.'
        )
    try:
        backend = "cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=LONGEST_SILENCE)
    except (RuntimeError, ValueError) as error:
        raise RanksApart(
            f"the {place.world} processes of this learner do not find each other: {error}. Start them all together"
            " with torchrun; after a crash, end it and start it again."
        ) from error
    return Shard(place.rank, place.world)


def on_own_device(config: Config, shard: Shard) -> Config:
    """With "cuda" for device or storage_device, this rank's GPU."""
    if shard.world == 1:
        return config
    policy, own = config.policy, f"cuda:{own_place().local_rank}"
    changes = {key: own for key in ("device", "storage_device") if getattr(policy, key) == "cuda"}
    return msgspec.structs.replace(config, policy=msgspec.structs.replace(policy, **changes))


class LeadingSession(LearnerSession):
    """Rank 0's session: what it does, the others are told to do. Every method raises RanksApart when one is gone."""

    def __init__(
        self,
        config: Config,
        breathe: Callable[[], object] = lambda: None,
        *,
        fresh: bool = False,
        resume_required: bool = False,
        shard: Shard,
    ) -> None:
        """As LearnerSession; then the others begin, and all of them take in the rest of the logs."""
        super().__init__(config, breathe, fresh=fresh, resume_required=resume_required, shard=shard)
        self._say(Do.BEGIN)
        shard.require_alike(self.fingerprint(), "weights and records", breathe)
        while self.take_in():
            breathe()

    def take_in(self) -> Runs:
        """Take in new records, then tell which; now and then also that there are none, so that nobody worries."""
        runs = super().take_in()
        if runs or time.monotonic() > self._said_s + WORD_EVERY_S:
            self._say(Do.TAKE_IN, runs)
        return runs

    def pretrain(self) -> None:
        """One behaviour-cloning update by all ranks."""
        self._say(Do.PRETRAIN)
        super().pretrain()

    def update(self) -> None:
        """One update by all ranks."""
        self._say(Do.UPDATE)
        super().update()

    def close(self) -> None:
        """Let the others go too."""
        with suppress(RanksApart):  # they are gone already
            self._say(Do.STOP)
        super().close()

    def _say(self, do: Do, runs: Runs | None = None) -> None:
        payload = bytearray(msgspec.msgpack.encode(runs)) if runs else bytearray()
        self._shard.broadcast(torch.tensor([do, len(payload)]))
        if payload:
            self._shard.broadcast(torch.frombuffer(payload, dtype=torch.uint8))
        self._said_s = time.monotonic()


def heard(shard: Shard) -> tuple[Do, Runs]:
    """What rank 0 says next, as another rank hears it. Raises RanksApart."""
    head = torch.zeros(2, dtype=torch.int64)
    shard.broadcast(head)
    do, size = head.tolist()
    payload = torch.zeros(size, dtype=torch.uint8)
    if size:
        shard.broadcast(payload)
    return Do(do), msgspec.msgpack.decode(bytes(payload.numpy()), type=Runs) if size else []
