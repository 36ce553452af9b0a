"""Rewriting a user's file: comments stay, the old file stays, and what cannot be done changes nothing."""

import os
from pathlib import Path

import pytest

from workers.config import ConfigError, load, load_document
from workers.config.ready import ready_config
from workers.config.rewrite import difference, rewrite, with_new_values

BOUNDS = ("env", "processor", "inverse_kinematics", "end_effector_bounds")
VALUES = {
    (*BOUNDS, "min"): [0.1, -0.1, 0.01],
    (*BOUNDS, "max"): [0.3, 0.1, 0.2],
    ("env", "robot", "joint_limits_deg", "shoulder_pan"): [-20.5, 30.0],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "task.toml"
    made.write_text(ready_config().read_text())
    return made


def comments(text: str) -> list[str]:
    return [line.split("#", 1)[1] for line in text.splitlines() if "#" in line]


def test_new_values_are_in_the_file_its_comments_too_and_the_old_file_beside_it(path: Path) -> None:
    path.chmod(0o640)
    document = load_document(path)
    kept = rewrite(path, document.text, with_new_values(document, VALUES))
    config = load(path)
    assert config.env.workspace.end_effector_bounds.min == (0.1, -0.1, 0.01)
    assert config.env.arm.joint_limits_deg == {"shoulder_pan": (-20.5, 30.0)}
    assert comments(path.read_text()) == comments(document.text)
    assert kept == path.with_name("task.toml.before") and kept.read_text() == document.text
    assert path.stat().st_mode & 0o777 == kept.stat().st_mode & 0o777 == 0o640
    assert sorted(found.name for found in path.parent.iterdir()) == ["task.toml", "task.toml.before"]


def test_no_kept_file_is_lost(path: Path) -> None:
    first = load_document(path)
    rewrite(path, first.text, with_new_values(first, VALUES))
    second = load_document(path)
    assert rewrite(path, second.text, first.text).name == "task.toml.before.1"
    assert path.with_name("task.toml.before").read_text() == path.read_text() == first.text


@pytest.mark.parametrize(
    "table",
    [
        "[env.processor.inverse_kinematics.end_effector_bounds]\nmin = [0.18, -0.12, 0.012] # low\n"
        "max = [0.32, 0.12, 0.16]\n",
        "[env.processor.inverse_kinematics]\nend_effector_bounds.min = [0.18, -0.12, 0.012] # low\n"
        "end_effector_bounds.max = [\n  0.32, # far\n  0.12, 0.16\n]\n",
    ],
    ids=["a table of its own", "dotted keys"],
)
def test_bounds_are_found_however_they_are_written(path: Path, table: str) -> None:
    lines = ready_config().read_text().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("[env.processor.inverse_kinematics]"))
    end = next(i for i in range(start + 1, len(lines)) if lines[i].startswith("["))
    path.write_text("".join([*lines[:start], table, "\n", *lines[end:]]))
    document = load_document(path)
    rewrite(path, document.text, with_new_values(document, VALUES))
    assert load(path).env.workspace.end_effector_bounds.max == (0.3, 0.1, 0.2)
    assert "# low" in path.read_text()


def test_the_difference_names_the_lines_and_shows_both_sides() -> None:
    assert difference("a\nb\nc\n", "a\nB\nc\nd\n") == ("line 2", "-b", "+B", "line 4", "+d")
    assert difference("same\n", "same\n") == ()


def refused(path: Path, before: str, after: str = "x = 1\n") -> str:
    names, text = {found.name for found in path.parent.iterdir()}, path.read_bytes()
    with pytest.raises(ConfigError) as error:
        rewrite(path, before, after)
    assert {found.name for found in path.parent.iterdir()} >= names and path.read_bytes() == text
    return str(error.value)


def test_a_file_that_changed_meanwhile_is_left_alone(path: Path) -> None:
    before = path.read_text()
    path.write_text(before + "\n# mine\n")
    assert "has changed since it was read" in refused(path, before)


def test_a_read_only_file_is_left_alone(path: Path) -> None:
    path.chmod(0o444)
    assert "is read-only" in refused(path, path.read_text()) and not list(path.parent.glob("*.before"))


def test_a_full_disk_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device; nothing was changed" in refused(path, path.read_text())
    assert not list(path.parent.glob("*.new"))


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = folder / "link.toml"
    link.symlink_to(path)
    kept = rewrite(link, path.read_text(), "x = 1\n")
    assert link.is_symlink() and path.read_text() == "x = 1\n" and kept.exists()


def test_values_that_the_schema_refuses_are_not_written(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"z: only 1\.0 cm wide"):
        with_new_values(load_document(path), {(*BOUNDS, "max"): [0.32, 0.12, 0.022]})
