"""Tokens: a join token is typed by a person once; a session token is what a joined robot shows with every call.

The learner keeps only their SHA-256. They are random (80 and 256 bit), so a plain hash gives nothing away
and needs no salt.
"""

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from workers.transport.credentials import CredentialError, locked, private_dir, read_private, write_private

JOIN_VALID_S = 600.0
MOST_JOINS_OPEN = 16
LABEL_CHARACTERS = 64
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: no I, L, O, U
_ALIKE = str.maketrans("ILO", "110")  # what people read for one another
_CHARACTERS = 16  # 80 bit


class Verdict(StrEnum):
    """What became of a join token; the word travels to the robot that showed it."""

    GOOD = "good"
    WRONG = "wrong"
    USED = "used"
    EXPIRED = "expired"


def new_join_token() -> str:
    """Like 3GC2-GGJ2-7HSS-TQV1: 80 random bits a person can read out."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS))
    return "-".join(drawn[at : at + 4] for at in range(0, _CHARACTERS, 4))


def canonical(token: str) -> str:
    """A join token as it was made, however it was typed. Raises ValueError when it cannot be one."""
    bare = token.strip().upper().replace("-", "").replace(" ", "").translate(_ALIKE)
    if len(bare) != _CHARACTERS or set(bare) - set(_ALPHABET):
        raise ValueError("a join token is 16 letters and digits, like 3GC2-GGJ2-7HSS-TQV1")
    return bare


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def plain(label: str) -> str:
    """A label as it may be shown: printable, short."""
    return "".join(letter for letter in label if letter.isprintable())[:LABEL_CHARACTERS] or "unnamed"


@dataclass
class _Open:
    digest: str
    until_s: float
    used: bool = False


class JoinTokens:
    """Join tokens of one learner process: each good once, for ten minutes; the newest sixteen are remembered."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: list[_Open] = []

    def issue(self) -> str:
        token = new_join_token()
        self._open.append(_Open(digest(canonical(token)), self._clock() + JOIN_VALID_S))
        del self._open[:-MOST_JOINS_OPEN]
        return token

    def redeem(self, token: str) -> Verdict:
        """Use a token up, if it is good."""
        try:
            shown = digest(canonical(token))
        except ValueError:
            return Verdict.WRONG
        # Compared with every one, each in constant time: how long this takes tells nothing.
        known = [one for one in self._open if hmac.compare_digest(one.digest, shown)]
        if not known:
            return Verdict.WRONG
        if known[0].used:
            return Verdict.USED
        if self._clock() >= known[0].until_s:
            return Verdict.EXPIRED
        known[0].used = True
        return Verdict.GOOD


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One joined robot."""

    digest: str  # SHA-256 of its token
    label: str
    joined_at: float  # Unix time


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sessions: tuple[Session, ...] = ()


class SessionTokens:
    """The robots that joined, kept in `sessions.json` of `directory`.

    Learners of one user share the file, so each looks whether it changed before it answers: taking an entry
    out ends that robot's access at once.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = private_dir(directory)
        self._path = directory / "sessions.json"
        self._stamp: tuple[int, int, int] | None = None
        self._known: tuple[Session, ...] = ()
        self._own: list[Session] = []
        self.sessions()

    def issue(self, label: str) -> str:
        """A token for a robot that joined."""
        token, session = _session(label)
        with locked(self._directory):
            self._write((*self.sessions(), session))
        return token

    def issue_for_this_process(self, label: str) -> str:
        """A token that is forgotten when this process ends."""
        token, session = _session(label)
        self._own.append(session)
        return token

    def revoke(self, label: str) -> int:
        """Take away the access of every robot with this label; returns how many there were."""
        with locked(self._directory):
            before = self.sessions()
            kept = tuple(one for one in before if one.label != label)
            self._write(kept)
        return len(before) - len(kept)

    def holder(self, token: str) -> str | None:
        """Label of who shows this token, None when it is nobody's."""
        shown = digest(token)
        found = [one for one in (*self._own, *self.sessions()) if hmac.compare_digest(one.digest, shown)]
        return found[0].label if found else None

    def sessions(self) -> tuple[Session, ...]:
        """Robots that joined, oldest first. Raises CredentialError when the file is damaged."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._known = self._read()
            self._stamp = stamp
        return self._known

    def _read(self) -> tuple[Session, ...]:
        try:
            return msgspec.json.decode(read_private(self._path), type=_File).sessions
        except FileNotFoundError:
            return ()
        except msgspec.DecodeError as error:
            raise CredentialError(
                f"{self._path}, the list of robots that joined, is damaged: {error}."
                f" Remove it, `rm {self._path}`, and join them again."
            ) from error

    def _write(self, sessions: tuple[Session, ...]) -> None:
        write_private(self._path, msgspec.json.format(msgspec.json.encode(_File(sessions))))


def _session(label: str) -> tuple[str, Session]:
    token = secrets.token_urlsafe(32)
    return token, Session(digest(token), plain(label), time.time())


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
