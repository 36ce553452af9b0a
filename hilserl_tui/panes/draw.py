"""Small pieces panes are drawn from. Pure: rows of (text, style name) spans in, the same out."""

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]  # text, name in theme.STYLES
Row = tuple[Span, ...]

# Control characters of a worker's output must never reach the terminal as commands.
_PLAIN = dict.fromkeys((*range(32), *range(127, 160)), "·")
_PLAIN[9] = " "

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def plain(text: str) -> str:
    return text.translate(_PLAIN)


def row_width(row: Row) -> int:
    return sum(cell_len(text) for text, _ in row)


def fit(row: Row, width: int, fill: str = "text") -> Row:
    """The row cut or padded to exactly `width` cells."""
    out: list[Span] = []
    left = width
    for text, style in row:
        if left <= 0:
            break
        text = plain(text)
        size = cell_len(text)
        if size > left:
            text, size = set_cell_size(text, left), left
        out.append((text, style))
        left -= size
    if left > 0:
        out.append((" " * left, fill))
    return tuple(out)


def spread(left: Row, right: Row, width: int, fill: str = "text") -> Row:
    """`left` at the left, `right` at the right end; `left` gives way when both do not fit."""
    room = width - row_width(right)
    if room <= 0:
        return fit(right, width, fill)
    return (*fit(left, room, fill), *right)


def elide(text: str, width: int) -> str:
    """`text` padded or cut with … to `width` cells."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""


def elide_left(text: str, width: int) -> str:
    """The end of `text` in at most `width` cells, after … where its beginning is cut."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return "…" + text if width > 0 else ""


def count(number: float) -> str:
    """A count in at most 5 cells: 999, 1.2k, 38.4k, 1.2M."""
    if number < 1000:
        return f"{number:.0f}"
    if number < 999_950:
        return f"{number / 1000:.1f}k"
    return f"{number / 1e6:.1f}M"


def size(number: float) -> str:
    """Bytes for people: 512 B, 3.1 kB, 93 MB, 1.2 GB."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= scale:
            value = number / scale
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{number:.0f} B"


def age(seconds: float) -> str:
    """4 s, 3 min, 2.1 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def figure(value: float | None, digits: int = 2, width: int = 4) -> str:
    """A fixed-width number, `–` when there is none."""
    return "–".rjust(width) if value is None else f"{value:{width}.{digits}f}"


def bar(fraction: float, width: int, style: str) -> Row:
    """A fill bar in eighths of a cell; anything above zero shows at least an eighth."""
    share = min(1.0, max(0.0, fraction))
    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(1, eighths)
    full, rest = divmod(eighths, 8)
    head = "█" * full + (_EIGHTHS[rest] if rest else "")
    return ((head, style), ("░" * (width - len(head)), "faint"))


def gauge(value: float, low: float, high: float, width: int, style: str) -> Row:
    """`├───◆───┤`: where `value` lies from `low` at the left to `high` at the right; ◂ or ▸ when outside."""
    inner = max(1, width - 2)
    share = (value - low) / (high - low) if high != low else 0.5
    at = min(inner - 1, max(0, round(share * (inner - 1))))
    mark = "◂" if share < -0.005 else "▸" if share > 1.005 else "◆"
    return (("├" + "─" * at, "faint"), (mark, style), ("─" * (inner - 1 - at) + "┤", "faint"))
