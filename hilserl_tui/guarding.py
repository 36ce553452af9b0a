"""Guarding: a small parent process that leaves the terminal as it was, however the console ends.

The shell waits for the parent, so nobody writes between the console's death and the repair. Killed with SIGKILL
itself, the parent repairs nothing, but the console then finds its terminal gone and leaves in order.
"""

import contextlib
import os
import signal
import sys
import termios
import time
from typing import Any, Final

RESTORE: Final = (
    b"\x1b[?2026l"  # draw again (synchronised output)
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # no mouse
    b"\x1b[?2004l\x1b[?1004l\x1b[?2048l"  # no marks around pasted text, no words on focus and size
    b"\x1b[?7h"  # wrap lines
    b"\x1b[<u"  # plain keys (kitty); before the screen is left, of which they are a part
    b"\x1b[?1049l\x1b[?25h\x1b[0m"  # the shell's screen, a cursor, plain colours
)
LEFT_BY_FORCE: Final = 75
"""The console's exit code where it could not wait for a terminal that takes no output."""
ANSWERS_S: Final = 0.1  # for what the terminal still answers to a console that is gone
WRITE_WITHIN_S: Final = 1
FORWARDED: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


_parents: list[int] = []  # in the child: pid of the one that waits for it


def abandoned() -> bool:
    """Whether there was a parent to wait for this process, and there is none any more."""
    return bool(_parents) and _parents[-1] != os.getppid()


def guard() -> None:
    """Go on in a child process; the parent waits, restores the terminal and leaves as the child did.

    Only before there are threads. Does nothing a second time, or where standard input is no terminal.
    """
    if _parents or not sys.stdin.isatty():
        return
    here = sys.stdin.fileno()
    before = termios.tcgetattr(here)
    sys.stdout.flush()
    sys.stderr.flush()
    _parents.append(os.getpid())
    child = os.fork()
    if child:
        os._exit(_wait(child, here, before))


def _wait(child: int, here: int, before: list[Any]) -> int:
    """The parent's whole life; its exit code."""
    for number in FORWARDED:
        signal.signal(number, lambda got, _: _tell(child, got))
    # Before the child is out of it the shell may not have the terminal.
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        if _differs(here, before):  # SIGSTOP: it could not leave in order
            _restore(here, before)
        os.kill(os.getpid(), signal.SIGSTOP)  # the shell takes over until it says `fg`
        woken, status = os.waitpid(child, os.WNOHANG | os.WCONTINUED)
        if not woken:  # `fg` wakes both, a person with `kill` perhaps only us
            _tell(child, signal.SIGCONT)
        elif not os.WIFCONTINUED(status):
            break
    code = os.waitstatus_to_exitcode(status)
    if code < 0 or code == LEFT_BY_FORCE:
        _restore(here, before)
    if code >= 0:
        return 0 if code == LEFT_BY_FORCE else code
    name = signal.Signals(-code).name
    _write(
        f"the console was killed ({name}); a run that it showed goes on: hilserl-tui attach\n".encode(),
    )
    return 128 - code


def _differs(here: int, before: list[Any]) -> bool:
    with contextlib.suppress(termios.error):  # the terminal is gone
        return termios.tcgetattr(here) != before
    return False


def _tell(child: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(child, number)


def _restore(here: int, before: list[Any]) -> None:
    """Modes of the terminal first, then those of its driver; what came in meanwhile was not for the shell."""
    _write(RESTORE)
    time.sleep(ANSWERS_S)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a background process may do this too
    with contextlib.suppress(termios.error):  # the terminal is gone
        termios.tcsetattr(here, termios.TCSAFLUSH, before)


def _write(data: bytes) -> None:
    """To the terminal, unless it takes nothing: then not for ever."""
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(WRITE_WITHIN_S)
    try:
        os.write(sys.stderr.fileno(), data)
    except (TimeoutError, OSError):
        pass
    finally:
        signal.alarm(0)


def _give_up(*_: object) -> None:
    raise TimeoutError
