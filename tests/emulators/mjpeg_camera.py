"""An emulated camera in a process of its own: `with mjpeg_camera() as camera: ... camera.script(fault="freeze")`."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


class MjpegCamera:
    """`url` is where it streams; `script` changes what it does, and returns when it does so."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "workers.cli", "emulate-camera", "--port", "0", "--script", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        self.url = self._answer()

    def script(self, **changes: object) -> None:
        """Fields of `workers.emulator.camera.Behaviour`."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(changes) + "\n")
        self.process.stdin.flush()
        assert self._answer() == "ok"

    def unplug(self) -> None:
        """End it: nobody answers at its address any more."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, "the emulated camera ended"
        return line


@contextlib.contextmanager
def mjpeg_camera(*options: str) -> Iterator[MjpegCamera]:
    """Options are those of `hilserl-worker emulate-camera`, such as "--width", "320"."""
    camera = MjpegCamera(*options)
    try:
        yield camera
    finally:
        camera.unplug()
