"""Classifiers on the Hugging Face hub: fetched whole, sent to a repository that holds nothing yet."""

import logging
from pathlib import Path

from huggingface_hub import HfApi

from workers.model.classifier_events import REPORT
from workers.reward.errors import ClassifierError

_KIND = "model"
_NO_CONTENT = {".gitattributes"}  # what the hub puts into a new repository
_PARTS = ["*.json", "*.safetensors"]
log = logging.getLogger(__name__)


def fetched(repo_id: str, api: HfApi | None = None) -> Path:
    """The folder with the classifier `repo_id`, downloaded where it is not there yet. Raises ClassifierError."""
    try:
        return Path((api or HfApi()).snapshot_download(repo_id, repo_type=_KIND, allow_patterns=_PARTS))
    except Exception as error:  # what the client raises depends on its version and its transport
        raise ClassifierError(
            f"there is no folder {repo_id}, and the hub's classifier of that name could not be fetched"
            f" ({type(error).__name__}: {error}). Check the name, the network and, for a private one, `hf auth login`"
        ) from error


def push(folder: Path, repo_id: str, api: HfApi | None = None) -> None:
    """Upload the classifier in `folder` as the model `repo_id`.

    Raises ClassifierError for a repository that already holds something, and when the hub cannot be reached.
    """
    api = api or HfApi()
    by_hand = f"`hf upload {repo_id} {folder}`"
    try:
        api.create_repo(repo_id, repo_type=_KIND, exist_ok=True)
        there = sorted(set(api.list_repo_files(repo_id, repo_type=_KIND)) - _NO_CONTENT)
        if there:
            raise ClassifierError(
                f"{repo_id} on the hub is not empty ({len(there)} files, {there[0]} first) and was left as it is."
                f" The classifier is complete in {folder}: push it to another name, or, to write over what is there,"
                f" {by_hand}."
            )
        log.info("classifier: uploading %s to %s", folder, repo_id)
        api.upload_folder(
            repo_id=repo_id,
            repo_type=_KIND,
            folder_path=folder,
            allow_patterns=[*_PARTS, "README.md"],
            ignore_patterns=[REPORT],  # where datasets lie on this machine is nobody else's business
            commit_message="Add the reward classifier",
        )
    except ClassifierError:
        raise
    except Exception as error:  # see above
        raise ClassifierError(
            f"the classifier could not be uploaded to {repo_id} ({type(error).__name__}: {error}). It is complete in"
            f" {folder}: check the network and `hf auth login`, then {by_hand}."
        ) from error
