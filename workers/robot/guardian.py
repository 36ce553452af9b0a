"""Guardian: a process beside the robot worker of a real arm that holds the arm when that worker dies or hangs.

It waits for the worker's death with everything imported and the port closed. Then it takes the port, sets every
joint's goal to where the joint is, takes torque away, says so, and holds on until the next robot worker asks for
the port. If none comes before the run ends, it parks the arm itself.
"""

import contextlib
import os
import select
import signal
import time
from typing import Final

import numpy as np

from workers.config import Config
from workers.model.events import Level, LogLine
from workers.robot.board import GUARDED, Board, Hand
from workers.robot.bus import BusError
from workers.robot.freeze import Frozen
from workers.runtime.harness import Desk

HUNG_S: Final = 0.5  # without a sign of life
LOOK_S: Final = 0.05  # death itself is told at once, by the kernel
RETRY_S: Final = 0.01
AGAIN_S: Final = 1.0  # between two words about a port that cannot be opened
GIVE_UP_S: Final = 5.0  # at the end of a run


def main(desk: Desk, config: Config, board: Board) -> None:
    """Guard until told to quit and the robot worker is done with the arm."""
    port = config.env.arm.port
    assert port is not None, "a real arm has a port"
    guardian = Guardian(desk, port, board)
    guardian.run()
    if guardian.let_go():
        park(desk, config, board)


def park(desk: Desk, config: Config, board: Board) -> None:
    """The way to the rest pose that the robot worker did not live to take. Raises WorkerFailure."""
    from workers.robot.build import kinematics_of, limits_of
    from workers.robot.opening import body_of
    from workers.robot.worker import RobotLoop

    limits, kinematics = limits_of(config), kinematics_of(config)
    body = body_of(desk, config, board, limits, kinematics)
    RobotLoop(desk, config, board, body, limits, kinematics).park()


class Guardian:
    """Watches one robot worker after the other."""

    def __init__(self, desk: Desk, port: str, board: Board) -> None:
        self._desk, self._port, self._board = desk, port, board
        self._guarded = np.zeros((), GUARDED)
        self._guarded["ready"] = True
        self._frozen: Frozen | None = None
        self._pid, self._pidfd = 0, -1
        self._death = select.poll()
        self._told_s = -np.inf
        self._lent = False  # let go for a worker that does not hold the arm yet

    def run(self) -> None:
        """Until the run is over and the worker that guards its own arm has left it, or is dead."""
        while self._desk.alive() or self._worker_is_busy():
            self._desk.next_order()
            self.look()
            self._wait()

    def let_go(self) -> bool:
        """Close the port; whether it was held."""
        held, self._frozen = self._frozen, None
        if held is not None:
            held.close()
        self._tell()
        return held is not None

    def look(self) -> None:
        """One look at the worker, and what follows from it."""
        self._tell()
        read = self._board.lifeline.read()
        if read is None:
            return
        line = read[1]
        self._watch(int(line["pid"]))
        hand = line["hand"].decode()
        if self._frozen is not None:
            if hand == Hand.WANTS and not self._is_dead():
                self._lent = self.let_go()
        elif hand == Hand.WANTS and self._lent:
            if self._is_dead():  # before it held the arm: nobody does now
                self._take("the robot worker died while it took the arm over")
        elif hand == Hand.HOLDS:
            self._lent = False
            age_s = time.monotonic() - float(line["at_ns"]) / 1e9
            if self._is_dead():
                self._take("the robot worker died")
            elif age_s > HUNG_S:
                self._kill()
                self._take(f"the robot worker was silent for {age_s:.1f} s and was killed")

    def _worker_is_busy(self) -> bool:
        """Whether a living worker has the arm: it parks it, and that takes a while."""
        read = self._board.lifeline.read()
        if read is None or self._frozen is not None or read[1]["hand"].decode() != Hand.HOLDS:
            return False
        return time.monotonic() - float(read[1]["at_ns"]) / 1e9 < GIVE_UP_S

    def _take(self, why: str) -> None:
        try:
            self._frozen = Frozen(self._port)
        except BusError as error:
            if time.monotonic() - self._told_s > AGAIN_S:
                self._told_s = time.monotonic()
                self._say(f"{why}, and the arm cannot be reached: {error}")
            return
        self._guarded["pid"], self._guarded["taken_ns"] = self._pid, time.monotonic_ns()
        self._tell()
        silent = 6 - len(self._frozen.frozen_ids)
        but = f"; {silent} servos do not answer" if silent else ""
        self._say(f"{why}: the guardian holds the arm where it is, with 40 % torque{but}")

    def _watch(self, pid: int) -> None:
        """Be told by the kernel when this process ends."""
        if pid == self._pid:
            return
        if self._pidfd >= 0:
            self._death.unregister(self._pidfd)
            os.close(self._pidfd)
        self._pid, self._pidfd = pid, -1
        if hasattr(os, "pidfd_open"):  # Linux
            with contextlib.suppress(OSError):
                self._pidfd = os.pidfd_open(pid)
                self._death.register(self._pidfd, select.POLLIN)

    def _is_dead(self) -> bool:
        if self._pidfd >= 0:
            return bool(self._death.poll(0))
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return True
        return False

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        if self._pidfd >= 0:
            self._death.poll(1000)  # the kernel closes its port

    def _wait(self) -> None:
        if self._pidfd >= 0 and not self._is_dead():
            self._death.poll(LOOK_S * 1e3)
        else:
            time.sleep(RETRY_S)

    def _tell(self) -> None:
        self._guarded["at_ns"] = time.monotonic_ns()
        self._guarded["holding"] = self._frozen is not None
        self._board.guarded.write(self._guarded)

    def _say(self, text: str) -> None:
        self._desk.mailbox.emit(LogLine(self._desk.name, Level.ERROR, text, time.time()))
