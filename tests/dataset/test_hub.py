"""An upload writes over nothing, and a failed one leaves a person who knows what to do. No network."""

from pathlib import Path

import pytest
from huggingface_hub.errors import RevisionNotFoundError

from workers.dataset.errors import DatasetError
from workers.dataset.hub import push

ROOT = Path("data/lift")


class FakeHub:
    """The calls that an upload makes, in their order."""

    def __init__(self, files: list[str], failure: Exception | None = None) -> None:
        self.calls: list[str] = []
        self._files = files
        self._failure = failure

    def _call(self, name: str, repo_id: str, **_: object) -> None:
        assert repo_id == "kim/lift"
        self.calls.append(name)

    def create_repo(self, repo_id: str, *, repo_type: str, exist_ok: bool) -> None:
        assert repo_type == "dataset" and exist_ok
        self._call("create", repo_id)
        if self._failure is not None:
            raise self._failure

    def list_repo_files(self, repo_id: str, *, repo_type: str) -> list[str]:
        self._call("list", repo_id)
        return self._files

    def upload_folder(self, *, repo_id: str, repo_type: str, folder_path: Path, commit_message: str) -> None:
        assert folder_path == ROOT
        self._call("upload", repo_id)

    def delete_tag(self, repo_id: str, *, tag: str, repo_type: str) -> None:
        self._call(f"untag {tag}", repo_id)
        error = RevisionNotFoundError.__new__(RevisionNotFoundError)
        raise error

    def create_tag(self, repo_id: str, *, tag: str, repo_type: str) -> None:
        self._call(f"tag {tag}", repo_id)


def test_a_new_repository_gets_the_folder_and_the_tag_that_lerobot_reads() -> None:
    hub = FakeHub([".gitattributes"])
    push(ROOT, "kim/lift", hub)  # type: ignore[arg-type]
    assert hub.calls == ["create", "list", "upload", "untag v3.0", "tag v3.0"]


def test_a_repository_that_holds_something_is_left_as_it_is() -> None:
    hub = FakeHub([".gitattributes", "data/chunk-000/file-000.parquet", "meta/info.json"])
    with pytest.raises(DatasetError, match=r"not empty .2 files.*complete in data/lift.*hf upload kim/lift"):
        push(ROOT, "kim/lift", hub)  # type: ignore[arg-type]
    assert hub.calls == ["create", "list"]


def test_a_hub_that_refuses_or_is_away_costs_nothing_but_the_upload() -> None:
    hub = FakeHub([], ConnectionError("name resolution failed"))
    with pytest.raises(
        DatasetError, match=r"ConnectionError: name resolution.*complete in data/lift.*auth login"
    ):
        push(ROOT, "kim/lift", hub)  # type: ignore[arg-type]
