"""Classifiers on the Hugging Face hub: fetched whole, sent to a repository that holds nothing yet."""

from pathlib import Path

from huggingface_hub import HfApi

from workers.learner.hub import KIND, push_model
from workers.model.classifier_events import REPORT
from workers.reward.errors import ClassifierError

_PARTS = ["*.json", "*.safetensors"]


def fetched(repo_id: str, api: HfApi | None = None) -> Path:
    """The folder with the classifier `repo_id`, downloaded where it is not there yet. Raises ClassifierError."""
    try:
        return Path((api or HfApi()).snapshot_download(repo_id, repo_type=KIND, allow_patterns=_PARTS))
    except Exception as error:  # what the client raises depends on its version and its transport
        raise ClassifierError(
            f"there is no folder {repo_id}, and the hub's classifier of that name could not be fetched"
            f" ({type(error).__name__}: {error}). Check the name, the network and, for a private one, `hf auth login`"
        ) from error


def push(folder: Path, repo_id: str, api: HfApi | None = None) -> None:
    """Upload the classifier in `folder` as the model `repo_id`.

    Raises ClassifierError for a repository that already holds something, and when the hub cannot be reached.
    """
    push_model(
        folder,
        repo_id,
        "classifier",
        ClassifierError,
        api,
        allow_patterns=[*_PARTS, "README.md"],
        ignore_patterns=[REPORT],  # where datasets lie on this machine is nobody else's business
    )
