"""Making a cropped dataset from the console: `hilserl-worker crop` as a process of its own, with its progress."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

EXISTS = 3
"""Exit code of `hilserl-worker crop` where the dataset it would make is there already."""


class CropJob:
    """`lines` starts it and gives what it says; afterwards `last_words` has the result or the refusal."""

    def __init__(self, config: Path, dataset: Path, size: tuple[int, int], replace: bool) -> None:
        self._command = [sys.executable, "-m", "workers.cli", "crop", "--config", str(config)]
        self._command += ["--dataset", str(dataset), "--resize", str(size[0]), str(size[1])]
        self._command += ["--replace"] if replace else []
        self._process: asyncio.subprocess.Process | None = None
        self.running = True
        self.exists = False
        self.last_words = ""

    async def lines(self) -> AsyncIterator[str]:
        """What it prints, line by line, to its end."""
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
            assert process.stdout is not None
            said = []
            async for line in process.stdout:
                said.append(line.decode(errors="replace").rstrip())
                yield said[-1]
            code = await process.wait()
            self.exists = code == EXISTS
            self.last_words = "\n".join(said if code else said[-1:])
        except OSError as error:
            self.last_words = f"hilserl-worker could not be started: {error}"
        finally:
            self.running = False

    async def stop(self) -> None:
        """End it; what it has written so far goes with it."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()
        self.running = False
