"""Where each key of a TOML text stands.

`tomllib` gives values without places, so this walks the text a second time, once it is known to be valid
TOML, and notes the line of every table header and key. It reads structure only; values are skipped.
"""

import json
import re

KeyPath = tuple[str, ...]

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}

    def skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found.group()

    def take(self, mark: str) -> bool:
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def note(self, path: KeyPath) -> None:
        """Remember this line for `path`, and for the tables around it unless they have one already."""
        line = self.text.count("\n", 0, self.at) + 1
        self.lines[path] = line
        for length in range(1, len(path)):
            self.lines.setdefault(path[:length], line)

    def key(self) -> KeyPath:
        parts = []
        while True:
            self.skip(_BLANK)
            part = self.skip(_KEY_PART)
            parts.append(part[1:-1] if part[:1] in "\"'" else part)
            self.skip(_BLANK)
            if not part or not self.take("."):
                return tuple(parts)

    def document(self) -> None:
        table: KeyPath = ()
        while self.skip(_BETWEEN) is not None and self.at < len(self.text):
            before = self.at
            if self.take("[["):
                table = self.key()
                self.note(table)
                self.take("]]")
            elif self.take("["):
                table = self.key()
                self.note(table)
                self.take("]")
            else:
                self.pair(table)
            if self.at == before:
                return

    def pair(self, table: KeyPath) -> None:
        path = table + self.key()
        self.note(path)
        if self.take("="):
            self.skip(_BLANK)
            self.value(path)

    def value(self, path: KeyPath) -> None:
        if self.take("{"):
            self.members("}", path)
        elif self.take("["):
            self.members("]", path)
        elif not self.skip(_STRING):
            self.skip(_SCALAR)

    def members(self, end: str, path: KeyPath) -> None:
        """The inside of an inline table or an array, up to and with its end mark."""
        while self.at < len(self.text):
            self.skip(_BETWEEN)
            before = self.at
            if self.take(end):
                return
            if end == "}":
                self.pair(path)
            else:
                self.value(path)
            if self.at == before:
                return


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line, counted from 1, of every table and key of a valid TOML `text`."""
    walk = _Walk(text)
    walk.document()
    return walk.lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """Line of `path`, or of the nearest table around it that the text mentions; 1 when there is none."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def dotted(path: KeyPath) -> str:
    """`path` as TOML writes it, parts that hold dots in quotes."""
    return ".".join(part if _BARE.fullmatch(part) else quoted(part) for part in path)


def quoted(text: str) -> str:
    """`text` as a string of TOML: like one of JSON, but for DEL, which only JSON has as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
