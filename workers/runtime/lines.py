"""Files of one record a line, which a kill or a full disk can tear."""

from pathlib import Path


def line_end(path: Path) -> bytes:
    """What has to be written before the next line: a newline after a torn one, else nothing."""
    if not path.exists() or not path.stat().st_size:
        return b""
    with path.open("rb") as file:
        file.seek(-1, 2)
        return b"" if file.read() == b"\n" else b"\n"
