"""Text of another machine: what it may do to a terminal here is nothing."""

from typing import Final

TEXT_BYTES: Final = 4096


def printable(text: str) -> str:
    """`text` of another machine, safe and short enough for a terminal."""
    return "".join(char if char.isprintable() else " " for char in text[:TEXT_BYTES])
