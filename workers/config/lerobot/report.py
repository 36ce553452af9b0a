"""Says in words what became of every key of an imported file."""

import json
from collections import Counter
from collections.abc import Sequence

from workers.config.lerobot.draft import Fate, Line
from workers.config.lines import dotted

KEY_WIDTH, VALUE_WIDTH = 52, 22


def report(lines: Sequence[Line], base: str, remarks: Sequence[str] = ()) -> str:
    """One line a key, by what became of it: what was taken first, what nobody knows last.

    `base` is the ready configuration that has what the file leaves open; `remarks` come last.
    """
    parts = []
    for fate in Fate:
        mine = [line for line in lines if line.fate is fate]
        if mine:
            parts.append("\n".join([f"{fate.value}:", *map(_line, mine)]))
    counts = Counter(line.fate for line in lines)
    told = ", ".join(f"{counts[fate]} {fate.value}" for fate in Fate if counts[fate])
    rest = f"All that the file leaves open is as in {base}.toml, which learns in simulation."
    return "\n\n".join([*parts, "\n".join([f"{len(lines)} keys: {told or 'none'}.", rest, *remarks])])


def _line(line: Line) -> str:
    value = json.dumps(line.value, ensure_ascii=False)
    value = value if len(value) <= VALUE_WIDTH else value[: VALUE_WIDTH - 3] + "..."
    text = line.text if line.fate is Fate.TAKEN else f"({line.text})"
    return f"  {dotted(line.path):<{KEY_WIDTH}} {value:<{VALUE_WIDTH}} {text}"
