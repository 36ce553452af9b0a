"""Where a session begins: at the newest good checkpoint, or anew where it may; never silently from zero."""

import logging
from collections.abc import Callable

from workers.config import Config
from workers.learner.checkpoint import Checkpoint
from workers.learner.checkpoint_store import CheckpointStore, NoCheckpoint

ANEW = "Start with --fresh to learn anew from all that was recorded, or give the run another name"
log = logging.getLogger(__name__)


class SessionRefused(Exception):
    """The learner cannot start; the text says what, why and what to do."""


def checkpoint_to_resume(
    config: Config,
    store: CheckpointStore,
    accept: Callable[[Checkpoint], object],
    *,
    fresh: bool,
    required: bool,
) -> Checkpoint | None:
    """The checkpoint to go on from, None where the run begins; damaged ones that are passed over are said.

    With `fresh`, all are moved aside first. Raises SessionRefused where there are some but none is good, or
    none though one is `required`; and OSError.
    """
    if fresh:
        aside = store.move_aside()
        if aside is not None:
            log.warning("learning begins anew; the checkpoints so far are kept in %s", aside)
    if store.paths():
        return _newest_good(config, store, accept)
    if required:
        raise SessionRefused(
            f"the run {config.run.name} has no checkpoint to resume: none was saved in {config.run_dir}."
            " Check run.name and run.directory, or start without --resume."
        )
    return None


def _newest_good(
    config: Config, store: CheckpointStore, accept: Callable[[Checkpoint], object]
) -> Checkpoint:
    try:
        checkpoint = store.load(accept)
    except NoCheckpoint as error:
        raise SessionRefused(
            f"the run {config.run.name} has checkpoints but none can be resumed: {error}. {ANEW}; they are kept."
        ) from error
    for reason in store.rejected:
        log.warning("checkpoint passed over and set aside: %s", reason)
    return checkpoint


def check_belongs(checkpoint: Checkpoint, settings_hash: str, features_hash: str) -> None:
    """Raises NoCheckpoint when the checkpoint is of another run than this one is now."""
    if checkpoint.settings_hash != settings_hash:
        what = "with other network or algorithm settings"
    elif checkpoint.features_hash not in ("", features_hash):
        what = "on other observations or actions"
    else:
        return
    raise NoCheckpoint(f"step-{checkpoint.step:08d} was trained {what}; restore them to go on with it")
