"""Key phases: whether a key is pressed, repeats, or is let go, where the terminal tells (kitty keyboard protocol).

Textual's parser knows presses only, and fails at the field that says which it is. With `driver`, this is the file that
touches Textual's insides. Written against textual 8.2.8 and https://sw.kovidgoyal.net/kitty/keyboard-protocol.
"""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import cast

from textual import events
from textual._time import get_time
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.keys import Keys
from textual.message import Message

# These add to the flags that Textual pushed, and go with them when it pops them.
REPORT_PHASES = "\x1b[=2;2u"
REPORT_LATIN = "\x1b[=4;2u"  # also what the key is on a Latin layout
PRESSES_ONLY = "\x1b[=2;3u"
ASK_FLAGS = "\x1b[?u"
_PHASES_REPORTED = 0b1010  # of all keys: without the 8, those with a text come as plain characters
_ASCII, _SHIFT, _LOCKS = 128, 0b1, 0b1100_0000
_FLAGS = re.compile(r"\x1b\[\?(\d{1,4})u")
# The number of the key (and those of the same key with shift, or on another layout); modifiers and phase; its text.
_KEY = re.compile(
    r"\x1b\[(?P<key>\d*)(?::\d*(?::(?P<latin>\d*))?)?[:\d]*(?:;(?P<modifiers>\d*)(?::(?P<phase>\d*))?)?(?P<text>;[\d:]*)?(?P<end>[u~A-FHPQS])"
)

_CUT = re.compile(r"\x1b\[[?<]?\d[\d;:]*")  # of an answer or a key; nobody types that by hand
_LONGEST = 40  # characters of a sequence that are looked at
REST_WITHIN_S = 0.6  # of a sequence that the line cut in two
_ANSWER = re.compile(r"\x1b\[\d+;\d+R")  # a terminal may put one between two pieces of a pasted text
_CONTROLS = {number: None for number in (*range(32), *range(127, 160)) if chr(number) not in "\n\r\t"}


class Phase(IntEnum):
    """As the protocol numbers them."""

    PRESS = 1
    REPEAT = 2
    RELEASE = 3


class Key(events.Key):
    """A key of which the terminal told whether it was pressed or repeats.

    Its name is that of Textual's class, which makes the handlers' name of it. `code` is the same at press and release.
    """

    def __init__(
        self, key: str, character: str | None, code: str, phase: Phase, latin: "Key | None" = None
    ) -> None:
        super().__init__(key, character)
        self.code, self.phase = code, phase
        self.latin = latin
        """What it would be on a Latin layout, where the person's own has no ASCII character on it."""


class KeyReleased(Message):
    """A key was let go."""

    key = ""  # the parser looks at it, as at those of keys

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code


class KeyboardFlags(Message):
    """The answer to `ASK_FLAGS`."""

    key = ""

    def __init__(self, phases: bool) -> None:
        super().__init__()
        self.phases = phases
        """Whether presses, repeats and releases of all keys are told apart from now on."""


class PhaseParser(XTermParser):
    """Textual's parser, which passes on with keys of escape sequences what the terminal told of them.

    It sees nothing of a pasted text: it would take an escape sequence in it, and what follows that, for keys.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._last = ""  # the sequence that begins with the newest escape character
        self._pasted: list[str] | None = None

    @property
    def pasting(self) -> bool:
        """Whether a paste began and did not end: keys are text until then."""
        return self._pasted is not None

    @property
    def behind_escape(self) -> bool:
        """Whether the last character was an escape that may still begin something, outside a paste."""
        return self._pasted is None and self._last == "\x1b"

    def anew(self) -> "PhaseParser":
        """One that has seen nothing, but knows what the terminal told of its mouse."""
        fresh = PhaseParser()
        for told in ("mouse_pixels", "terminal_size", "terminal_pixel_size", "last_x", "last_y"):
            setattr(fresh, told, getattr(self, told))
        return fresh

    def feed(self, data: str) -> Iterator[Message]:
        for character in data:
            self._last = character if character == "\x1b" else (self._last + character)[-_LONGEST:]
            if self._pasted is not None:
                yield from self._paste(character)
            else:
                yield from super().feed(character)
                if self._last == BRACKETED_PASTE_START:
                    self._pasted = []

    def _paste(self, character: str) -> Iterator[Message]:
        assert self._pasted is not None
        self._pasted.append(character)
        if self._last == BRACKETED_PASTE_END:
            text = "".join(self._pasted).removesuffix(BRACKETED_PASTE_END)
            self._pasted = None
            for _ in super().feed(BRACKETED_PASTE_END):
                pass  # an empty paste: it has seen no more than the two ends
            yield events.Paste(_ANSWER.sub("", text).translate(_CONTROLS))

    def tick(self) -> Iterable[Message]:
        """What began with an escape character and goes on no more is keys; on a late line not as soon as elsewhere."""
        due_s = self._timeout_time
        if due_s is not None:
            late_s = get_time() - due_s
            if _CUT.fullmatch(self._last) and late_s < REST_WITHIN_S:
                return ()
            if late_s >= 0:
                self._last = ""
        return super().tick()

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence.startswith("\x1b["):
            # What is no Key goes the same way: `parse` passes on whatever has a `key`.
            return cast(Iterable[events.Key], self._phases(sequence, alt))
        return self._plain(sequence, alt)

    def _plain(self, sequence: str, alt: bool) -> Iterable[events.Key]:
        return super()._sequence_to_key_events(sequence, alt)

    def _phases(self, sequence: str, alt: bool) -> Iterable[Message]:
        if reply := _FLAGS.fullmatch(sequence):
            return (KeyboardFlags(int(reply[1]) & _PHASES_REPORTED == _PHASES_REPORTED),)
        found = _KEY.fullmatch(sequence)
        if found is None:
            return self._plain(sequence, alt)
        code, phase = f"{found['key'] or 1}{found['end']}", found["phase"] or "1"
        if phase not in ("1", "2", "3"):
            return (events.Key(Keys.Ignore, sequence),)
        if phase == "3":
            return (KeyReleased(code),)
        modifiers = "" if found["modifiers"] is None else f";{found['modifiers']}"
        plain = f"\x1b[{found['key']}{modifiers}{found['text'] or ''}{found['end']}"
        if found["key"] == "0":  # text of an input method, of which no key is let go
            return self._plain(plain, alt)
        latin = self._latin(found, code, Phase(int(phase)))
        return tuple(
            Key(one.key, one.character, code, Phase(int(phase)), latin) for one in self._plain(plain, alt)
        )

    def _latin(self, found: re.Match[str], code: str, phase: Phase) -> Key | None:
        if not found["latin"] or not found["key"] or int(found["key"]) < _ASCII:
            return None
        modifiers = (int(found["modifiers"] or 1) - 1) & ~_LOCKS
        letter = chr(int(found["latin"]))
        text = {0: letter, _SHIFT: letter.upper()}.get(modifiers)
        plain = f"\x1b[{found['latin']};{modifiers + 1}{f';{ord(text)}' if text else ''}u"
        one = next(iter(self._plain(plain, False)), None)
        return Key(one.key, one.character, code, phase) if one else None
