"""tmux answers the terminal's questions itself, so an answer does not prove that a person is there.

Inside tmux the console therefore also asks how many clients show its session. A session that was shown once
and is shown to nobody now counts as left; one that never was (a test, a script) does not.
"""

import asyncio
import os

EVERY_S = 1.0


class Watched:
    """Whether somebody looks at this tmux session; always true outside tmux."""

    def __init__(self) -> None:
        self._pane = os.environ.get("TMUX_PANE", "") if os.environ.get("TMUX") else ""
        self._seen = False
        self.left = False

    async def follow(self) -> None:
        """Ask tmux once a second until cancelled; returns at once outside tmux."""
        while self._pane:
            clients = await self._clients()
            if clients is None:
                return
            self.note(clients)
            await asyncio.sleep(EVERY_S)

    def note(self, clients: int) -> None:
        self._seen = self._seen or clients > 0
        self.left = self._seen and clients == 0

    async def _clients(self) -> int | None:
        """Clients attached to our session; None when tmux cannot be asked."""
        try:
            process = await asyncio.create_subprocess_exec(
                "tmux",
                "display-message",
                "-p",
                "-t",
                self._pane,
                "#{session_attached}",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
            out, _ = await process.communicate()
            return int(out)
        except (OSError, ValueError):
            return None
