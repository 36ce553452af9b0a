"""Starting a station: a detached process of its own, which outlives the console.

It is the one process a console starts. Its output goes to a file, its input from nowhere, and it has its own
session, so that neither a closed terminal nor Ctrl-C in it reaches the workers.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from workers.model.places import STATION_OUTPUT_NAME, StationLock, live_runs, read_lock, socket_path

REFUSED = 2  # exit code of a station that would not open its run
LAST_LINES = 12  # of a dead station's output, shown to the operator


class LaunchError(Exception):
    """The station could not be started; the text is for the operator."""


class Launch:
    """A station on `run_dir`, started by `begin` unless one serves the run already.

    The screen is painted between making this and `begin`: a starting station takes the processor.
    `job` is the command of hilserl-worker that it is, with its options. `wishes` are options for a run that begins:
    one that is alive has made up its mind. Raises LaunchError when that is so, when a learner has the run directory,
    or when it cannot be written.
    """

    def __init__(
        self,
        config_path: Path,
        run_dir: Path,
        wishes: Sequence[str] = (),
        job: Sequence[str] = ("station",),
    ) -> None:
        self.run_dir, self.socket = run_dir, socket_path(run_dir)
        self._command = [
            sys.executable,
            "-m",
            "workers.cli",
            *job,
            "--config",
            str(config_path),
            "--serve",
            *wishes,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._trouble = ""
        _check_free(read_lock(run_dir), wishes)
        try:
            run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            (run_dir / STATION_OUTPUT_NAME).touch(mode=0o600)
        except OSError as error:
            raise LaunchError(
                f"the station could not be started in {run_dir}: {error.strerror}\n"
                "why: a run keeps its files there, and the folder or the disk refuses\n"
                "what to do: free the disk, or set `run.directory` to a place you may write to"
            ) from error

    def begin(self) -> None:
        """Start the station where there is none; returns at once, its socket may take a while."""
        if read_lock(self.run_dir) is not None:
            return
        try:
            with (self.run_dir / STATION_OUTPUT_NAME).open("wb") as output:
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            self._trouble = f"the station could not be started: {error}"

    @property
    def refused(self) -> bool:
        """Whether our station would not open the run; what it wrote is meant for the person."""
        return self._process is not None and self._process.poll() == REFUSED

    def failed(self) -> str | None:
        """Why the station we started is gone, None while it lives (or where another one serves the run)."""
        if self._trouble:
            return self._trouble
        if self._process is None or self._process.poll() is None or read_lock(self.run_dir) is not None:
            return None
        output = self.run_dir / STATION_OUTPUT_NAME
        if self.refused:
            return last_lines(output, indent="")
        return (
            f"the station ended before it answered (exit code {self._process.returncode}); "
            f"its last lines:\n\n{last_lines(output)}\n\n"
            f"what to do: mend what they name and start again; all of its output is in {output}"
        )


def _check_free(lock: StationLock | None, wishes: Sequence[str]) -> None:
    """Raises LaunchError when whoever has the run directory is not the station that is wanted."""
    if lock is not None and not lock.socket:
        raise LaunchError(
            f"a learner (pid {lock.pid}) keeps its files in this run's folder\n"
            "why: hilserl-worker learner was started in this folder, with the same run.directory and run.name\n"
            "what to do: start it in another folder, or with --directory"
        )
    if lock is not None and wishes:
        raise _too_late(lock, wishes, "its learner has begun")


def check_alive(run_dir: Path, options: Sequence[str]) -> None:
    """Raise LaunchError where a run is alive that was started without these options."""
    lock = read_lock(run_dir)
    if lock is not None and options:
        raise _too_late(lock, options, "what it does was settled when it started")


def _too_late(lock: StationLock, options: Sequence[str], why: str) -> LaunchError:
    return LaunchError(
        f"the run {lock.run} is alive already, {' and '.join(options)} comes too late\n"
        f"why: {why}\n"
        f"what to do: hilserl-tui attach {lock.run}, or hilserl-tui down {lock.run} and start again"
    )


def last_lines(path: Path, indent: str = "  ") -> str:
    """The end of a station's output."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return f"{indent}(it wrote nothing)"
    return "\n".join(indent + line for line in lines[-LAST_LINES:]) or f"{indent}(it wrote nothing)"


def gone_within(lock: StationLock, seconds: float) -> bool:
    """Wait for a station to end; True when it has let go of its run."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if lock not in live_runs():
            return True
        time.sleep(0.05)
    return False
