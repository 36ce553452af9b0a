"""Upload of an exported policy to the Hugging Face hub."""

from pathlib import Path

from huggingface_hub import HfApi

from workers.learner.hub import push_model
from workers.policy_export.source import ExportRefused


def push(folder: Path, repo_id: str, api: HfApi | None = None) -> None:
    """Upload the files of `folder` as the model `repo_id`.

    Raises ExportRefused for a repository that already holds something, and when the hub cannot be reached.
    """
    push_model(folder, repo_id, "policy", ExportRefused, api)
