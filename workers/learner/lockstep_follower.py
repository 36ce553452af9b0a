"""The other ranks of a learner under torchrun: no station, no decisions; they do what rank 0 says."""

import logging
import signal

from workers.config import Config
from workers.learner.intake import LogLost
from workers.learner.lockstep import Do, heard, join, on_own_device
from workers.learner.memory import favour_training, tune_allocator
from workers.learner.session import LearnerSession, SessionRefused
from workers.learner.sharding import RanksApart, Shard
from workers.processors.errors import EnvironmentRefused
from workers.transport.log import LogError

log = logging.getLogger(__name__)


def main(config: Config) -> int:
    """Follow rank 0 to its end; the exit code, 1 when that was not an orderly one."""
    # Whoever ends rank 0 ends all at once; but it saves what all have learned, and only then says stop.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    tune_allocator()
    try:
        follow(config, join(config))
    except (SessionRefused, RanksApart, EnvironmentRefused, LogError, LogLost) as refused:
        log.error("%s", refused)
        return 1
    return 0


def follow(config: Config, shard: Shard) -> None:
    """Begin where rank 0 begins and do what it does. Raises SessionRefused, RanksApart, LogError, LogLost."""
    heard(shard)  # Do.BEGIN: before that, rank 0 may still move checkpoints
    session = LearnerSession(on_own_device(config, shard), shard=shard)
    favour_training()
    try:
        shard.require_alike(session.fingerprint(), "weights and records")
        _do_as_told(session, shard)
    finally:
        session.close()


def _do_as_told(session: LearnerSession, shard: Shard) -> None:
    while True:
        do, runs = heard(shard)
        match do:
            case Do.TAKE_IN:
                session.take_in_as(runs)
            case Do.PRETRAIN:
                session.pretrain()
            case Do.UPDATE:
                session.update()
            case Do.STOP:
                return
