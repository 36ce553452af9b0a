"""A recording in real processes, continued after each kill, and what its journal says is saved."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from workers.config.ready import ready_config
from workers.model.events import AnyEvent, EpisodeSaved, WorkerChanged

ROOT = Path(__file__).parents[2]
ENDLESS = 100_000
CHANGES = {
    "num_episodes_to_record": str(ENDLESS),
    "control_time_s": "1.5",
    "resize_size": "[32, 32]",
}


def recording_file(folder: Path, **changes: str) -> Path:
    """`configs/sim_record.toml` for `folder`, with short episodes of small pictures."""
    text = ready_config("sim_record").read_text()
    lines = {
        "directory": f'"{folder / "runs"}"',
        "root": f'"{folder / "set"}"',
        **CHANGES,
        **changes,
    }
    for key, value in lines.items():
        start = text.index(f"\n{key} = ") + 1
        text = text[:start] + f"{key} = {value}" + text[text.index("\n", start) :]
    path = folder / "record.toml"
    path.write_text(text)
    return path


class _Line(msgspec.Struct):
    """One line of a run's journal."""

    event: AnyEvent


class RecordingRun:
    """One station on that file, as `hilserl-worker record` starts it."""

    def __init__(self, path: Path) -> None:
        folder = path.parent
        self.events = folder / "runs/sim_record/events.jsonl"
        self._journaled = self.events.stat().st_size if self.events.exists() else 0
        command = [sys.executable, "-m", "workers.cli", "record", "--config", str(path)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(folder)}
        with (folder / "record.txt").open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, env=environment, cwd=ROOT, start_new_session=True
            )

    def saved(self) -> list[EpisodeSaved]:
        """Every episode that was shown as saved, in this station's time."""
        return [event for event in self._told() if isinstance(event, EpisodeSaved)]

    def pid_of(self, worker: str) -> int:
        """Of its newest process, 0 before it is known."""
        told = [
            event.pid
            for event in self._told()
            if isinstance(event, WorkerChanged) and event.worker == worker and event.pid
        ]
        return told[-1] if told else 0

    def wait_until_saved(self, count: int, limit_s: float = 60.0) -> None:
        until = time.monotonic() + limit_s
        while len(self.saved()) < count:
            assert self.process.poll() is None and time.monotonic() < until
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL of the station; its workers see that it is gone and end."""
        pids = {self.pid_of(name) for name in ("robot", "camera-front", "camera-side", "actor", "recorder")}
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        until = time.monotonic() + 30.0
        while any(pid and Path(f"/proc/{pid}").exists() for pid in pids):
            assert time.monotonic() < until, "a worker outlives its station"
            time.sleep(0.05)

    def _told(self) -> list[AnyEvent]:
        if not self.events.exists():
            return []
        with self.events.open("rb") as file:
            file.seek(self._journaled)
            lines = file.read().splitlines()
        told = []
        for line in lines:
            with contextlib.suppress(msgspec.MsgspecError):  # the line that is being written
                told.append(msgspec.json.decode(line, type=_Line).event)
        return told
