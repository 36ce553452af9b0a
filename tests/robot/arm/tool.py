"""`hilserl-worker` tools in processes of their own, with a keyboard."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.emulators.bus import EmulatedBus
from workers.robot.figures import JOINT_NAMES

REPOSITORY = Path(__file__).parents[3]
LIMIT_S = 60.0


class Tool:
    """A running `hilserl-worker`; what it says arrives line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said = ""
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line

    def wait_for(self, text: str, times: int = 1) -> None:
        deadline_s = time.monotonic() + LIMIT_S
        while self.said.count(text) < times:
            assert time.monotonic() < deadline_s, f"never said {text!r}: {self.said}"
            assert self.process.poll() is None or self.said.count(text) >= times or self._thread.is_alive(), (
                self.said
            )
            time.sleep(0.02)

    def enter(self, text: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        code = self.process.wait(LIMIT_S)
        self._thread.join()
        return code


@contextmanager
def tool(*arguments: str) -> Iterator[Tool]:
    process = subprocess.Popen(
        [sys.executable, "-m", "workers.cli", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY,
    )
    running = Tool(process)
    try:
        yield running
    finally:
        process.kill()
        running.end()


def plug_only(emulated: EmulatedBus, *joints: str) -> None:
    for each in JOINT_NAMES:
        emulated.ask("plug" if each in joints else "unplug_joint", joint=each)
