"""Upload of an exported policy to the Hugging Face hub."""

import logging
from pathlib import Path

from huggingface_hub import HfApi

from workers.policy_export.source import ExportRefused

_KIND = "model"
_NO_CONTENT = {".gitattributes"}  # what the hub puts into a new repository
log = logging.getLogger(__name__)


def push(folder: Path, repo_id: str, api: HfApi | None = None) -> None:
    """Upload the files of `folder` as the model `repo_id`.

    Raises ExportRefused for a repository that already holds something, and when the hub cannot be reached.
    """
    api = api or HfApi()
    by_hand = f"`hf upload {repo_id} {folder}`"
    try:
        api.create_repo(repo_id, repo_type=_KIND, exist_ok=True)
        there = sorted(set(api.list_repo_files(repo_id, repo_type=_KIND)) - _NO_CONTENT)
        if there:
            raise ExportRefused(
                f"{repo_id} on the hub is not empty ({len(there)} files, {there[0]} first) and was left as it is."
                f" The policy is complete in {folder}: push it to another name, or, to write over what is there,"
                f" {by_hand}."
            )
        log.info("policy: uploading %s to %s", folder, repo_id)
        api.upload_folder(
            repo_id=repo_id, repo_type=_KIND, folder_path=folder, commit_message="Add the policy"
        )
    except ExportRefused:
        raise
    except Exception as error:  # what the client raises depends on its version and its transport
        raise ExportRefused(
            f"the policy could not be uploaded to {repo_id} ({type(error).__name__}: {error}). It is complete in"
            f" {folder}: check the network and `hf auth login`, then {by_hand}."
        ) from error
