"""A learner's ingest worker in a process of its own: python -m tests.emulators.learner_process FOLDER PORT

Beside the ways a test has anyway, its memory and its open files can be looked at.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.transport.linked import Learner, free_port

SERVES = "serves"


@dataclass
class LearnerProcess:
    port: int
    process: subprocess.Popen[bytes]
    output: Path
    folder: Path

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def resident_mib(self) -> float:
        """Memory it holds (proc(5), statm: resident pages)."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@contextmanager
def learner_process(folder: Path) -> Iterator[LearnerProcess]:
    """Listens, and has left its local credential, when this begins."""
    port = free_port()
    output = folder / "learner.out"
    with output.open("wb") as file:
        command = [sys.executable, "-m", "tests.emulators.learner_process", str(folder), str(port)]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 30.0
        while not (folder / SERVES).exists():
            assert process.poll() is None and time.monotonic() < until, output.read_text()
            time.sleep(0.05)
        yield LearnerProcess(port, process, output, folder)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


async def serve(folder: Path, port: int) -> None:
    await Learner(folder, port).start()
    (folder / SERVES).touch()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
