"""[dataset]: the LeRobotDataset that `mode = "record"` writes and `mode = "replay"` reads."""

from workers.config.values import Count, CountOr0, Problems, Section


class DatasetConfig(Section, frozen=True, kw_only=True):
    repo_id: str | None = None
    """Name on the Hugging Face hub, `user/name`; also the folder below the local dataset cache."""
    task: str = "pick up the cube and lift it"
    """What is done in the episodes, in words; kept with every frame."""
    root: str | None = None
    """Folder of the dataset; without it, `repo_id` in the local dataset cache."""
    video: bool = True
    """Keep the camera pictures as videos (H.264), otherwise as PNG: exact, and twenty times the disk."""
    num_episodes_to_record: Count = 5
    """Successful episodes that `mode = "record"` records."""
    replay_episode: CountOr0 | None = None
    """Episode that `mode = "replay"` drives the arm through again."""
    push_to_hub: bool = False
    """Upload the dataset when it is complete."""

    def problems(self) -> Problems:
        if self.push_to_hub and self.repo_id is None:
            yield ("push_to_hub",), "needs repo_id, the name on the hub"
