"""tmux answers the terminal's questions itself, so an answer does not prove that a person is there.

Inside tmux the console therefore also asks how many clients show its session. A session that was shown once
and is shown to nobody now counts as left; one that never was (a test, a script) does not.
"""

import asyncio
import os
import time

EVERY_S = 1.0
LOOK_S = 0.1  # whether the clients of then still run: a line that breaks is no second unnoticed


class Watched:
    """Whether somebody looks at this tmux session; always true outside tmux."""

    def __init__(self) -> None:
        self._pane = os.environ.get("TMUX_PANE", "") if os.environ.get("TMUX") else ""
        self._seen = False
        self.left = False

    async def follow(self) -> None:
        """Ask tmux once a second, and when all clients have ended, until cancelled; returns at once outside tmux."""
        while self._pane:
            clients = await self._clients()
            if clients is None:
                return
            self.note(len(clients))
            asked_s = time.monotonic()
            while time.monotonic() - asked_s < EVERY_S:
                await asyncio.sleep(LOOK_S)
                if clients and not any(runs(pid) for pid in clients):
                    break

    def note(self, clients: int) -> None:
        self._seen = self._seen or clients > 0
        self.left = self._seen and clients == 0

    async def _clients(self) -> list[int] | None:
        """Process ids of the clients attached to our session; None when tmux cannot be asked."""
        try:
            process = await asyncio.create_subprocess_exec(
                "tmux",
                "list-clients",
                "-t",
                self._pane,
                "-F",
                "#{client_pid}",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            out, _ = await process.communicate()
            return [int(pid) for pid in out.split()] if process.returncode == 0 else None
        except (OSError, ValueError):
            return None


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True
