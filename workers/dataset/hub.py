"""Upload of a dataset to the Hugging Face hub: writes over nothing unless told to, and then over all of it at once."""

import contextlib
import logging
import tempfile
from pathlib import Path

import msgspec
from huggingface_hub import CommitInfo, HfApi
from huggingface_hub.errors import RevisionNotFoundError

from workers.dataset.durable import write_whole
from workers.dataset.errors import DatasetError
from workers.dataset.hub_errors import told
from workers.dataset.layout import INFO, Info, differences, read_info
from workers.dataset.locking import locked
from workers.dataset.notes import NOTES, raw_notes, read_notes
from workers.dataset.reader import Dataset

KIND = "dataset"
CARD = "README.md"
_NO_CONTENT = {".gitattributes"}  # what the hub puts into a new repository
_ROOMS = ["data/*", "videos/*", "meta/*", "images/*"]  # of a dataset, of any version of the format
_STAY_HERE = [".cache/*", "images/*", "*.hilserl-part"]
_CARD = """\
---
task_categories:
- robotics
tags:
- LeRobot
configs:
- config_name: default
  data_files: data/*/*.parquet
---

Recorded with hilserl-tui for [LeRobot](https://github.com/huggingface/lerobot). What it holds is in `meta/info.json`.
"""
"""The page of the dataset, with the keys by which the hub shows and finds it."""
log = logging.getLogger(__name__)


def push(
    root: Path, repo_id: str, api: HfApi | None = None, *, replace: bool = False, private: bool = False
) -> None:
    """Upload the dataset in `root` as `repo_id`, and tag it as LeRobot's readers expect.

    A repository that already holds something is left as it is, and told apart from the dataset in the error; unless it
    is this dataset, to which nothing but episodes was added since it was pushed, and which nobody changed there. With
    `replace` the dataset takes its place, in one commit. Nobody can record into the dataset meanwhile.
    Raises DatasetError for a dataset that is not whole, and when the hub refuses or cannot be reached.
    """
    api = api or HfApi()
    dataset = Dataset(root)
    left = f"The dataset is complete in {root}"
    with told(
        f"{root} could not be uploaded to {repo_id}", "write to", f"{left}; nothing there was changed."
    ):
        api.create_repo(repo_id, repo_type=KIND, exist_ok=True, private=private or None)
        head = api.dataset_info(repo_id)
        there = sorted({file.rfilename for file in head.siblings or ()} - _NO_CONTENT)
        goes_on = head.sha is not None and read_notes(root).pushed.get(repo_id) == head.sha
        if there and not (replace or goes_on):
            raise DatasetError(_refusal(api, repo_id, root, dataset.info, there))
        log.info("dataset: uploading %s to %s", root, repo_id)
        commit = _upload(api, repo_id, root, head.sha, clear=bool(there))
    with told(
        f"{repo_id} has the episodes, but not its tag", "write to", f"{left}: push again with --replace."
    ):
        if CARD not in there and not (root / CARD).exists():
            commit = _add_card(api, repo_id)
        _tag(api, repo_id, dataset.info.codebase_version)
    _note(root, repo_id, commit.oid)


def _upload(api: HfApi, repo_id: str, root: Path, parent: str | None, clear: bool) -> CommitInfo:
    """One commit on top of `parent`, refused where somebody else made one since; `clear` what was there before."""
    with locked(root):
        return api.upload_folder(
            repo_id=repo_id,
            repo_type=KIND,
            folder_path=root,
            commit_message="Add the recorded episodes",
            parent_commit=parent,
            delete_patterns=_ROOMS if clear else None,
            ignore_patterns=_STAY_HERE,
        )


def _note(root: Path, repo_id: str, commit: str) -> None:
    """Remember what is on the hub; without that a later push is refused, no more."""
    with contextlib.suppress(OSError, DatasetError), locked(root):
        notes = read_notes(root)
        pushed = {**notes.pushed, repo_id: commit}
        write_whole(root / NOTES, msgspec.json.encode({**raw_notes(root), "pushed": pushed}))


def _add_card(api: HfApi, repo_id: str) -> CommitInfo:
    """Add a page by which the hub shows and finds the dataset."""
    return api.upload_file(
        path_or_fileobj=_CARD.encode(),
        path_in_repo=CARD,
        repo_id=repo_id,
        repo_type=KIND,
        commit_message="Add a card",
    )


def _tag(api: HfApi, repo_id: str, version: str) -> None:
    """Move the tag by which LeRobot finds what it can read."""
    with contextlib.suppress(RevisionNotFoundError):
        api.delete_tag(repo_id, tag=version, repo_type=KIND)
    api.create_tag(repo_id, tag=version, repo_type=KIND)


def _refusal(api: HfApi, repo_id: str, root: Path, info: Info, files: list[str]) -> str:
    lines = "".join(f"\n  {line}" for line in _differences(api, repo_id, info, files))
    return (
        f"{repo_id} on the hub is not empty and was left as it is. The dataset is complete in {root}: give it another"
        f" name, or replace what is there (`hilserl-worker dataset push {root} --to {repo_id} --replace`). Here and"
        f" there:{lines}"
    )


def _differences(api: HfApi, repo_id: str, here: Info, files: list[str]) -> list[str]:
    """What is here and what is in the repository, a line for each thing that differs."""
    there = _info_of(api, repo_id) if INFO in files else None
    if there is None:
        return [f"no dataset of LeRobot's there, but {len(files)} files ({files[0]} first)"]
    lines = []
    for name in ("codebase_version", "total_episodes", "total_frames", "total_tasks"):
        one, other = getattr(here, name), getattr(there, name)
        lines += [f"{name}: {one} here, {other} there"] if one != other else []
    lines += differences(here.features, here.fps, there, here.robot_type)
    return lines or ["by its description the same, but the files may differ"]


def _info_of(api: HfApi, repo_id: str) -> Info | None:
    with tempfile.TemporaryDirectory() as folder:
        api.hf_hub_download(repo_id, INFO, repo_type=KIND, local_dir=folder)
        try:
            return read_info(Path(folder))
        except DatasetError:
            return None
