"""The checkpoints of a run: written aside, published by one rename, rotated, the best one kept.

    checkpoints/ step-00001200/ ...   see checkpoint.py
                 LATEST               name of the newest
                 BEST                 name of the one whose policy did best when it was evaluated, and how well
                 damaged-step-.../    what could not be resumed, set aside when an older one was

A kill or a full disk at any moment leaves what was there, or what was being saved: never something torn, as
nothing is ever written over.
"""

import logging
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from workers.learner.checkpoint import (
    Checkpoint,
    read_checkpoint,
    read_manifest,
    write_checkpoint,
    write_synced,
)
from workers.model.select import wilson_interval
from workers.transport.log_format import sync_directory

KEEP_AT_LEAST = 3
POLICY_VERSION = "policy_version"
"""The counter that tells which policy a checkpoint goes with."""
_NAME = re.compile(r"step-(\d{8,})(?:-(\d+))?")
log = logging.getLogger(__name__)


class NoCheckpoint(Exception):
    """Nothing to resume from; the message says what is wrong with each checkpoint there is."""


class Best(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of BEST."""

    checkpoint: str
    policy_version: int
    """The policy that was evaluated; the checkpoint is the nearest to it."""
    successes: int
    trials: int

    @property
    def score(self) -> float:
        """Success rate that is surpassed with 97.5 % confidence: one lucky trial is no proof."""
        return wilson_interval(self.successes, self.trials)[0]


class CheckpointStore:
    """The checkpoints of one run; keeps the newest `keep`, and the best."""

    def __init__(self, directory: Path, keep: int = KEEP_AT_LEAST) -> None:
        self._directory = directory
        self._keep = max(keep, KEEP_AT_LEAST)
        self._thread: threading.Thread | None = None
        self._choosing = threading.Lock()
        """Held while the best is chosen and while it is decided what may go."""
        self.rejected: list[str] = []
        """Why newer checkpoints were passed over by the last `load`."""
        self.error = ""
        """Why the last background save failed; empty when it did not."""

    # Saving

    def save(self, checkpoint: Checkpoint, prepare: Callable[[], object] = lambda: None) -> Path:
        """Write a checkpoint and drop the oldest ones. Whatever it raises, OSError mostly, earlier ones stay.

        `prepare` puts on disk what the checkpoint counts on; it comes first.
        """
        prepare()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._sweep()
        final = self._path_for(checkpoint.step)
        aside = final.with_name(final.name + ".tmp")
        aside.mkdir()
        try:
            write_checkpoint(aside, checkpoint)
            aside.rename(final)
        except Exception:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        sync_directory(self._directory)
        self._lay("LATEST", final.name.encode())
        self._rotate()
        return final

    def _path_for(self, step: int) -> Path:
        """A new name, after those of the same step: `step-00000000-2` follows `step-00000000-1`."""
        same = [_number(path) for path in self.paths() if _number(path)[0] == step]
        return self._directory / (f"step-{step:08d}" + (f"-{max(same)[1] + 1}" if same else ""))

    def save_async(self, checkpoint: Checkpoint, prepare: Callable[[], object] = lambda: None) -> bool:
        """`save` in a background thread; False, and nothing done, while the previous one is being written."""
        if self.saving:
            return False
        self._thread = threading.Thread(
            target=self._save_quietly, args=(checkpoint, prepare), name="checkpoint"
        )
        self._thread.start()
        return True

    @property
    def saving(self) -> bool:
        """Whether a background save is under way."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> None:
        """Until a background save is done."""
        if self._thread is not None:
            self._thread.join()

    def _save_quietly(self, checkpoint: Checkpoint, prepare: Callable[[], object]) -> None:
        try:
            self.save(checkpoint, prepare)
            self.error = ""
        except Exception as error:  # of a thread nobody would hear of another kind: no memory, say
            why = str(error) or type(error).__name__
            self.error = f"checkpoint {checkpoint.step} was not written: {why}; earlier ones are intact"
            log.error("%s", self.error)

    def _sweep(self) -> None:
        """Remove what a kill left half written or half removed."""
        for path in self._directory.glob("*.tmp"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)

    def _rotate(self) -> None:
        with self._choosing:
            best = self.best()
            for old in self.paths()[: -self._keep]:
                if best is None or old.name != best.checkpoint:
                    old.rename(old.with_name(old.name + ".tmp"))
        self._sweep()

    def _lay(self, name: str, data: bytes) -> None:
        """Replace a small file."""
        aside = self._directory / f"{name}.tmp"
        write_synced(aside, data)
        aside.replace(self._directory / name)
        sync_directory(self._directory)

    # The best

    def best(self) -> Best | None:
        """The checkpoint whose policy did best, None when none was evaluated."""
        try:
            best = msgspec.json.decode((self._directory / "BEST").read_bytes(), type=Best)
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return best if (self._directory / best.checkpoint).is_dir() else None

    def note_success(self, policy_version: int, successes: int, trials: int) -> Path | None:
        """Note an evaluation of a policy: the checkpoint nearest to it is kept as long as none did better.

        Returns that checkpoint; None when another did better or there is no checkpoint. Raises OSError.
        """
        with self._choosing:
            nearest = self._nearest(policy_version)
            if nearest is None or trials <= 0:
                return None
            candidate = Best(
                checkpoint=nearest.name, policy_version=policy_version, successes=successes, trials=trials
            )
            best = self.best()
            if best is not None and best.score > candidate.score:
                return None
            self._lay("BEST", msgspec.json.format(msgspec.json.encode(candidate)))
            return nearest

    def _nearest(self, policy_version: int) -> Path | None:
        """The checkpoint saved nearest to a policy, of equally near ones the newer."""
        distances: list[tuple[int, int, Path]] = []
        for age, path in enumerate(reversed(self.paths())):
            try:
                version = read_manifest(path).counters.get(POLICY_VERSION, 0)
            except (OSError, ValueError):
                continue
            distances.append((abs(version - policy_version), age, path))
        return min(distances)[2] if distances else None

    # Loading

    def paths(self) -> list[Path]:
        """Published checkpoints, oldest first."""
        found = [path for path in self._directory.glob("step-*") if _NAME.fullmatch(path.name)]
        return sorted(found, key=_number)

    def load(self, accept: Callable[[Checkpoint], object] = lambda checkpoint: None) -> Checkpoint:
        """The newest good checkpoint that `accept` does not raise ValueError for.

        `rejected` names what was wrong with newer ones, which are set aside. Raises NoCheckpoint, and touches
        nothing, when there is none; what else `accept` raises goes through.
        """
        self.rejected = []
        bad: list[Path] = []
        for path in reversed(self.paths()):
            try:
                checkpoint = read_checkpoint(path)
                accept(checkpoint)
            except (OSError, ValueError) as error:
                self.rejected.append(f"{path.name}: {_without_folder(error, path)}")
                bad.append(path)
                continue
            for damaged in bad:
                damaged.rename(_unused(damaged.with_name(f"damaged-{damaged.name}")))
            return checkpoint
        raise NoCheckpoint("; ".join(self.rejected) or f"no checkpoint in {self._directory}")

    def move_aside(self) -> Path | None:
        """Give up all checkpoints but keep them beside; where they are now, None when there were none."""
        if not self.paths():
            return None
        number = 1
        while (aside := self._directory.with_name(f"{self._directory.name}.before-{number}")).exists():
            number += 1
        self._directory.rename(aside)
        sync_directory(aside.parent)
        return aside


def _number(path: Path) -> tuple[int, int]:
    """Step, and which of that step, from the name of a checkpoint."""
    name = _NAME.fullmatch(path.name)
    return (int(name[1]), int(name[2] or 0)) if name else (-1, 0)


def _unused(path: Path) -> Path:
    """`path`, or the first of `path`-1, `path`-2, ... where nothing is."""
    number, free = 0, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _without_folder(error: Exception, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{Path(error.filename).name} is missing"
    return str(error)
