"""Secrets are kept where only this user reads them, whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from workers.transport import credentials
from workers.transport.credentials import CredentialError, private_dir, read_private, state_dir, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_and_its_files_are_this_user_s_alone(state: Path) -> None:
    before = os.umask(0)
    try:
        write_private(state_dir() / "key", b"secret")
    finally:
        os.umask(before)
    assert (mode(state), mode(state / "key")) == (0o700, 0o600)
    assert read_private(state / "key") == b"secret"


def test_without_xdg_the_directory_is_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_dir() == tmp_path / ".config" / "hilserl"


def test_a_directory_that_stood_open_is_closed(state: Path) -> None:
    state.mkdir(mode=0o755, parents=True)
    state.chmod(0o755)
    state_dir()
    assert mode(state) == 0o700


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_others_can_read_is_refused_with_the_line_that_mends_it(state: Path, bits: int) -> None:
    path = state_dir() / "key"
    write_private(path, b"secret")
    path.chmod(bits)
    with pytest.raises(CredentialError, match=f"chmod 600 {path}"):
        read_private(path)


def test_a_directory_of_somebody_else_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.mkdir(parents=True)
    monkeypatch.setattr(credentials.os, "getuid", lambda: 54321)
    with pytest.raises(CredentialError, match="another user"):
        private_dir(state)


def test_a_place_that_cannot_be_a_directory_is_refused(state: Path) -> None:
    state.parent.joinpath("hilserl").write_text("a file")
    with pytest.raises(CredentialError, match="XDG_CONFIG_HOME"):
        state_dir()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = state_dir() / "key"
    write_private(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(credentials.os, "fsync", full)
    with pytest.raises(CredentialError, match="No space left"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in state.iterdir()] == ["key"]
