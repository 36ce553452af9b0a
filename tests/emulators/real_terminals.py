"""Real terminals on a virtual display: xterm and kitty under Xvfb, typed into by xdotool, and an sshd of our own."""

import mmap
import os
import shlex
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
SIZE = (1400, 900)  # pixels of the display
OPENS_WITHIN_S = 30.0
PIXELS_AT = 25  # header words of an X window dump, big-endian; then its name, and the colours' 12 bytes each
XTERM = ("-u8", "-fa", "DejaVu Sans Mono", "-fs", "9", "-xrm", "xterm*allowTitleOps: false")
KITTY = (
    "remember_window_size=no",
    "repaint_delay=50",  # Mesa draws with the processor
    "sync_to_monitor=no",
    "confirm_os_window_close=0",
    "update_check_interval=0",
    "font_size=9",
)
DRAWN_BY_PROCESSOR = {"LIBGL_ALWAYS_SOFTWARE": "1", "LP_NUM_THREADS": "1"}


def needs(*programs: str) -> None:
    """Skip the test where one of these is absent."""
    missing = [name for name in programs if program(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def patiently(what: Callable[[], T], within_s: float = OPENS_WITHIN_S) -> T:
    """The first true answer."""
    until_s = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < until_s, "did not happen"
        time.sleep(0.05)
    return found


class Display:
    """An X server without a screen. Its pixels can be looked at without asking it."""

    def __init__(self, folder: Path) -> None:
        read, write = os.pipe()
        geometry = f"{SIZE[0]}x{SIZE[1]}x24"
        self._process = subprocess.Popen(
            [
                "Xvfb",
                "-displayfd",
                str(write),
                "-screen",
                "0",
                geometry,
                "-fbdir",
                str(folder),
                "-noreset",  # when xdotool leaves, and nobody else is there yet
                "-nolisten",
                "tcp",
            ],
            pass_fds=[write],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        number = b""
        while not number.endswith(b"\n"):
            more = os.read(read, 16)
            assert more, "Xvfb did not start"
            number += more
        os.close(read)
        self.environment = {**os.environ, "DISPLAY": f":{int(number)}", "LANG": "C.UTF-8"}
        for name in ("TMUX", "NO_COLOR", "COLORTERM"):
            self.environment.pop(name, None)
        with (folder / "Xvfb_screen0").open("rb") as dump:
            self._dump = mmap.mmap(dump.fileno(), 0, prot=mmap.PROT_READ)
        words = struct.unpack(f">{PIXELS_AT}I", self._dump[: 4 * PIXELS_AT])
        self._pixels_at, self._row_bytes = words[0] + 12 * words[19], words[12]

    def do(self, *arguments: object) -> str:
        """Ask xdotool; "" where it found nothing."""
        return self.run("xdotool", *map(str, arguments)).strip()

    def run(self, *command: str) -> str:
        """What a program on this display says; what it complains of is nothing to us."""
        ran = subprocess.run(command, check=False, env=self.environment, capture_output=True, text=True)
        return ran.stdout

    def colours(self) -> int:
        """How many different ones are on the display."""
        rows = range(0, SIZE[1], 3)
        seen: set[bytes] = set()
        for row in rows:
            at = self._pixels_at + row * self._row_bytes
            line = self._dump[at : at + 4 * SIZE[0]]
            seen.update(line[x : x + 4] for x in range(0, len(line), 12))
        return len(seen)

    def picture(self, path: Path) -> None:
        """For whoever wants to look; where ImageMagick is absent there is none."""
        if shutil.which("import"):
            self.run("import", "-silent", "-window", "root", str(path))

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


class Window:
    """A terminal in a window that has the keyboard, in which a command runs.

    Args:
        kind: "xterm" or "kitty".
        folder: of its own, for what it says.
    """

    def __init__(
        self,
        display: Display,
        kind: str,
        command: Sequence[str],
        folder: Path,
        size: tuple[int, int] = (120, 40),
    ) -> None:
        self.display, self.kind, self._folder = display, kind, folder
        title = f"{kind}-{time.monotonic_ns()}"
        of_kind = self._xterm if kind == "xterm" else self._kitty
        self.process = subprocess.Popen(
            [*of_kind(title, *size), *command],
            env={**display.environment, **DRAWN_BY_PROCESSOR},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._id = patiently(lambda: display.do("search", "--name", f"^{title}$"))
        self.focus()

    def _xterm(self, title: str, wide: int, high: int) -> list[str]:
        prints = (
            "-xrm",
            f"xterm*printFileImmediate: {self._folder}/screen",
            "-xrm",
            "xterm*VT100.translations: #override <Key>F12: print-immediate()",
        )
        return ["xterm", "-T", title, "-geometry", f"{wide}x{high}+0+0", *XTERM, *prints, "-e"]

    def _kitty(self, title: str, wide: int, high: int) -> list[str]:
        options = (
            *KITTY,
            f"initial_window_width={wide}c",
            f"initial_window_height={high}c",
            "allow_remote_control=socket-only",
        )
        listens = ("--listen-on", f"unix:{self._folder}/kitty")
        set_to = [word for option in options for word in ("-o", option)]
        return ["kitty", "--config", "NONE", "--title", title, *listens, *set_to]

    def focus(self) -> None:
        self.display.do("windowfocus", "--sync", self._id)

    def key(self, *names: str) -> None:
        """Press and let go, one after the other."""
        for name in names:
            self.display.do("key", name)
            time.sleep(0.05)

    def down(self, name: str) -> float:
        """When the key was pressed, monotonic seconds: not before."""
        self.display.do("keydown", name)
        return time.monotonic()

    def up(self, name: str) -> float:
        """When the key was let go: not later."""
        now_s = time.monotonic()
        self.display.do("keyup", name)
        return now_s

    def line(self, text: str) -> None:
        """Type a line."""
        self.display.do("type", "--delay", 12, text)
        self.key("Return")

    def text(self) -> str:
        """What it shows, by its own word."""
        if self.kind == "kitty":
            return self.display.run("kitty", "@", "--to", f"unix:{self._folder}/kitty", "get-text")
        for old in self._folder.glob("screen*"):
            old.unlink()
        return max(patiently(self._printed)).read_text(errors="replace")

    def _printed(self) -> list[Path]:
        """An xterm that opens may miss the first key."""
        self.key("F12")
        time.sleep(0.3)  # until it is written
        return list(self._folder.glob("screen*"))

    def until_shown(self, *words: str, within_s: float = OPENS_WITHIN_S) -> str:
        """What it shows, as soon as all these words are there."""
        until_s = time.monotonic() + within_s
        while not all(word in (text := self.text()) for word in words):
            assert time.monotonic() < until_s, f"{words} are not shown:\n{text}"
            time.sleep(0.2)
        return text

    def close(self) -> None:
        """As by its button: what runs in it gets SIGHUP."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Sshd:
    """A server on loopback for whoever runs it, with keys and configuration below `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir(mode=0o700)
        self._key = folder / "key"
        for name in ("host", "key"):
            keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(keygen, check=True)
        (folder / "config").write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/key.pub\n"
            "PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nPrintLastLog no\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # else it does not start
        server = program("sshd")
        assert server is not None
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [server, "-D", "-e", "-f", str(folder / "config")], stderr=log, start_new_session=True
            )
        patiently(lambda: self._process.poll() is not None or b"listening" in self._log.read_bytes())
        if self._process.poll() is not None:
            pytest.skip(f"sshd does not start here: {self._log.read_text().strip()}")

    def client(self, port: int, command: str) -> list[str]:
        """The client's command line for `command` on a terminal there, by way of `port`."""
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        set_to = [word for option in options for word in ("-o", option)]
        return [
            "ssh",
            "-F",
            "none",
            "-tt",
            "-p",
            str(port),
            "-i",
            str(self._key),
            *set_to,
            "127.0.0.1",
            command,
        ]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def shell_line(command: Sequence[object], **environment: object) -> str:
    """A command for a shell, with these variables set."""
    setting = [f"{name}={shlex.quote(str(value))}" for name, value in environment.items()]
    return " ".join(["exec", "env", *setting, *(shlex.quote(str(part)) for part in command)])
