"""`hilserl-worker dataset`: what it prints, what it asks, and with which code it ends."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.dataset.demonstrated import CAMERA, make
from tests.dataset.hub_server import Hub, serving
from tests.dataset.made import tree
from workers import dataset_commands
from workers.cli import app
from workers.dataset.reader import Dataset


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path / "kim" / "lift", [5, 7, 4], named="log")


def run(*arguments: object, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["dataset", *map(str, arguments)], input=answer)


def lengths(root: Path) -> list[int]:
    return [episode.length for episode in Dataset(root).episodes]


def test_info_says_what_is_in_a_dataset(root: Path) -> None:
    (root / "meta/crop_params.json").write_text(json.dumps({CAMERA: [4, 8, 20, 20]}))
    lines = run("info", root).stdout.splitlines()
    assert lines[:7] == [
        str(root),
        "  version       v3.0, so101",
        "  episodes      3, 16 frames at 10 Hz (2 s)",
        "  successes     2 of 3",
        "  interventions 7 frames in 3 episodes",
        "  tasks         lift (3)",
        f"  size          {sum(map(len, tree(root).values())) / 1e6:.1f} MB",
    ]
    assert (
        lines[7] == f"  cameras       {CAMERA}: 48x32 png, cropped (top, left, height, width) (4, 8, 20, 20)"
    )
    found = json.loads(run("info", root, "--json").stdout)
    assert (found["episodes"], found["frames"], found["successes"]) == (3, 16, 2)
    assert found["cameras"] == {CAMERA: {"width": 48, "height": 32, "storage": "png", "crop": [4, 8, 20, 20]}}
    assert found["features"]["observation.state"] == "float32 [3] (x, y, z)"


def test_a_dataset_can_be_named_as_lerobot_does(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(root.parents[1]))
    assert run("info", "kim/lift").stdout.splitlines()[0] == str(root)


def test_a_check_ends_with_what_is_wrong(root: Path) -> None:
    assert run("check", root).stdout == f"nothing is wrong with {root}\n"
    assert run("check", root, "--json").stdout == "[]\n"
    info = json.loads((root / "meta/info.json").read_bytes())
    (root / "meta/info.json").write_text(json.dumps(info | {"total_frames": 99}))
    found = run("check", root)
    assert found.exit_code == 1 and "meta/info.json counts 99 frames, 16 are listed" in found.stdout
    told = json.loads(run("check", root, "--json", "--no-pictures").stdout)
    assert told[0]["kind"] == "counts" and told[0]["mendable"] is True


def test_a_repair_can_be_undone(root: Path) -> None:
    info = json.loads((root / "meta/info.json").read_bytes())
    (root / "meta/info.json").write_text(json.dumps(info | {"total_frames": 99}))
    broken = tree(root)
    done = run("repair", root, answer="y\n")
    assert done.exit_code == 0 and f"the version before is in {root.with_name('.lift.undo')}" in done.stdout
    assert run("check", root).exit_code == 0
    assert run("undo", root, "--yes").exit_code == 0
    assert tree(root) == broken


def test_episodes_are_relabelled_trimmed_merged_and_deleted(root: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other", [3], named="other")
    for arguments, words in (
        (("relabel", root, "-e", "0,2", "--failure"), "relabelled episodes 0, 2: failure"),
        (("relabel", root, "-e", "1", "--reward", "0.5", "--frames", "2-3"), "frames 2 to 3: reward 0.5"),
        (("trim", root, "-e", "1", "--start", "1", "--end", "2", "-y"), "episode 1 to frames 1 to 4 of 7"),
        (("merge", root, other), f"merged with {other}"),
        (("delete", root, "-e", "0,2-3", "-y"), "deleted episodes 0, 2, 3"),
    ):
        done = run(*arguments)
        assert done.exit_code == 0 and words in done.stdout, done.output
        assert f"the version before is in {root.with_name('.lift.undo')}" in done.stdout
    assert lengths(root) == [4]
    assert Dataset(root).frames(0)["next.reward"].tolist() == [0, 0.5, 0.5, 0]
    for _ in range(5):
        assert run("undo", root, "-y").stdout.startswith("undone: ")
    assert lengths(root) == [5, 7, 4]


@pytest.mark.parametrize("answer", ["n\n", "", None])
def test_nothing_is_deleted_without_a_yes(root: Path, answer: str | None) -> None:
    before = tree(root)
    for command in (("delete", root, "-e", "0"), ("trim", root, "-e", "0", "--start", "1"), ("undo", root)):
        refused = run(*command, answer=answer)
        assert refused.exit_code == 1 and "nothing was changed" in refused.stderr
    assert tree(root) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("delete", "-e", "two"), ("delete", "-e", "7-5"), ("delete",), ("relabel", "-e", "1"), ("trim", "-e", "1"),
        ("relabel", "-e", "1", "--success", "--frames", "1-2,5"), ("push",), ("mend",),
    ],
)  # fmt: skip
def test_what_is_not_understood_ends_with_2(root: Path, arguments: tuple[str, ...]) -> None:
    assert run(arguments[0], root, *arguments[1:]).exit_code == 2
    assert lengths(root) == [5, 7, 4]


def test_what_cannot_be_done_ends_with_1_and_a_sentence(root: Path, tmp_path: Path) -> None:
    for arguments, words in (
        (("info", tmp_path / "nothing"), "there is no dataset in"),
        (("check", tmp_path / "nothing"), "there is no dataset in"),
        (("delete", root, "-e", "3", "-y"), "no episode 3"),
        (("undo", root, "-y"), "nothing was changed in"),
    ):
        refused = run(*arguments)
        assert refused.exit_code == 1 and words in refused.stderr, refused.output
        assert "Traceback" not in refused.output


def test_a_dataset_goes_to_the_hub_and_comes_back(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    with serving(hub) as api:
        monkeypatch.setattr("workers.dataset.hub.HfApi", lambda: api)
        monkeypatch.setattr("workers.dataset.fetch.HfApi", lambda: api)
        assert "is on the hub as kim/lift\n" in run("push", root, "--to", "kim/lift").stdout
        assert run("relabel", root, "-e", "0", "--failure").exit_code == 0
        refused = run("push", root, "--to", "kim/lift")
        assert refused.exit_code == 1 and "is not empty" in refused.stderr
        assert run("push", root, "--to", "kim/lift", "--replace", answer="n\n").exit_code == 1
        assert run("push", root, "--to", "kim/lift", "--replace", "-y").exit_code == 0
        there = tmp_path / "there"
        assert run("fetch", "kim/lift", "--to", there).stdout == f"kim/lift is in {there}\n"
    assert lengths(there) == [5, 7, 4]
    assert "fetched       kim/lift at" in run("info", there).stdout


def test_the_version_before_is_named_as_the_dataset_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    assert "is in .lift.undo/0001 (" in run("delete", "lift", "-e", "0", "-y").stdout
    monkeypatch.chdir(root)
    assert f"is in {root.with_name('.lift.undo')}/0002 (" in run("delete", ".", "-e", "0", "-y").stdout
    (root.parent / "link").symlink_to(root)
    monkeypatch.chdir(root.parent)
    assert run("undo", "link", "-y").exit_code == 0
    assert lengths(root) == [7, 4] and (root.parent / "link").is_symlink()


def test_what_takes_long_says_how_far_it_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_commands, "_QUIET_S", 0.02)
    done = run("relabel", root, "-e", "0", "--failure")
    assert "relabelling..." in done.stderr and "relabelled" in done.stdout
