"""Doctor: does this machine have what a run needs? Each check says what, why and what to do."""

import os
import platform
import select
import shutil
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

PYTHONS = ((3, 11), (3, 13))
LEAST_FREE_GB = 10.0
LEAST_SIZE = (80, 24)
EGL_WITHIN_S = 60.0
ANSWER_WITHIN_S = 0.5

# In a process of its own: the console never imports the simulator.
_RENDER = """
import mujoco
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><geom size='1'/></worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 16, 16) as renderer:
    renderer.update_scene(data)
    assert renderer.render().shape == (16, 16, 3)
"""


class Check(NamedTuple):
    """One finding. `ok` None is a remark: it works, but worse than it could."""

    name: str
    ok: bool | None
    found: str
    why: str = ""
    do: str = ""


def checks(folder: Path) -> Iterator[Check]:
    """All checks, quick ones first; `folder` is where runs will be kept."""
    quick: tuple[Callable[[], Check], ...] = (python, lambda: disk(folder), size, colours, encoding, answers)
    for check in quick:
        yield check()
    yield from multiplexer()
    yield egl()


def python() -> Check:
    found = f"{platform.python_version()} ({sys.executable})"
    low, high = (".".join(map(str, version)) for version in PYTHONS)
    ok = PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]
    return Check(
        "python", ok, found, f"written for {low} to {high}", f"install Python {high}, or let uv fetch one"
    )


def disk(folder: Path) -> Check:
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free_gb = shutil.disk_usage(place).free / 1e9
    why = "the transition log of an afternoon with two cameras takes several GB"
    writable = os.access(place, os.W_OK)
    found = f"{free_gb:.0f} GB free in {place}" + ("" if writable else ", not writable")
    return Check(
        "disk", writable and free_gb >= LEAST_FREE_GB, found, why, "free some, or set run.directory elsewhere"
    )


def size() -> Check:
    if not sys.stdout.isatty():
        return Check(
            "terminal size",
            None,
            "no terminal here",
            "the console needs one",
            "run this in the terminal you will use",
        )
    wide, high = shutil.get_terminal_size()
    ok = wide >= LEAST_SIZE[0] and high >= LEAST_SIZE[1]
    return Check(
        "terminal size",
        ok or None,
        f"{wide}x{high}",
        "80x24 shows everything but the pictures, 120x40 all",
        "make it larger",
    )


def colours() -> Check:
    if os.environ.get("NO_COLOR"):
        return Check("colours", True, "none (NO_COLOR is set): shapes and words carry everything")
    term, truecolour = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "")
    if truecolour in ("truecolor", "24bit"):
        return Check("colours", True, f"16 million (TERM={term})")
    if "256" in term:
        do = "export COLORTERM=truecolor where the terminal can, and pass it on (ssh: SendEnv COLORTERM)"
        return Check("colours", None, f"256 (TERM={term})", "camera pictures look coarser", do)
    return Check(
        "colours",
        None,
        f"16 (TERM={term or 'not set'})",
        "camera pictures look poor",
        "export TERM=xterm-256color; in tmux: set -g default-terminal tmux-256color",
    )


def encoding() -> Check:
    name = sys.stdout.encoding.lower()
    ok = name.replace("-", "") == "utf8"
    return Check(
        "encoding", ok, name, "frames, plots and pictures are drawn with Unicode", "export LANG=C.UTF-8"
    )


def answers() -> Check:
    """Ask for the cursor position, as the console does ten times a second."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Check(
            "terminal answers",
            None,
            "no terminal here",
            "the operator's lease hangs on them",
            "run this in the terminal you will use",
        )
    took = _round_trip()
    why = "the terminal's answer keeps the lease alive and paces drawing"
    if took is None:
        return Check(
            "terminal answers",
            None,
            "none to CSI 6n",
            why,
            "the console takes key presses for life signs; another terminal is better",
        )
    slow = took > 0.15
    do = "use `ssh -C`: compression makes a thin line several times faster"
    return Check("terminal answers", None if slow else True, f"in {took * 1000:.0f} ms", why, do)


def _round_trip() -> float | None:
    """Seconds until the terminal answered, None when it does not."""
    here = sys.stdin.fileno()
    before = termios.tcgetattr(here)
    try:
        tty.setcbreak(here)
        asked = time.monotonic()
        os.write(sys.stdout.fileno(), b"\x1b[6n")
        reply = b""
        while not reply.endswith(b"R"):
            left = asked + ANSWER_WITHIN_S - time.monotonic()
            if left <= 0 or not select.select([here], [], [], left)[0]:
                return None
            reply += os.read(here, 64)
        return time.monotonic() - asked
    finally:
        termios.tcsetattr(here, termios.TCSAFLUSH, before)


def multiplexer() -> Iterator[Check]:
    if os.environ.get("TMUX"):
        do = "detaching from tmux releases the arm; `hilserl-tui` survives a lost line without tmux too"
        yield Check(
            "tmux",
            None,
            "inside tmux",
            "tmux answers for the terminal; the console asks it who is attached",
            do,
        )


def egl() -> Check:
    """Render one picture the way the simulated cameras do."""
    why = "the simulated cameras render through EGL, without a display"
    do = "apt install libegl1 libgl1-mesa-dri (dnf: mesa-libEGL mesa-dri-drivers; pacman: mesa)"
    environment = {**os.environ, "MUJOCO_GL": "egl"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _RENDER],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=EGL_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("EGL rendering", False, str(error), why, do)
    if done.returncode == 0:
        return Check("EGL rendering", True, "a test picture was rendered")
    last = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return Check("EGL rendering", False, last, why, do)
