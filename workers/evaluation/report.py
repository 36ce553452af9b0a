"""The report of an evaluation: one page of HTML that needs nothing beside it, and runs nothing."""

import base64
import time
from html import escape
from pathlib import Path

import cv2

from workers.evaluation.plots import COLOURS, Bar, Dot, intervals, times
from workers.model.evaluation import SIDES, Result, Trial
from workers.model.evaluation_figures import (
    Comparison,
    comparison,
    counted,
    end_in_words,
    lines,
    outcome,
    short,
    state_in_words,
    summary,
)

THUMBNAIL_PX = 96
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2329; background: #fff; margin: 2em auto; max-width: 60em;
  padding: 0 1em; }
h1 { font-size: 1.5em; margin-bottom: 0; } h2 { font-size: 1.15em; margin-top: 2em; }
.dim { color: #5d6873; } .verdict { font-weight: 600; }
code { font-family: ui-monospace, monospace; font-size: 0.92em; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 600; }
th, td { padding: 0.3em 0.7em 0.3em 0; border-bottom: 1px solid #e2e6ea; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; max-width: 100%; height: auto; } .uncounted { color: #8a8f96; }
img { width: 72px; image-rendering: pixelated; border: 1px solid #e2e6ea; vertical-align: top; margin-right: 2px; }
"""


def report(result: Result, folder: Path) -> str:
    """The page; pictures are read from `folder`, and left out where they are not there."""
    title = f"Evaluation of {result.run}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _facts(result),
        "<h2>Summary</h2>",
        *(f"<p>{escape(line)}</p>" for line in lines(result)),
        "<h2>Success, with its 95 % interval</h2>",
        _success(result),
    ]
    if (against := comparison(result)) is not None:
        parts += ["<h2>A minus B</h2>", _difference(against)]
    parts += ["<h2>How trials ended</h2>", _ends(result)]
    if any(trial.counted for trial in result.trials):
        parts += [
            "<h2>Cycle times</h2>",
            _times(result),
            '<p class="dim">Full: succeeded. Hollow: did not.</p>',
        ]
    parts += [
        "<h2>Policies</h2>",
        _policies(result),
        "<h2>Trials</h2>",
        _trials(result, folder),
        _how(result),
    ]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _facts(result: Result) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(result.began_s))
    where = "simulator" if result.simulated else "real arm"
    words = f"{result.task.replace('_', ' ')}, {where}, {when}, seed {result.seed}: {state_in_words(result)}"
    return f'<p class="dim">{escape(words)}</p>'


def _name(result: Result, side: int) -> str:
    label = result.contestants[side].label
    return f"{SIDES[side]} {label}" if len(result.contestants) > 1 else label


def _success(result: Result) -> str:
    bars = []
    for side in range(len(result.contestants)):
        one = summary(result, side)
        low, high = one.interval
        label = f"{_name(result, side)}  {one.successes}/{one.trials}"
        bars.append(Bar(label, one.rate if one.trials else (low + high) / 2, low, high, COLOURS[side]))
    return intervals(bars, 0.0, 1.0, [(n / 5, f"{20 * n} %") for n in range(6)])


def _difference(against: Comparison) -> str:
    low, high = against.interval
    plot = intervals(
        [Bar(f"{against.pairs} pairs", against.difference, low, high, "#3c454e")],
        -1.0,
        1.0,
        [(n / 2, f"{50 * n:+d}" if n else "0") for n in range(-2, 3)],
    )
    words = (
        f"Both succeeded in {against.both} pairs, only A in {against.first}, only B in {against.second}, "
        f"neither in {against.neither}."
    )
    return f'{plot}\n<p class="verdict">{escape(against.verdict)}</p>\n<p class="dim">{words} Percentage points.</p>'


def _ends(result: Result) -> str:
    rows = []
    for side in range(len(result.contestants)):
        one = summary(result, side)
        ends = ", ".join(f"{words} {count}" for words, count in one.ends) or "none yet"
        more = f"{one.uncounted} not counted" if one.uncounted else ""
        rows.append(_row(_name(result, side), ends, more))
    return _table(("policy", "trials that count", ""), rows)


def _times(result: Result) -> str:
    rows = []
    for side in range(len(result.contestants)):
        dots = [
            Dot(t.seconds, t.success, f"trial {t.number + 1}: {end_in_words(t)}, {t.seconds:.1f} s")
            for t in counted(result, side)
        ]
        rows.append((_name(result, side), COLOURS[side], dots))
    longest = max(trial.seconds for trial in result.trials if trial.counted)
    return times(rows, 1.05 * max(longest, 0.1))


def _policies(result: Result) -> str:
    rows = []
    for side, one in enumerate(result.contestants):
        updates = "" if one.updates is None else f"{one.updates}"
        cells = (_name(result, side), one.run, f"{one.policy_version}", updates)
        rows.append(_row(*cells, code=(short(one), one.source)))
    return _table(("policy", "run", "version", "updates", "weights", "from"), rows)


def _trials(result: Result, folder: Path) -> str:
    head = ["trial", "policy", "seed", "ended", "steps", "seconds"]
    cameras = list(dict.fromkeys(camera for trial in result.trials for camera in trial.pictures))
    rows = [_trial_row(trial, cameras, folder) for trial in result.trials]
    return _table((*head, *(f"{camera}: first, last" for camera in cameras)), rows)


def _trial_row(trial: Trial, cameras: list[str], folder: Path) -> str:
    cells = [
        f'<td class="number">{trial.number + 1}</td>',
        f"<td>{SIDES[trial.side]}</td>",
        f'<td class="number">{trial.seed}</td>',
        f"<td>{'●' if trial.success else '○'} {escape(outcome(trial))}</td>",
        f'<td class="number">{trial.steps}</td>',
        f'<td class="number">{trial.seconds:.1f}</td>',
    ]
    for camera in cameras:
        images = "".join(_thumbnail(folder / name, camera) for name in trial.pictures.get(camera, ()))
        cells.append(f"<td>{images}</td>")
    look = "" if trial.counted else ' class="uncounted"'
    return f"<tr{look}>{''.join(cells)}</tr>"


def _thumbnail(path: Path, camera: str) -> str:
    """A small copy inside the page, "" where there is no picture."""
    picture = cv2.imread(str(path)) if path.exists() else None
    if picture is None:
        return ""
    scale = THUMBNAIL_PX / max(picture.shape[:2])
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    if not done:
        return ""
    text = base64.b64encode(data.tobytes()).decode()
    return f'<img src="data:image/jpeg;base64,{text}" alt="{escape(camera)}"/>'


def _how(result: Result) -> str:
    words = [
        "The policy acts alone and deterministically. A trial in which somebody takes over does not count and is "
        "repeated from the same start. Cycle times are of trials that succeeded, from the first observation to the "
        "last. Intervals of rates: Wilson 1927."
    ]
    if len(result.contestants) > 1:
        words.append(
            "A and B take turns (A B, B A, ...), both trials of a pair from the same start. Interval of the "
            "difference: Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10, for pairs."
        )
    return f'<h2>How it is counted</h2>\n<p class="dim">{escape(" ".join(words))}</p>'


def _row(*cells: str, code: tuple[str, ...] = ()) -> str:
    plain = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr>{plain}{''.join(f'<td><code>{escape(cell)}</code></td>' for cell in code)}</tr>"


def _table(head: tuple[str, ...], rows: list[str]) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    inside = "\n".join(rows)
    return f"<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{inside}\n</tbody>\n</table>"
