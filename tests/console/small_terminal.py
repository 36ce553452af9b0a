"""A terminal that knows cursor positions, colours, bold and underline, and looks at nothing else."""

import re
from codecs import getincrementaldecoder

from rich.cells import get_character_cell_size

HALF = "▀"
_TOKEN = re.compile(
    r"\x1b\[(?P<codes>[?<>=\d;:]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]|[\x00-\x1a\x1c-\x1f]"
    r"|(?P<text>[^\x00-\x1f\x1b]+)"
)


class SmallTerminal:
    """What stands in each cell, and the ink that shows there."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, ...]] = {}
        self.y = self.x = 0
        self.ink: dict[str, str] = {}
        self._rest = ""
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode

    def receive(self, data: bytes) -> None:
        """Bytes as they come; what was cut off in the middle waits for its other half."""
        self.take(self._decode(data))

    def take(self, written: str) -> None:
        written, at = self._rest + written, 0
        while found := _TOKEN.match(written, at):
            at = found.end()
            if found["text"] is not None:
                for character in found["text"]:
                    self._put(character)
            elif found["final"] is not None:
                self._obey(found["codes"], found["final"])
        self._rest = written[at:]

    def moved(self) -> None:
        """The cursor leaves the row `y`, or the terminal is asked where it is."""

    def row(self, y: int, width: int) -> str:
        """As a person reads it; half blocks and blanks are both blank."""
        return "".join(_letter(self.cells.get((y, x), (" ",))[0]) for x in range(width))

    def text(self, width: int, height: int) -> list[str]:
        return [self.row(y, width) for y in range(height)]

    def _obey(self, codes: str, final: str) -> None:
        if final == "H":
            self.moved()
            self.y, self.x = (int(number) - 1 for number in (codes or "1;1").split(";"))
        elif final == "G":
            self.x = int(codes) - 1
        elif final == "m":
            self._styled(codes)
        elif final == "n":
            self.moved()

    def _styled(self, codes: str) -> None:
        for code in re.findall(r"[34]8;2;\d+;\d+;\d+|\d+", codes):
            if code == "0":
                self.ink = {}
            elif code[:2] in ("38", "48"):
                self.ink[code[:2]] = code[5:]
            elif code in ("39", "49"):
                self.ink.pop(code[0] + "8", None)
            else:
                self.ink[code] = "on"

    def _put(self, character: str) -> None:
        front, back = self.ink.get("38", "front"), self.ink.get("48", "back")
        lines = ["underlined", front] if "4" in self.ink else []
        if character in (HALF, " "):
            shown = ("halves", front if character == HALF else back, back, *lines)
        else:
            shown = (character, front, back, "bold" if "1" in self.ink else "", *lines)
        wide = get_character_cell_size(character)
        if wide == 0:
            return
        self.cells[self.y, self.x] = shown
        if wide == 2:
            self.cells[self.y, self.x + 1] = ("",)
        self.x += wide


def _letter(shown: str) -> str:
    return " " if shown == "halves" else shown
