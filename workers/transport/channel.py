"""The client's side: a channel to a learner this machine joined, or to one of the same user on this machine.

Only the very certificate kept at joining is trusted, and every call carries the session token.
"""

import fcntl
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc
import msgspec

from workers.transport import channel_address
from workers.transport.certificate import NAME
from workers.transport.credentials import (
    CredentialError,
    private_dir,
    read_private,
    state_dir,
    write_private,
)
from workers.transport.limits import channel_options

LOCK_PATIENCE_S: Final = 0.5


class NotJoined(Exception):
    """There is no credential for this learner; the message says how to get one."""


@dataclass(frozen=True)
class Credential:
    """What opens a channel to one learner."""

    address: str
    certificate: str  # PEM
    token: str = field(repr=False)
    run: str


def dial(address: str) -> grpc.aio.Channel:
    """A channel to the learner at `address`, "host:port"; to be called in a running event loop, waits for nothing.

    Raises NotJoined, or CredentialError when the stored credential cannot be used.
    """
    credential = credential_for(address)
    tls = grpc.ssl_channel_credentials(credential.certificate.encode())
    token = grpc.access_token_call_credentials(credential.token)
    return grpc.aio.secure_channel(
        address, grpc.composite_channel_credentials(tls, token), options=channel_options(NAME)
    )


def credential_for(address: str) -> Credential:
    """The credential for a learner: left by itself where it runs on this machine, else kept at joining.

    Raises NotJoined, CredentialError.
    """
    try:
        host, port = channel_address.split(address)
    except ValueError as error:
        raise NotJoined(f"{error}. Look at policy.actor_learner_config.learner_host.") from error
    found = _local(port) if host in channel_address.LOOPBACK else None
    found = found or _read(_joined_path(host, port))
    if found is None:
        raise NotJoined(
            f"This machine has not joined the learner at {address}. On the GPU server,"
            " `hilserl-worker learner --listen ADDRESS:PORT` prints a line that begins with `hilserl-tui join`;"
            " run that line here."
        )
    return found


def keep(credential: Credential) -> None:
    """Keep what a join earned, in place of an older one for the same address. Raises CredentialError."""
    host, port = channel_address.split(credential.address)
    write_private(_joined_path(host, port), msgspec.json.encode(credential))


class LocalCredential:
    """Left by a learner while it runs, so that its own user on its own machine need not join.

    A lock tells whether the learner lives: a file left behind by a crash must not stand in the way of an
    ssh tunnel to a learner elsewhere on the same port.
    """

    def __init__(self, credential: Credential) -> None:
        """Raises CredentialError."""
        _, port = channel_address.split(credential.address)
        self._path = _local_path(port)
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _take(self._lock, port)
        write_private(self._path, msgspec.json.encode(credential))

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._lock)


def _take(lock: int, port: int) -> None:
    """Raises CredentialError when another learner has it; who only looks whether it is taken has it for an instant."""
    until_s = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until_s:
                os.close(lock)
                raise CredentialError(
                    f"Another learner of yours has port {port} on this machine, at another address."
                    " Choose another port."
                ) from None
        time.sleep(0.01)


def _local(port: int) -> Credential | None:
    """Raises CredentialError."""
    path = _local_path(port)
    return _read(path) if _held(path.with_suffix(".lock")) else None


def _held(lock: Path) -> bool:
    try:
        file = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _read(path: Path) -> Credential | None:
    try:
        return msgspec.json.decode(read_private(path), type=Credential)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise CredentialError(
            f"The credential {path} is damaged ({error}). Remove it and join the learner again."
        ) from error


def _joined_path(host: str, port: int) -> Path:
    return private_dir(state_dir() / "joined") / f"{host.replace(':', '_').replace('%', '_')}-{port}.json"


def _local_path(port: int) -> Path:
    return private_dir(state_dir() / "local") / f"{port}.json"
