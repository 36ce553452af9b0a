"""Which of several processes under torchrun this is, as the environment says; without torch, which takes seconds."""

import os
from dataclasses import dataclass

WORD_EVERY_S = 30.0
"""So often at the least rank 0 says something, that the others need not count it as lost."""


@dataclass(frozen=True, slots=True)
class Place:
    """Rank and number of processes, on this machine and in all."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1
    restarts: int = 0
    """How often torchrun has started all of them again."""


def own_place() -> Place:
    """This process's place; torchrun's own marker is asked for, since clusters set WORLD_SIZE for reasons of theirs."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return Place()
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT")
    return Place(*(int(os.environ[name]) for name in names))
