"""[dataset]: the LeRobotDataset that `mode = "record"` writes, `"replay"` reads and training begins with."""

from typing import Annotated

import msgspec

from workers.config.values import Count, CountOr0, Problems, Section

RepoId = Annotated[
    str,
    msgspec.Meta(pattern=r"^[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*$", description='a name like "user/name"'),
]
Folder = Annotated[str, msgspec.Meta(min_length=1, description="a folder")]


class DatasetConfig(Section, frozen=True, kw_only=True):
    repo_id: RepoId | None = None
    """Name on the Hugging Face hub, `user/name`; also the folder below the local dataset cache. Training begins with
    the demonstrations of the dataset that this or `root` names, and counts them as recorded."""
    task: str = "pick up the cube and lift it"
    """What is done in the episodes, in words; kept with every frame."""
    root: Folder | None = None
    """Folder of the dataset; without it, `repo_id` in the local dataset cache."""
    video: bool = True
    """Keep the camera pictures as videos (H.264), otherwise as PNG: exact, and twenty times the disk."""
    num_episodes_to_record: Count = 5
    """Episodes that each start of a run with `mode = "record"` adds to the dataset: successes, failures and
    time-outs, all but those that were dropped to be recorded again."""
    start_on_motion: bool = False
    """Begin an episode with the person's first motion, so that nobody's idling is recorded."""
    replay_episode: CountOr0 | None = None
    """Episode that `mode = "replay"` drives the arm through again."""
    push_to_hub: bool = False
    """Upload the dataset when it is complete."""

    def problems(self) -> Problems:
        if self.push_to_hub and self.repo_id is None:
            yield ("push_to_hub",), "needs repo_id, the name on the hub"
