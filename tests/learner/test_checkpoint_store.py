"""Checkpoints on disk: whole or not at all, the newest good one wins, the best one stays."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from workers.learner import checkpoint as checkpoint_module
from workers.learner.checkpoint import Checkpoint, LogPosition
from workers.learner.checkpoint_store import CheckpointStore, NoCheckpoint
from workers.learner.intake_order import IntakeMark


def make_checkpoint(step: int, mark: float = 0.0, policy_version: int = 0) -> Checkpoint:
    return Checkpoint(
        step=step,
        logs={"": LogPosition(10 * step, "00000000000000ab"), "arm-1": LogPosition(3)},
        intake=IntakeMark(size=20, crc32=7),
        settings_hash="abc",
        features_hash="def",
        counters={"env_steps": step, "policy_version": policy_version},
        rng=np.random.default_rng(step).bit_generator.state,
        tensors={
            "actor.weight": torch.full((4,), mark),
            "critics.weight": torch.full((2, 3), mark),
            "updates": torch.tensor([step, 0]),
        },
    )


def names(store: CheckpointStore) -> list[str]:
    return [path.name for path in store.paths()]


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    saved = make_checkpoint(7, mark=0.5)
    CheckpointStore(tmp_path).save(saved)
    loaded = CheckpointStore(tmp_path).load()
    assert loaded.tensors.keys() == saved.tensors.keys()
    assert all(torch.equal(loaded.tensors[name], tensor) for name, tensor in saved.tensors.items())
    for field in ("step", "logs", "intake", "settings_hash", "features_hash", "counters", "rng"):
        assert getattr(loaded, field) == getattr(saved, field)


@pytest.mark.parametrize("name", ["actor.safetensors", "state.safetensors", "manifest.json"])
def test_a_flipped_bit_anywhere_is_noticed(tmp_path: Path, name: str) -> None:
    store = CheckpointStore(tmp_path)
    path = store.save(make_checkpoint(1)) / name
    bits = 8 * path.stat().st_size
    for bit in np.random.default_rng(0).choice(bits, min(bits, 400), replace=False).tolist():
        flip(path, bit)
        with pytest.raises(NoCheckpoint, match=f"step-00000001: {name}"):
            store.load()
        flip(path, bit)
    assert store.load().step == 1


@pytest.mark.parametrize("damage", ["short", "long", "no manifest", "no file", "nan", "not accepted"])
def test_a_damaged_checkpoint_is_passed_over_and_named(tmp_path: Path, damage: str) -> None:
    store = CheckpointStore(tmp_path)
    store.save(make_checkpoint(1, mark=1.0))
    newest = store.save(make_checkpoint(2, mark=float("nan") if damage == "nan" else 2.0))
    file = newest / "actor.safetensors"
    match damage:
        case "short":
            os.truncate(file, file.stat().st_size - 1)
        case "long":
            file.write_bytes(file.read_bytes() + b"x")
        case "no manifest":
            (newest / "manifest.json").unlink()
        case "no file":
            file.unlink()

    def accept(checkpoint: Checkpoint) -> None:
        if damage == "not accepted" and checkpoint.step == 2:
            raise ValueError("actor.weight has shape [4] instead of [5]")

    loaded = store.load(accept)
    assert (loaded.step, loaded.tensors["actor.weight"].tolist()) == (1, [1.0] * 4)
    assert len(store.rejected) == 1
    assert "step-00000002: " in store.rejected[0]
    assert ("manifest.json" if damage == "no manifest" else "actor") in store.rejected[0]


def test_where_none_is_good_none_is_touched(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    for step in (5, 6, 7):
        (store.save(make_checkpoint(step)) / "manifest.json").unlink()
    for _ in range(2):
        with pytest.raises(NoCheckpoint, match=r"step-00000007: .*step-00000006: .*step-00000005: "):
            store.load()
    assert names(store) == ["step-00000005", "step-00000006", "step-00000007"]


def test_after_a_fall_back_the_next_checkpoints_count_from_there(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    for step in (4, 5, 6):
        store.save(make_checkpoint(step))
    for step in (5, 6):
        (tmp_path / f"step-{step:08d}" / "actor.safetensors").unlink()
    assert store.load().step == 4
    assert names(store) == ["step-00000004"]
    assert sorted(path.name for path in tmp_path.glob("damaged-*")) == [
        "damaged-step-00000005",
        "damaged-step-00000006",
    ]
    store.save(make_checkpoint(5, mark=3.0))
    assert store.load().tensors["actor.weight"].tolist() == [3.0] * 4


def test_at_least_three_are_kept_and_latest_names_the_newest(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path, keep=1)
    for step in range(1, 7):
        store.save(make_checkpoint(step))
    assert names(store) == ["step-00000004", "step-00000005", "step-00000006"]
    assert (tmp_path / "LATEST").read_text() == "step-00000006"
    assert {path.name for path in tmp_path.iterdir()} == {*names(store), "LATEST"}


def test_the_same_step_again_is_another_checkpoint(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    for mark in range(12):
        store.save(make_checkpoint(0, mark=mark))
    assert names(store) == ["step-00000000-9", "step-00000000-10", "step-00000000-11"]
    assert store.load().tensors["actor.weight"][0] == 11


def test_the_best_is_never_rotated_away(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    for step in range(1, 4):
        store.save(make_checkpoint(step, policy_version=10 * step))
    assert store.note_success(19, 18, 20) == tmp_path / "step-00000002"
    assert store.note_success(30, 1, 1) is None, "one lucky trial is no proof"
    for step in range(4, 9):
        store.save(make_checkpoint(step, policy_version=10 * step))
    assert names(store) == ["step-00000002", "step-00000006", "step-00000007", "step-00000008"]
    assert store.note_success(71, 20, 20) == tmp_path / "step-00000007"
    for step in range(9, 12):
        store.save(make_checkpoint(step))
    again = CheckpointStore(tmp_path)
    assert names(again)[0] == "step-00000007" and len(names(again)) == 4
    best = again.best()
    assert best is not None
    assert (best.checkpoint, best.policy_version, best.successes) == ("step-00000007", 71, 20)


def test_without_checkpoints_or_trials_nothing_is_best(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    assert store.note_success(1, 5, 5) is None
    store.save(make_checkpoint(1))
    assert store.note_success(1, 0, 0) is None
    assert store.best() is None


def test_a_half_written_checkpoint_is_never_taken_for_one_and_goes(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    store.save(make_checkpoint(1))
    (tmp_path / "step-00000002.tmp").mkdir()
    assert store.load().step == 1
    assert store.rejected == []
    store.save(make_checkpoint(3))
    assert not (tmp_path / "step-00000002.tmp").exists()


class Killed(BaseException):
    """The process is gone: nothing is cleaned up."""


FAULTS: dict[str, Callable[[], BaseException]] = {
    "full disk": lambda: OSError(28, "No space left on device"),
    "kill": Killed,
}


@contextmanager
def fault_at(count: int, fault: str, patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The call number `count` of those that reach the disk fails; the calls so far, by name."""
    calls: list[str] = []
    with patch.context() as patched:
        for name in ("open", "write", "fsync", "rename", "replace", "mkdir", "rmdir", "unlink"):
            plain = getattr(os, name)

            def faulty(*args: object, name: str = name, plain: Callable = plain, **options: object) -> object:
                calls.append(name)
                if len(calls) == count:
                    if name == "write":
                        plain(args[0], bytes(args[1])[: len(args[1]) // 2])
                    raise FAULTS[fault]()
                if len(calls) > count and fault == "kill":
                    raise Killed
                return plain(*args, **options)

            patched.setattr(os, name, faulty)
        yield calls


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_call_leaves_the_old_one_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    count, calls = 0, ["first"]
    seen: set[tuple[str, int]] = set()
    while len(calls) >= count:
        count += 1
        folder = tmp_path / str(count)
        store = CheckpointStore(folder)
        for step in (1, 2, 3):
            store.save(make_checkpoint(step, mark=step))
        store.note_success(0, 5, 5)
        with fault_at(count, fault, monkeypatch) as calls:
            try:
                store.save(make_checkpoint(4, mark=4.0))
            except (OSError, Killed):
                seen.add((calls[count - 1], CheckpointStore(folder).load().step))
        after = CheckpointStore(folder)
        loaded = after.load()
        assert loaded.step in (3, 4) and after.rejected == []
        assert loaded.tensors["actor.weight"].tolist() == [float(loaded.step)] * 4
        assert (folder / "LATEST").read_text() in ("step-00000003", "step-00000004")
        after.save(make_checkpoint(5, mark=5.0))
        assert after.load().step == 5
        assert not [*folder.glob("*.tmp")]
    assert {name for name, _ in seen} >= {"open", "write", "fsync", "rename", "replace", "mkdir"}
    assert {step for _, step in seen} == {3, 4}


@pytest.mark.parametrize("failing", ["fsync", "rename"])
def test_a_disk_that_fails_while_saving_is_said_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    store = CheckpointStore(tmp_path)
    store.save(make_checkpoint(1))

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os if failing == "fsync" else Path, failing, fail)
        store.save_async(make_checkpoint(2))
        store.wait()
    assert "earlier ones are intact" in store.error
    assert CheckpointStore(tmp_path).load().step == 1
    store.save_async(make_checkpoint(3))
    store.wait()
    assert store.error == ""


@pytest.mark.parametrize("error", [MemoryError(), SafetensorError("too large")])
def test_whatever_keeps_a_checkpoint_from_being_written_is_said_and_the_next_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    store = CheckpointStore(tmp_path)

    def fail(*_: object) -> bytes:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint_module, "save", fail)
        store.save_async(make_checkpoint(1))
        store.wait()
    assert (str(error) or "MemoryError") in store.error
    assert [record.getMessage() for record in caplog.records] == [store.error]
    assert list(tmp_path.iterdir()) == []
    store.save_async(make_checkpoint(2))
    store.wait()
    assert store.error == ""
    assert names(store) == ["step-00000002"]


def test_what_a_checkpoint_counts_on_is_on_disk_first(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)

    def fail() -> None:
        raise OSError(5, "Input/output error")

    store.save_async(make_checkpoint(1), prepare=fail)
    store.wait()
    assert "Input/output error" in store.error
    assert names(store) == []


def test_nothing_to_resume_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoCheckpoint, match="no checkpoint in"):
        CheckpointStore(tmp_path / "none").load()


def test_moved_aside_is_kept_and_counted(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "checkpoints")
    assert store.move_aside() is None
    for number in (1, 2):
        store.save(make_checkpoint(number))
        assert store.move_aside() == tmp_path / f"checkpoints.before-{number}"
        assert store.paths() == []
    assert CheckpointStore(tmp_path / "checkpoints.before-2").load().step == 2


def test_the_manifest_is_plain_json_that_says_what_must_be_there(tmp_path: Path) -> None:
    path = CheckpointStore(tmp_path).save(make_checkpoint(5))
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["format"] == 2
    assert manifest["logs"][""] == {"records": 50, "epoch": "00000000000000ab"}
    assert {name: (path / name).stat().st_size for name in manifest["files"]} == {
        name: proof["size"] for name, proof in manifest["files"].items()
    }
    assert {"actor.safetensors", "critics.safetensors", "state.safetensors"} == manifest["files"].keys()
    assert manifest["versions"].keys() == {"hilserl-tui", "torch"}
    assert {child.stat().st_mode & 0o777 for child in path.iterdir()} == {0o600}
