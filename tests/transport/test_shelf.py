"""The policy shelf: parts whole or not at all, the newest versions, one frozen part for ever."""

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from workers.transport import shelf as shelf_module
from workers.transport.shelf import KEPT, PolicyShelf


@pytest.fixture
def shelf(tmp_path: Path) -> PolicyShelf:
    return PolicyShelf(tmp_path / "policy")


def weights(value: float) -> dict[str, torch.Tensor]:
    return {"actor.mean.bias": torch.full((4,), value)}


def test_a_version_comes_back_as_it_was_laid_down(shelf: PolicyShelf) -> None:
    shelf.publish(7, weights(2.5))
    data = shelf.read(7)
    assert data is not None
    torch.testing.assert_close(load(data), weights(2.5))
    other = PolicyShelf(shelf._directory.with_name("remote"))
    other.put(7, data)
    assert other.read(7) == data


def test_the_newest_versions_are_kept_and_an_older_one_reads_as_gone(shelf: PolicyShelf) -> None:
    for version in range(1, 7):
        shelf.publish(version, weights(version))
    assert shelf.versions() == [4, 5, 6][-KEPT:]
    assert shelf.read(1) is None


def test_a_write_that_fails_half_way_leaves_what_was_there(
    shelf: PolicyShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put(3, b"whole")

    def no_space(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shelf_module.os, "fsync", no_space)
        with pytest.raises(OSError, match="No space"):
            shelf.put(3, b"torn")
        with pytest.raises(OSError, match="No space"):
            shelf.put(4, b"torn")
    assert (shelf.versions(), shelf.read(3)) == ([3], b"whole")
    shelf.put(4, b"next")
    assert shelf.read(4) == b"next"


def test_only_the_owner_reads_the_files_whatever_the_umask(shelf: PolicyShelf) -> None:
    before = os.umask(0)
    try:
        shelf.publish(1, weights(1))
        shelf.publish_frozen({"encoder.backbone.weight": torch.ones(2)})
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in shelf._directory.iterdir()} == {0o600}


def test_the_frozen_part_is_laid_down_once_and_outlives_the_versions(shelf: PolicyShelf) -> None:
    frozen = {"encoder.backbone.weight": torch.arange(6.0)}
    digest = shelf.publish_frozen(frozen)
    (path,) = shelf._directory.glob("frozen-*")
    written = path.stat()
    for version in range(1, 7):
        shelf.publish(version, weights(version))
        assert shelf.publish_frozen(frozen) == digest
    found = shelf.frozen()
    assert found is not None
    assert (found[0], sha256(found[1]).hexdigest()) == (digest, digest)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_a_damaged_frozen_part_counts_as_missing_and_is_replaced(shelf: PolicyShelf) -> None:
    assert shelf.frozen() is None
    frozen = {"encoder.backbone.weight": torch.arange(6.0)}
    digest = shelf.publish_frozen(frozen)
    (path,) = shelf._directory.glob("frozen-*")
    path.write_bytes(path.read_bytes()[:-1])
    assert shelf.frozen() is None
    assert shelf.publish_frozen(frozen) == digest
    found = shelf.frozen()
    assert found is not None and found[0] == digest


def test_the_two_newest_frozen_parts_are_kept(shelf: PolicyShelf) -> None:
    for value in (1, 2, 3, 4):
        shelf.publish_frozen(weights(value))
    assert len(list(shelf._directory.glob("frozen-*"))) == 2
    digest = shelf.publish_frozen(weights(3))  # the one before comes back
    assert shelf.frozen_sha256() == digest
    found = shelf.frozen()
    assert found is not None
    torch.testing.assert_close(load(found[1]), weights(3))


def test_the_frozen_part_is_read_again_only_when_its_file_is_another(
    shelf: PolicyShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = shelf.publish_frozen(weights(1))
    assert shelf.frozen_sha256() == digest
    reads: list[Path] = []
    real = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (reads.append(path), real(path))[1])
    assert [shelf.frozen_sha256() for _ in range(3)] == [digest] * 3
    assert reads == []
    (path,) = shelf._directory.glob("frozen-*")
    path.write_bytes(b"damaged")
    assert shelf.frozen_sha256() is None
    assert len(reads) == 1


def test_a_frozen_part_with_another_hash_is_not_taken(shelf: PolicyShelf) -> None:
    with pytest.raises(ValueError, match="hash"):
        shelf.put_frozen(sha256(b"one").hexdigest(), b"another")
    assert shelf.frozen() is None
