"""Upload of a folder as a model of the Hugging Face hub, for whatever room has something to give."""

import logging
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

KIND = "model"
_NO_CONTENT = {".gitattributes"}  # what the hub puts into a new repository
log = logging.getLogger(__name__)


def push_model(
    folder: Path, repo_id: str, what: str, refusal: type[Exception], api: HfApi | None = None, **files: Any
) -> None:
    """Upload the files of `folder` as the model `repo_id`; `what` is its name in words: "policy".

    `files` are HfApi.upload_folder's patterns, where not all are to go.
    Raises `refusal` for a repository that already holds something, and when the hub cannot be reached.
    """
    api = api or HfApi()
    by_hand = f"`hf upload {repo_id} {folder}`"
    try:
        api.create_repo(repo_id, repo_type=KIND, exist_ok=True)
        there = sorted(set(api.list_repo_files(repo_id, repo_type=KIND)) - _NO_CONTENT)
        if there:
            raise refusal(
                f"{repo_id} on the hub is not empty ({len(there)} files, {there[0]} first) and was left as it is."
                f" The {what} is complete in {folder}: push it to another name, or, to write over what is there,"
                f" {by_hand}."
            )
        log.info("%s: uploading %s to %s", what, folder, repo_id)
        api.upload_folder(
            repo_id=repo_id, repo_type=KIND, folder_path=folder, commit_message=f"Add the {what}", **files
        )
    except refusal:
        raise
    except Exception as error:  # what the client raises depends on its version and its transport
        raise refusal(
            f"the {what} could not be uploaded to {repo_id} ({type(error).__name__}: {error}). It is complete in"
            f" {folder}: check the network and `hf auth login`, then {by_hand}."
        ) from error
