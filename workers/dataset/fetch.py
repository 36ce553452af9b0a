"""Download of a dataset from the Hugging Face hub, to where LeRobot keeps it too, of one commit and whole.

It is brought into a folder beside its place and goes there when every file is there and fits. An interrupted download
goes on with the next one, and is never taken for a dataset.
"""

import hashlib
import logging
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from huggingface_hub import HfApi

from workers.dataset.durable import write_whole
from workers.dataset.errors import DatasetError
from workers.dataset.hub import KIND
from workers.dataset.hub_errors import told
from workers.dataset.layout import INFO, OLD_VERSIONS, VERSION, cache_folder, episodes_in_words, read_info
from workers.dataset.locking import locked
from workers.dataset.notes import NOTES, fetched, fetched_from, raw_notes
from workers.dataset.reader import Dataset
from workers.dataset.versions import Versions

_PARTS = ["meta/*", "data/*", "videos/*", "README.md"]
_COMMIT = re.compile("[0-9a-f]{40}")
log = logging.getLogger(__name__)


def fetch(
    repo_id: str,
    revision: str | None = None,
    root: Path | None = None,
    api: HfApi | None = None,
    *,
    replace: bool = False,
) -> Path:
    """The folder with the dataset `repo_id` as of `revision`, downloaded where it is not there yet.

    Args:
        repo_id: `user/name` on the hub.
        revision: a branch, tag or commit; without it the tag of the newest version of the format, as LeRobot does,
            or `main` where there is no tag.
        root: another folder than LeRobot's.
        replace: put it in the place of another dataset, which is kept as for every edit.

    Raises DatasetError where the hub refuses, is away or holds no dataset, where the download is not whole (it goes on
    next time), and where another dataset is in the folder.
    """
    root = cache_folder(repo_id) if root is None else root
    here = fetched_from(root)
    if here == (repo_id, revision) and _COMMIT.fullmatch(revision or ""):
        return root
    api = api or HfApi()
    with told(f"{repo_id} could not be downloaded", "read", "Nothing here was changed."):
        revision = revision or _newest(api, repo_id)
        head = api.dataset_info(repo_id, revision=revision, files_metadata=True)
    files = [file for file in head.siblings or () if file.rfilename.startswith(("meta/", "data/", "videos/"))]
    if INFO not in {file.rfilename for file in files}:
        raise DatasetError(f"{repo_id} is no dataset of LeRobot's: it has no {INFO} ({revision})")
    if here == (repo_id, head.sha):
        return root
    _may_be_replaced(root, repo_id, str(head.sha), replace)
    _bring(api, repo_id, str(head.sha), files, root)
    for path in (root / ".cache", *root.parent.glob(f".{root.name}.fetch-*")):
        shutil.rmtree(path, ignore_errors=True)  # of this download, and of others that were given up
    return root


def _bring(api: HfApi, repo_id: str, commit: str, files: Sequence[Any], root: Path) -> None:
    """Download into a folder beside `root`, look whether it is a dataset, and put it in its place."""
    aside = root.with_name(f".{root.name}.fetch-{commit}")
    aside.mkdir(parents=True, exist_ok=True)
    with locked(aside):
        _download(api, repo_id, commit, files, aside)
        try:
            Dataset(aside)
        except DatasetError as error:
            raise DatasetError(f"{repo_id} is damaged on the hub itself: {error}") from error
        notes = {**raw_notes(aside), "hub": fetched(aside, repo_id, commit), "pushed": {repo_id: commit}}
        write_whole(aside / NOTES, msgspec.json.encode(notes))
        _put(aside, root, f"fetched {repo_id} at {commit[:12]}")


def _newest(api: HfApi, repo_id: str) -> str:
    """The tag that LeRobot would take, of the newest version of the format."""
    tags = {tag.name for tag in api.list_repo_refs(repo_id, repo_type=KIND).tags}
    return next((tag for tag in (VERSION, *reversed(OLD_VERSIONS)) if tag in tags), "main")


def _download(api: HfApi, repo_id: str, commit: str, files: Sequence[Any], aside: Path) -> None:
    """Bring all files; those that are there already are not brought again."""
    size = sum(file.size or 0 for file in files)
    missing = sum(file.size or 0 for file in files if not (aside / file.rfilename).exists())
    free = shutil.disk_usage(aside).free
    if missing > free:
        raise DatasetError(
            f"{repo_id} does not fit on the disk: it needs {missing / 2**20:.0f} MB, {free / 2**20:.0f} MB are free"
        )
    log.info("dataset: %s has %d files, %.1f MB", repo_id, len(files), size / 2**20)
    left = f"What has come is in {aside}; do it again and it goes on from there."
    with told(f"{repo_id} could not be downloaded to its end", "read", left):
        api.snapshot_download(
            repo_id, repo_type=KIND, revision=commit, local_dir=aside, allow_patterns=_PARTS
        )
    # The client gives back what there is where the hub stops answering, so that it must be looked at.
    wrong = [file.rfilename for file in files if not _is_whole(aside / file.rfilename, file)]
    for name in wrong:
        (aside / name).unlink(missing_ok=True)
    if wrong:
        raise DatasetError(
            f"{repo_id} did not come to its end: {len(wrong)} of {len(files)} files are missing or damaged ({wrong[0]}"
            f" first). {left}"
        )


def _is_whole(path: Path, file: Any) -> bool:
    """Whether a file is as the hub has it: by its hash where the hub tells it, else by its size."""
    if not path.is_file() or (file.size is not None and path.stat().st_size != file.size):
        return False
    if file.lfs is None:
        return True
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == str(file.lfs["sha256"])


def _may_be_replaced(root: Path, repo_id: str, commit: str, replace: bool) -> None:
    if replace or not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return
    info, here = read_info(root), fetched_from(root)
    if info is None:
        raise DatasetError(
            f"{root} is not empty, and no dataset: name another folder to download {repo_id} to"
        )
    of = f"{here[0]} at {here[1][:12]}" if here else "recorded or edited here"
    raise DatasetError(
        f"{root} holds another dataset ({episodes_in_words(info.total_episodes)}, {of}) and was left as it is;"
        f" {repo_id} is at {commit[:12]} now. Name another folder, or --replace it: it is kept beside the new one, for"
        " `undo`."
    )


def _put(aside: Path, root: Path, words: str) -> None:
    """The download takes its place."""
    if not root.exists() or not any(root.iterdir()):
        aside.rename(root)
        return
    versions = Versions(root)
    with locked(versions.root):
        versions.settle()
        with versions.next() as place:
            aside.rename(place)
            versions.take_place(place, words)
