"""Where policies lie for an actor on the same machine: laid down by the learner, or by the link to one elsewhere.

A policy is two files: the trained part, one for each version, and the frozen part, a vision backbone that
never changes and is therefore laid down once. Both are safetensors, written aside and renamed: a reader sees a
file whole or not at all, also after a power cut. Files are readable by their owner only.
"""

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch takes seconds to import, and the link only moves bytes
    from torch import Tensor

KEPT = 3  # the actor may be reading an older one while a newer arrives
FROZEN_KEPT = 2
_DESCRIPTION = "settings.json"
_HASH_DIGITS = 16  # of the frozen part's name; what is read is compared with all that the name tells


class PolicyShelf:
    """Files `policy-<version>.safetensors` and `frozen-<hash>.safetensors` in one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._frozen_known: tuple[tuple[str, int, int], str | None] | None = None  # of which file, its hash
        directory.mkdir(parents=True, exist_ok=True)

    def publish(self, version: int, tensors: "Mapping[str, Tensor]") -> None:
        """Lay down the trained part of a version. Raises OSError."""
        from safetensors.torch import save

        self.put(version, save(dict(tensors)))

    def put(self, version: int, data: bytes) -> None:
        """Lay down the trained part of a version as safetensors bytes. Raises OSError."""
        _write(self._path(version), data)
        for old in self.versions()[:-KEPT]:
            self._path(old).unlink(missing_ok=True)

    def read(self, version: int) -> bytes | None:
        """The safetensors bytes of a version; None when it is no longer there (a newer one is)."""
        try:
            return self._path(version).read_bytes()
        except FileNotFoundError:
            return None

    def files(self, version: int, frozen: bool) -> list[Path]:
        """The files of a version, its frozen part first if asked for and there; empty when it is gone."""
        trained = self._path(version)
        parts = [*(self._frozen_paths()[-1:] if frozen else []), trained]
        return parts if trained.exists() else []

    def versions(self) -> list[int]:
        """Versions on the shelf, oldest first."""
        return sorted(int(path.stem.split("-")[1]) for path in self._directory.glob("policy-*.safetensors"))

    def publish_frozen(self, tensors: "Mapping[str, Tensor]") -> str:
        """Lay down the frozen part unless it is there; its SHA-256 in hexadecimal. Raises OSError."""
        from safetensors.torch import save

        data = save(dict(tensors))
        digest = sha256(data).hexdigest()
        self.put_frozen(digest, data)
        return digest

    def put_frozen(self, sha256_hex: str, data: bytes) -> None:
        """Lay down the frozen part unless it is there.

        Raises OSError, and ValueError when `data` has another hash.
        """
        if sha256(data).hexdigest() != sha256_hex:
            raise ValueError(f"the frozen part of the policy does not have the hash {sha256_hex}")
        if self.frozen_sha256() != sha256_hex:
            _write(self._directory / f"frozen-{sha256_hex[:_HASH_DIGITS]}.safetensors", data)
        for old in self._frozen_paths()[:-FROZEN_KEPT]:
            old.unlink(missing_ok=True)

    def frozen(self) -> tuple[str, bytes] | None:
        """SHA-256 in hexadecimal and bytes of the newest frozen part; None when it is not there undamaged."""
        for path in self._frozen_paths()[-1:]:
            data = path.read_bytes()
            digest = sha256(data).hexdigest()
            if path.stem == f"frozen-{digest[:_HASH_DIGITS]}":
                return digest, data
        return None

    def frozen_sha256(self) -> str | None:
        """That hash alone; the file is read only when it is another one than before."""
        paths = self._frozen_paths()
        if not paths:
            return None
        there = paths[-1].stat()
        file = (paths[-1].name, there.st_mtime_ns, there.st_size)
        if self._frozen_known is None or self._frozen_known[0] != file:
            found = self.frozen()
            self._frozen_known = (file, found[0] if found is not None else None)
        return self._frozen_known[1]

    def describe(self, data: bytes) -> None:
        """Lay down what it takes to rebuild the networks, for whoever exports a policy. Raises OSError."""
        if self.description() != data:
            _write(self._directory / _DESCRIPTION, data)

    def description(self) -> bytes | None:
        """What `describe` laid down last; None when it did not."""
        try:
            return (self._directory / _DESCRIPTION).read_bytes()
        except FileNotFoundError:
            return None

    def _frozen_paths(self) -> list[Path]:
        """Oldest first."""
        paths = self._directory.glob("frozen-*.safetensors")
        return sorted(paths, key=lambda path: path.stat().st_mtime_ns)

    def _path(self, version: int) -> Path:
        return self._directory / f"policy-{version:08d}.safetensors"


def _write(path: Path, data: bytes) -> None:
    """Aside, onto the disk, then renamed."""
    aside = path.with_suffix(".tmp")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
