"""The tools that bring a real arm to life, as steps of the Arm screen; each is a command of hilserl-worker."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

FRAME, ROW = "\f", "\x1e"
"""How a tool sends what it draws over itself, see `workers.runtime.terminal`."""
LINES_KEPT = 500
END_S = 10.0  # a tool ends within a second, unless this computer is very busy
KILLED = "it did not end by itself, and was killed: run it again to see where the arm is"


@dataclass(frozen=True, slots=True)
class Target:
    """Which arm: its port and the name of its calibration, as far as they are known."""

    port: str = ""
    arm_id: str = ""
    leader: bool = False
    kind: str = "so101"
    calibration_dir: str = ""

    def of_port(self, port: str) -> "Target":
        return replace(self, port=port)


@dataclass(frozen=True, slots=True)
class Tool:
    """A step. `command` is what of hilserl-worker it runs, or why it cannot run yet."""

    key: str
    name: str
    what: str
    command: Callable[[Target, Target], list[str] | str]
    """Of the arm that is set up, and the other one: leader and follower."""


def _on_port(command: str) -> Callable[[Target, Target], list[str] | str]:
    return lambda arm, _: (
        [command, "--port", arm.port] if arm.port else "the port is not known yet: step 1 finds it"
    )


def _calibrate(arm: Target, _: Target) -> list[str] | str:
    if not arm.port:
        return "the port is not known yet: step 1 finds it"
    if not arm.arm_id:
        return "the arm has no name yet: n gives it a name, that of its calibration file"
    options = ["--port", arm.port, "--id", arm.arm_id, "--arm", arm.kind]
    options += ["--leader"] if arm.leader else []
    return [
        "calibrate",
        *options,
        *(["--calibration-dir", arm.calibration_dir] if arm.calibration_dir else []),
    ]


def _compare(arm: Target, other: Target) -> list[str] | str:
    follower, leader = (other, arm) if arm.leader else (arm, other)
    for each in (follower, leader):
        if not (each.port and each.arm_id):
            return f"the {'leader' if each.leader else 'follower'} has no port or name yet: l, then 1 and n"
    command = ["compare-arms", "--port", follower.port, "--id", follower.arm_id]
    command += ["--leader-port", leader.port, "--leader-id", leader.arm_id]
    if follower.calibration_dir:
        command += ["--calibration-dir", follower.calibration_dir]
    if leader.calibration_dir:
        command += ["--leader-calibration-dir", leader.calibration_dir]
    return command


TOOLS = (
    Tool("1", "port", "which serial port the arm is on", lambda *_: ["find-port"]),
    Tool("2", "scan", "what answers there, and what is wrong with it", _on_port("scan-arm")),
    Tool("3", "set-up", "ids for new servos, one plugged in at a time", _on_port("setup-motors")),
    Tool("4", "calibrate", "every joint moved by hand to both of its stops", _calibrate),
    Tool("5", "compare", "leader and follower in one pose: do they say the same", _compare),
    Tool("6", "cameras", "which there are, and what they give", lambda *_: ["find-cameras", "--no-pictures"]),
)


class Running:
    """One tool at work. `lines` is what it said, `frame` what it draws over itself now."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.lines: list[str] = []
        self.frame: list[str] = []
        self.code: int | None = None
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None

    async def run(self, command: list[str]) -> int:
        """Run hilserl-worker with `command` to its end; its exit code."""
        environment = {**os.environ, "HILSERL_PANE": "1", "PYTHONUNBUFFERED": "1"}
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "workers.cli",
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            cwd=Path.cwd(),
            start_new_session=True,
        )
        assert process.stdout is not None
        async for raw in process.stdout:
            self._take(raw.decode(errors="replace").rstrip("\n"))
        self.code = await process.wait()
        self.lines += self.frame
        self.frame = []
        self._changed()
        return self.code

    def _take(self, line: str) -> None:
        if line.startswith(FRAME):
            self.frame = line[1:].split(ROW)
        else:
            if self.frame and line.strip():
                self.lines += self.frame
                self.frame = []
            self.lines.append(line.expandtabs().lstrip("\r"))
            del self.lines[:-LINES_KEPT]
        self._changed()

    def type(self, text: str) -> None:
        """What the person types, with Enter."""
        if self._process is not None and self._process.stdin is not None and self.code is None:
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(f"{text}\n".encode())

    async def end(self) -> None:
        """Break it off, as Ctrl-C does: tools leave the arm as it is."""
        process = self._process
        if process is None or self.code is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            process.kill()
            self.lines += [*self.frame, KILLED]
            self.frame = []
