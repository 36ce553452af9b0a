"""Upload of a dataset to the Hugging Face hub."""

import contextlib
import logging
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import RevisionNotFoundError

from workers.dataset.errors import DatasetError
from workers.dataset.layout import VERSION

_KIND = "dataset"
_NO_CONTENT = {".gitattributes"}  # what the hub puts into a new repository
log = logging.getLogger(__name__)


def push(root: Path, repo_id: str, api: HfApi | None = None) -> None:
    """Upload the dataset in `root` as `repo_id`, and tag it as LeRobot's readers expect.

    Raises DatasetError for a repository that already holds something, and when the hub cannot be reached.
    """
    api = api or HfApi()
    by_hand = f"`hf upload {repo_id} {root} --repo-type dataset`"
    try:
        api.create_repo(repo_id, repo_type=_KIND, exist_ok=True)
        there = sorted(set(api.list_repo_files(repo_id, repo_type=_KIND)) - _NO_CONTENT)
        if there:
            raise DatasetError(
                f"{repo_id} on the hub is not empty ({len(there)} files, {there[0]} first) and was left as it is."
                f" The dataset is complete in {root}: give it another dataset.repo_id, or, to write over what is"
                f" there, {by_hand}."
            )
        log.info("dataset: uploading %s to %s", root, repo_id)
        api.upload_folder(
            repo_id=repo_id, repo_type=_KIND, folder_path=root, commit_message="Add the recorded episodes"
        )
        with contextlib.suppress(RevisionNotFoundError):
            api.delete_tag(repo_id, tag=VERSION, repo_type=_KIND)  # of what the repository held once
        api.create_tag(repo_id, tag=VERSION, repo_type=_KIND)
    except DatasetError:
        raise
    except Exception as error:  # what the client raises depends on its version and its transport
        raise DatasetError(
            f"the dataset could not be uploaded to {repo_id} ({type(error).__name__}: {error}). It is complete in"
            f" {root}: check the network and `hf auth login`, then {by_hand}."
        ) from error
