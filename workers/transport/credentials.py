"""Where secrets lie: one directory of this user, 0700, its files 0600, written aside and renamed.

A file others can read is not used: it may be in foreign hands already.
"""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CredentialError(Exception):
    """Secrets cannot be kept or used; the message says what, why and what to do."""


def state_dir() -> Path:
    """This user's directory, `$XDG_CONFIG_HOME/hilserl` or `~/.config/hilserl`, made when absent.

    Raises CredentialError when it is somebody else's.
    """
    base = os.environ.get("XDG_CONFIG_HOME")
    return private_dir((Path(base) if base else Path.home() / ".config") / "hilserl")


def private_dir(path: Path) -> Path:
    """`path` as a directory of mode 0700, made when absent. Raises CredentialError when it is not ours."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        if found.st_uid != os.getuid():
            raise CredentialError(
                f"{path} belongs to another user, so no secrets can be kept there."
                " Set XDG_CONFIG_HOME to a directory of your own."
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise CredentialError(
            f"{path} cannot be used ({error.strerror}), so no secrets can be kept there."
            " Set XDG_CONFIG_HOME to a directory of your own."
        ) from error
    return path


def read_private(path: Path) -> bytes:
    """Contents of a file only we can read. Raises FileNotFoundError, CredentialError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CredentialError(
            f"{path} cannot be read: {error.strerror}. Look at its owner and mode."
        ) from error
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(opened.fileno())
        if found.st_uid != os.getuid():
            raise CredentialError(f"{path} belongs to another user and is not trusted. Remove it.")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise CredentialError(
                f"{path} can be read by other users of this machine, so it is not used."
                f" If you trust them: chmod 600 {path}   If not: remove it, and join anew."
            )
        return opened.read()


def write_private(path: Path, data: bytes) -> None:
    """Lay down a file of mode 0600; readers see the old one or the new one whole. Raises CredentialError."""
    try:
        file, aside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
        try:
            with os.fdopen(file, "wb") as opened:
                opened.write(data)
                opened.flush()
                os.fsync(opened.fileno())
            os.replace(aside, path)
        except BaseException:
            os.unlink(aside)
            raise
    except OSError as error:
        raise CredentialError(
            f"{path} cannot be written: {error.strerror}. Look at the free space and at the owner of its directory."
        ) from error


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other processes of this user from changing the files of `directory` meanwhile."""
    file = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
