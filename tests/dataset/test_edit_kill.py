"""Whenever an edit is killed there is the dataset before it or after it, and the next edit goes on from there."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.dataset.demonstrated import make
from tests.dataset.made import tree
from tests.dataset.test_edit import assert_sound, states
from workers.dataset.edit import delete, merge, relabel, undo

FIRST, SECOND, THIRD = [0, 1], [100, 101], [200, 201]


@pytest.mark.parametrize(("change", "steps"), [("delete", 2), ("undo", 1)])
def test_any_moment_leaves_the_old_or_the_new_dataset(tmp_path: Path, change: str, steps: int) -> None:
    killed_after(tmp_path, change, "one_step", steps)


@pytest.mark.slow
@pytest.mark.parametrize("swap", ["one_step", "two_steps"])
@pytest.mark.parametrize("change", ["delete", "undo", "merge", "compact"])
def test_every_moment_leaves_the_old_or_the_new_dataset(tmp_path: Path, change: str, swap: str) -> None:
    killed_after(tmp_path, change, swap, steps=1)


def killed_after(tmp_path: Path, change: str, swap: str, steps: int) -> None:
    """Every so many steps on the disk a copy of its own is killed, looked at and gone on with."""
    start = tmp_path / "start"
    root = make(start / "set", [2, 2], video=change == "compact", named="log")
    make(start / "other", [2], named="other", first=2)
    old, new = (
        [FIRST, SECOND],
        {"delete": [SECOND], "merge": [FIRST, SECOND, THIRD]}.get(change, [FIRST, SECOND]),
    )
    if change == "undo":
        delete(root, [0])
        old, new = [SECOND], [FIRST, SECOND]
    command = [sys.executable, "-m", "tests.dataset.kill_edit", str(root), str(tmp_path / "moments")]
    subprocess.run([*command, change, swap, str(steps)], check=True, timeout=100)
    seen = []
    for folder in sorted((tmp_path / "moments").iterdir(), key=lambda path: int(path.name)):
        if swap == "one_step":
            assert states(folder / "set") in (old, new), f"killed at {folder.name}, before anything mends it"
        relabel(folder / "set", [0], reward=0.5)
        seen.append(states(folder / "set"))
        assert (
            sorted(path.name for path in (folder / ".set.undo").iterdir() if path.name.count(".") > 1) == []
        )
    assert len(seen) >= 4 and seen[0] == old and seen[-1] == new
    assert seen == sorted(seen, key=[old, new].index), "first the old one, from some moment on the new one"
    assert_sound(folder / "set")


def test_what_was_swapped_when_a_kill_came_can_be_undone(tmp_path: Path) -> None:
    root = make(tmp_path / "set", [2, 2])
    before = tree(root)
    delete(root, [0])
    (tmp_path / ".set.undo/0001").rename(
        tmp_path / f".set.undo/0001.making.{inode(tmp_path / '.set.undo/0001')}"
    )
    undo(root)
    assert tree(root) == before


def test_a_merge_into_a_new_folder_is_there_or_not(tmp_path: Path) -> None:
    one, two = make(tmp_path / "one", [2]), make(tmp_path / "two", [2], first=1)
    (tmp_path / "all").mkdir()
    left = tmp_path / f".all.undo/0001.making.{inode(tmp_path / 'all')}"
    left.mkdir(parents=True)
    (left / "half").touch()
    merge(tmp_path / "all", [one, two])
    assert states(tmp_path / "all") == [FIRST, SECOND]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "one", "two"]


def inode(path: Path) -> int:
    return path.stat().st_ino
