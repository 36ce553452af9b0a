"""An upload writes over nothing unasked, a download is whole or none; whoever is refused knows what to do.

The hub is one of our own, on this machine; the client is the real one.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from tests.dataset.demonstrated import CAMERA, make
from tests.dataset.hub_server import Hub, serving
from tests.dataset.made import tree
from workers.dataset.edit import delete, undo
from workers.dataset.errors import DatasetError
from workers.dataset.fetch import fetch
from workers.dataset.hub import push
from workers.dataset.notes import fetched_from, read_notes
from workers.dataset.reader import Dataset

NAME = "kim/lift"
VIDEO = f"videos/{CAMERA}/chunk-000/file-000.mp4"


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def api(hub: Hub) -> Iterator[HfApi]:
    with serving(hub) as client:
        yield client


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "set", [3, 4], video=True, named="log")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where LeRobot keeps datasets."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    return tmp_path / "home"


# upload


def test_a_new_repository_gets_the_dataset_a_card_and_the_tag_that_lerobot_reads(
    hub: Hub, api: HfApi, root: Path
) -> None:
    before = tree(root)
    (root / "data/chunk-000/file-002.parquet.hilserl-part").touch()
    push(root, NAME, api)
    there = hub.repos[NAME]
    assert {name: data for name, data in there.items() if name in before} == before
    assert there.keys() - before.keys() == {".gitattributes", "README.md"}
    assert b"- LeRobot" in there["README.md"]
    assert hub.tags[NAME] == {"v3.0": hub.head(NAME)}


def test_a_dataset_that_was_gone_on_with_goes_on_there_too(hub: Hub, api: HfApi, root: Path) -> None:
    push(root, NAME, api)
    make(root, [5], video=True, named="log", first=2)
    push(root, NAME, api)
    make(root, [6], video=True, named="log", first=3)
    hub.repos[NAME]["notes.txt"] = b"somebody else's"
    with pytest.raises(DatasetError, match="total_episodes: 4 here, 3 there"):
        push(root, NAME, api)


def test_what_is_on_the_hub_is_left_as_it_is_and_told_apart(hub: Hub, api: HfApi, root: Path) -> None:
    push(root, NAME, api)
    before, tag = dict(hub.repos[NAME]), dict(hub.tags[NAME])
    assert read_notes(root).pushed == {NAME: hub.head(NAME)}
    delete(root, [0])
    with pytest.raises(DatasetError) as refused:
        push(root, NAME, api)
    assert str(refused.value).splitlines()[1:] == [
        "  total_episodes: 1 here, 2 there", "  total_frames: 4 here, 7 there",
    ]  # fmt: skip
    assert "--replace" in str(refused.value)
    assert (hub.repos[NAME], hub.tags[NAME]) == (before, tag)


def test_a_repository_with_something_else_is_left_as_it_is(hub: Hub, api: HfApi, root: Path) -> None:
    hub.add(NAME, {"thesis.tex": b"\\documentclass", ".gitattributes": b""})
    with pytest.raises(
        DatasetError, match=r"no dataset of LeRobot's there, but 1 files \(thesis.tex first\)"
    ):
        push(root, NAME, api)
    assert hub.repos[NAME] == {"thesis.tex": b"\\documentclass", ".gitattributes": b""}


def test_replacing_leaves_no_file_of_the_dataset_before(hub: Hub, api: HfApi, root: Path) -> None:
    push(root, NAME, api)
    hub.repos[NAME]["notes.txt"] = b"mine"
    delete(root, [0])
    edited = tree(root)
    push(root, NAME, api, replace=True)
    there = dict(hub.repos[NAME])
    assert there.pop("notes.txt") == b"mine" and there.pop("README.md") and there.pop(".gitattributes") == b""
    assert there == edited
    assert hub.tags[NAME] == {"v3.0": hub.head(NAME)}


def test_a_dataset_that_is_not_whole_is_not_uploaded(hub: Hub, api: HfApi, root: Path) -> None:
    (root / VIDEO).unlink()
    with pytest.raises(DatasetError, match=r"file-000.mp4 is missing"):
        push(root, NAME, api)
    assert hub.repos == {}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, r"does not know you.*hf auth login.*may write to it"),
        (403, r"does not let you write to it.*hf auth login"),
        (404, r"no such dataset"),
        (503, r"trouble of its own \(HTTP 503\): do it again later"),
    ],
)
def test_a_hub_that_refuses_costs_nothing_but_the_upload(
    hub: Hub, api: HfApi, root: Path, home: Path, status: int, words: str
) -> None:
    hub.failing["/preupload/"] = status
    with pytest.raises(
        DatasetError, match=rf"could not be uploaded to {NAME}: .*{words}.*complete in {root}"
    ):
        push(root, NAME, api)


def test_a_hub_that_is_away_costs_nothing_but_the_upload(hub: Hub, root: Path, home: Path) -> None:
    with serving(hub) as api:
        pass
    with pytest.raises(
        DatasetError, match=rf"cannot be reached \(ConnectError.*check the network.*complete in {root}"
    ):
        push(root, NAME, api)
    with pytest.raises(DatasetError, match=r"could not be downloaded: the hub cannot be reached"):
        fetch(NAME, api=api)


# download


def test_what_was_uploaded_comes_back_where_lerobot_looks_for_it(
    hub: Hub, api: HfApi, root: Path, home: Path
) -> None:
    push(root, NAME, api)
    assert fetch(NAME, api=api) == home / NAME
    came, sent = tree(home / NAME), tree(root)
    assert read_notes(home / NAME) == read_notes(root)
    notes, before = (json.loads(files.pop("meta/hilserl.json")) for files in (came, sent))
    del came["README.md"]
    assert came == sent
    del notes["hub"]
    assert fetched_from(home / NAME) == (NAME, hub.tags[NAME]["v3.0"])
    assert notes == before
    assert sorted(path.name for path in (home / "kim").iterdir()) == ["lift"]


def test_the_revision_decides_and_is_pinned(hub: Hub, api: HfApi, root: Path, home: Path) -> None:
    old = hub.add(NAME, tree(root), "v3.0")
    delete(root, [0])
    new = hub.add(NAME, tree(root))
    assert len(Dataset(fetch(NAME, api=api)).episodes) == 2, "the tag, not main"
    assert len(Dataset(fetch(NAME, new, home / "new", api)).episodes) == 1
    assert len(Dataset(fetch(NAME, "main", home / "main", api)).episodes) == 1
    hub.failing["."] = 500
    assert fetch(NAME, old, api=api) == home / NAME, "a commit that is here needs no hub"


def test_an_older_format_is_downloaded_too(hub: Hub, api: HfApi, home: Path) -> None:
    files = {
        "meta/info.json": json.dumps(
            {
                "codebase_version": "v2.1", "fps": 10, "features": {}, "total_episodes": 0, "total_frames": 0,
                "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
            }
        ).encode(),
        "meta/tasks.jsonl": b"", "meta/episodes.jsonl": b"",
    }  # fmt: skip
    hub.add(NAME, files, "v2.1")
    assert Dataset(fetch(NAME, api=api)).info.codebase_version == "v2.1"


def test_a_download_that_breaks_off_is_no_dataset_and_goes_on(
    hub: Hub, api: HfApi, root: Path, home: Path
) -> None:
    push(root, NAME, api)
    hub.cut["file-001.mp4"] = 100
    with pytest.raises(DatasetError, match=r"not be downloaded to its end.*goes on from there"):
        fetch(NAME, api=api)
    assert not (home / NAME).exists()
    hub.cut.clear()
    hub.served.clear()
    fetch(NAME, api=api)
    assert hub.served == [f"videos/{CAMERA}/chunk-000/file-001.mp4"], "the rest was there"
    assert len(Dataset(home / NAME).episodes) == 2


def test_a_hub_that_stops_answering_leaves_no_dataset(hub: Hub, api: HfApi, root: Path, home: Path) -> None:
    push(root, NAME, api)
    hub.failing["/resolve/"] = hub.failing["/tree/"] = 503
    with pytest.raises(DatasetError, match=r"not be downloaded to its end|did not come to its end"):
        fetch(NAME, api=api)
    assert not (home / NAME).exists()


def test_a_damaged_file_is_noticed_and_brought_again(hub: Hub, api: HfApi, root: Path, home: Path) -> None:
    push(root, NAME, api)
    hub.cut["file-001.mp4"] = 100
    with pytest.raises(DatasetError):
        fetch(NAME, api=api)
    hub.cut.clear()
    here = next((home / "kim").glob(f".lift.fetch-*/{VIDEO}"))
    here.write_bytes(bytes(here.stat().st_size))
    with pytest.raises(DatasetError, match=r"1 of \d+ files are missing or damaged .*file-000.mp4"):
        fetch(NAME, api=api)
    assert (fetch(NAME, api=api) / VIDEO).read_bytes() == (root / VIDEO).read_bytes()


def test_a_dataset_that_is_here_is_not_written_over(hub: Hub, api: HfApi, root: Path, home: Path) -> None:
    push(root, NAME, api)
    make(home / NAME, [5])
    before = tree(home / NAME)
    with pytest.raises(
        DatasetError, match=r"another dataset \(1 episode, recorded or edited here\).*--replace"
    ):
        fetch(NAME, api=api)
    assert tree(home / NAME) == before
    fetch(NAME, api=api, replace=True)
    assert len(Dataset(home / NAME).episodes) == 2
    undo(home / NAME)
    assert tree(home / NAME) == before


def test_a_download_that_was_edited_is_not_written_over(hub: Hub, api: HfApi, root: Path, home: Path) -> None:
    push(root, NAME, api)
    delete(fetch(NAME, api=api), [0])
    with pytest.raises(DatasetError, match=r"1 episode, recorded or edited here"):
        fetch(NAME, api=api)
    assert len(Dataset(home / NAME).episodes) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "hf auth login.*may read it"), (403, "ask its owner for access"), (502, "trouble of its own")],
)
def test_a_hub_that_refuses_a_download_says_why(
    hub: Hub, api: HfApi, home: Path, status: int, words: str
) -> None:
    hub.failing["."] = status
    with pytest.raises(
        DatasetError, match=rf"{NAME} could not be downloaded: .*{words}.*Nothing here was changed"
    ):
        fetch(NAME, api=api)


def test_what_is_not_on_the_hub_is_named(hub: Hub, api: HfApi, root: Path, home: Path) -> None:
    with pytest.raises(DatasetError, match=r"no such dataset, or it is private"):
        fetch(NAME, api=api)
    hub.add(NAME, {"model.safetensors": b""})
    with pytest.raises(DatasetError, match=r"no dataset of LeRobot's: it has no meta/info.json \(main\)"):
        fetch(NAME, api=api)
    with pytest.raises(DatasetError, match="no such revision"):
        fetch(NAME, "v9", api=api)


def test_a_dataset_that_does_not_fit_on_the_disk_is_not_begun(
    hub: Hub, api: HfApi, root: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(root, NAME, api)
    usage = type("Usage", (), {"free": 2**10})
    monkeypatch.setattr("workers.dataset.fetch.shutil.disk_usage", lambda _: usage)
    with pytest.raises(DatasetError, match="does not fit on the disk"):
        fetch(NAME, api=api)
    assert not hub.served


def test_a_dataset_that_is_damaged_on_the_hub_is_none(hub: Hub, api: HfApi, root: Path, home: Path) -> None:
    files = tree(root)
    del files[VIDEO]
    hub.add(NAME, files, "v3.0")
    with pytest.raises(DatasetError, match=r"damaged on the hub itself.*file-000.mp4 is missing"):
        fetch(NAME, api=api)
    assert not (home / NAME).exists()
