"""Terminal driver: reads keys in its own thread, and does there what must not wait for the event loop.

It extends Textual's Linux driver, and touches Textual's insides, as only `key_phases`, `drawing` and `panes/surface`
do beside it: `run_input_thread` is replaced so that no byte sequence can crash it, `process_message` is where the stop
key, keys that are held and the answers to `CSI 6n` are seen first. Written against textual 8.2.8.
"""

import os
import re
import selectors
import signal
import termios
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual import events
from textual._parser import ParseError
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from hilserl_tui.guarding import LEFT_BY_FORCE
from hilserl_tui.hold_to_move import HoldToMove
from hilserl_tui.key_phases import (
    ASK_FLAGS,
    PRESSES_ONLY,
    REPORT_LATIN,
    REPORT_PHASES,
    Key,
    KeyboardFlags,
    KeyReleased,
    Phase,
    PhaseParser,
)
from hilserl_tui.keymap import driving_keys, remapped, stop_keys
from hilserl_tui.pace import Pacer
from hilserl_tui.paper import Paper
from hilserl_tui.repeats import may_repeat

if TYPE_CHECKING:
    from textual.app import App

PROBE = "\x1b[6n"  # report cursor position: every terminal since the VT100 answers
READ_EVERY_S = 0.1  # also when nothing comes in
PASTE_WITHIN_S = 2.0  # a paste whose end is lost (noise, a line that broke) must not swallow the stop key
MORE_THAN_A_KEY = 12  # characters of one read, without sequences: those are keys and answers
_SEQUENCE = re.compile(r"\x1b\[[^a-zA-Z~]*[a-zA-Z~]")
BEGIN_REPORTS = frozenset("NOP")  # of terminals, behind an escape
LEAVES_FIELD_WITHIN_S = 0.3  # after an escape: what comes then is no text, even where the loop is slow
SETTLE_WITHIN_S = 0.25  # for the terminal to say that it tells presses only; longer means it is gone
ORDERLY_EXIT_WITHIN_S = 3.0  # then the terminal is restored by force


class StopPressed(Message):
    """The stop key was pressed; `delivered` tells whether the station has it already."""

    def __init__(self, delivered: bool) -> None:
        super().__init__()
        self.delivered = delivered


class StopHost(Protocol):
    """What the driver needs of the app; `stop_now` and `terminal_answered` are called in the input thread."""

    hold_to_move: HoldToMove
    typing: bool

    @property
    def pacer(self) -> Pacer: ...

    @property
    def paper(self) -> Paper: ...

    def stop_now(self) -> bool: ...

    def terminal_answered(self, at_s: float) -> None: ...


class _Paste:
    """For how long a paste has brought nothing: until it ends the parser takes every key for text."""

    def __init__(self) -> None:
        self._since_s: float | None = None

    def lost(self, pasting: bool, data: str, now_s: float) -> bool:
        """`pasting`: whether a paste is open after `data` came in; True when its end has not come in time."""
        if not pasting:
            self._since_s = None
        elif self._since_s is None or len(_SEQUENCE.sub("", data)) > MORE_THAN_A_KEY:
            self._since_s = now_s  # it goes on; a person who hammers on a key is no paste
        return self._since_s is not None and now_s - self._since_s > PASTE_WITHIN_S


class ConsoleDriver(LinuxDriver):
    """Textual's driver with a stop key, a life sign and held keys that do not depend on the event loop."""

    def __init__(self, app: "App[Any]", **options: Any) -> None:
        self._writing = False  # in the main thread, where signals are handled
        self._came: list[Callable[[], None]] = []  # meanwhile, and wait for its end
        super().__init__(app, **options)
        self._presses_only = threading.Event()  # set when the terminal said so
        self._escaped_s = float("-inf")
        self._has_terminal = False  # between the beginning and the end of application mode

    @property
    def _host(self) -> StopHost:
        return cast(StopHost, self._app)

    def start_application_mode(self) -> None:
        self._host.paper.forget()  # after a suspension too
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self._has_terminal = self._writer_thread is not None and self._writer_thread.is_alive()
        if not self._has_terminal:
            return  # in the background it is stopped again, until `fg`
        self.probe()  # so that the line is known by the first drawing
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        self.write(REPORT_LATIN)
        if self._host.hold_to_move.wanted:
            self.write(REPORT_PHASES + ASK_FLAGS)

    def stop_application_mode(self) -> None:
        """The shell must not read the release of the key that ended the console: it would print it."""
        self._has_terminal = False
        held = self._host.hold_to_move
        held.spend()
        if held.releases and self._key_thread is not None and self._key_thread.is_alive():
            self._presses_only.clear()
            self.write(PRESSES_ONLY + ASK_FLAGS)
            self._presses_only.wait(SETTLE_WITHIN_S)
        super().stop_application_mode()

    def _sigtstp_application(self, *_: object) -> None:
        """Stop. Before and after application mode Textual would write to a terminal that it does not have."""
        if self._writing:
            self._came.append(self._sigtstp_application)
        elif self._has_terminal:
            super()._sigtstp_application()
        else:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _sigcont_application(self, *_: object) -> None:
        """Go on. A shell sends SIGCONT also to what never stopped, and to what is leaving.

        Where application mode was not left (SIGSTOP), it is first: begun a second time, it would have two input
        threads, and take the modes of a raw terminal for those to return to.
        """
        if self._writing:
            self._came.append(self._sigcont_application)
            return
        if self._has_terminal:
            self.suspend_application_mode()
        elif not self._must_signal_resume:
            return
        self.resume_application_mode()

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse_pixels:
            self.write("\x1b[?1016l")  # Textual leaves it on

    def write(self, data: str) -> None:
        """Hand over to the thread that writes. Signals that stop and go on write too, and wait until this is done.

        The queue to that thread has a lock, which nobody who handles a signal in the middle of this would ever get.
        """
        self._host.pacer.wrote(len(data.encode(errors="replace")))
        if threading.current_thread() is not threading.main_thread():
            super().write(data)
            return
        self._writing = True
        try:
            super().write(data)
        finally:
            self._writing = False
        while self._came:
            self._came.pop(0)()

    def probe(self) -> None:
        """Ask the terminal for a sign of life, behind everything drawn so far."""
        self.write(PROBE)
        self._host.pacer.asked(time.monotonic())

    def process_message(self, message: Message) -> None:
        """Runs in the input thread."""
        if isinstance(message, events.CursorPosition):
            self._host.terminal_answered(time.monotonic())
            return
        if isinstance(message, KeyboardFlags):
            self._host.hold_to_move.releases = message.phases
            if not message.phases:
                self._presses_only.set()
            return
        if isinstance(message, KeyReleased):
            self._host.hold_to_move.release(message.code)
            return
        if isinstance(message, events.AppBlur):
            self._host.hold_to_move.spend()  # releases go to another window from now on
        if isinstance(message, events.Key):
            self._take_key(message)
            return
        super().process_message(message)

    def _take_key(self, key: events.Key) -> None:
        """Stop at once, note what goes down, and pass on what acts: of repeats only what may."""
        now_s, held = time.monotonic(), self._host.hold_to_move
        typing = self._host.typing and now_s - self._escaped_s > LEAVES_FIELD_WITHIN_S
        if key.key == "escape":
            self._escaped_s = now_s
        told = key if isinstance(key, Key) else None
        if told and told.latin and not (typing and key.is_printable) and key.key not in remapped():
            key = told = told.latin  # in every layout stop is where it is printed on a Latin keyboard
        if told and told.phase is Phase.PRESS:
            held.press(told.code)
        if key.key in stop_keys(typing):
            self.send_message(StopPressed(self._host.stop_now()))
            held.spend()
        elif told and told.phase is Phase.REPEAT and not may_repeat(key.key, typing):
            return
        # Where the terminal tells, a plain character is text in place of a key (a paste, noise): it drives nothing.
        elif told or typing or not held.releases or key.key not in driving_keys():
            super().process_message(key)

    def run_input_thread(self) -> None:
        """Read, decode and parse until told to stop; what cannot be understood is skipped."""
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        parser, paste, wait_s = PhaseParser(self._debug), _Paste(), READ_EVERY_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                data = ""
                if selector.select(wait_s):
                    try:
                        raw = os.read(self.fileno, 4096)
                    except OSError:
                        raw = b""
                    if not raw:  # the terminal is gone and no SIGHUP came
                        self._call(self._app.exit)
                        return
                    data = decode(raw)
                parser = self._parse(parser, data)
                if paste.lost(parser.pasting, data, time.monotonic()):
                    parser = parser.anew()
                wait_s = self._host.hold_to_move.keep_up() or READ_EVERY_S

    def _parse(self, parser: PhaseParser, data: str) -> PhaseParser:
        """Feed a chunk; a parser that trips over malformed escape sequences is replaced by a new one."""
        fed, stops = 0, stop_keys(typing=False) - BEGIN_REPORTS
        try:
            # One character at a time: a key behind the malformed part is not lost.
            for character in data:
                fed += 1
                if parser.behind_escape and character in stops:
                    # A person who leaves a field and stops, in tmux, which holds an escape back for half a second
                    # (`escape-time`, before 3.5): the parser takes both for alt and a key, or for text.
                    self.send_message(StopPressed(self._host.stop_now()))
                for message in parser.feed(character):
                    self.process_message(message)
            for message in parser.tick():
                self.process_message(message)
        except (ValueError, OverflowError, LookupError, ParseError, StopIteration):
            return self._parse(parser.anew(), data[fed:])
        return parser

    def _leave(self, number: int, stack: object) -> None:
        """SIGTERM, SIGINT: leave in order; restore the terminal by force when it does not take our output."""
        timer = threading.Timer(ORDERLY_EXIT_WITHIN_S, self._force)
        timer.daemon = True
        timer.start()
        self._call(self._app.exit)

    def _call(self, function: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function)

    def _force(self) -> None:
        if self.attrs_before is not None:
            termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        os._exit(LEFT_BY_FORCE)
