"""What does not fit a run, as a table with what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap

_ADVICE_WIDE = 78


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a dataset, or a classifier, does not fit the run."""

    what: str
    here: str
    there: str
    to_do: str


def as_table(rows: Iterable[Difference], there: str = "the dataset") -> str:
    """The differences as a table, each followed by what to do; for a terminal of 80 columns.

    `there` heads the column of what does not fit this run.
    """
    rows = list(rows)
    cells = [("", "this run", there), *((row.what, row.here, row.there) for row in rows)]
    widths = [max(len(cell[column]) for cell in cells) for column in range(2)]
    head, *found = [f"  {what:{widths[0]}}  {here:{widths[1]}}  {other}" for what, here, other in cells]
    lines = [head]
    for line, row in zip(found, rows, strict=True):
        lines += [line, *wrap(row.to_do, _ADVICE_WIDE, initial_indent="    -> ", subsequent_indent="       ")]
    return "\n".join(lines)
