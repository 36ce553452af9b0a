"""Tally: what an evaluation has come to: success with its interval, cycle times, A against B, time left."""

import time
from pathlib import Path
from textwrap import wrap

from hilserl_tui.evaluate_keys import GO_ON
from hilserl_tui.keymap import hint
from hilserl_tui.panes.draw import Row, age, bar, elide, elide_left, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.evaluation import SIDES, Result
from workers.model.evaluation_figures import (
    UNDECIDED,
    Comparison,
    Summary,
    comparison,
    counted,
    left_s,
    made,
    next_side,
    short,
    state_in_words,
    summary,
    wanted,
)
from workers.model.evaluation_files import REPORT
from workers.model.events import Phase

STYLES = ("blue", "amber")  # A, B: as in the report
WORDS = 19  # cells beside an interval: its figures


def can_go_on(view: View) -> bool:
    """Whether nothing runs that would have to end before an evaluation goes on."""
    return not view.recorded and (view.idle or view.over != "")


class Tally(Lines):
    """`result` is set by the screen; `live` while it is the one that runs; `cut_off` is one that lacks trials."""

    title = "evaluation"
    result: Result | None = None
    cut_off: Result | None = None
    live = False

    def watched(self, view: View) -> tuple[object, ...]:
        state = view.state
        clock = int(view.now_s) if self.live else 0
        return self.result, self.cut_off, self.live, state.progress, state.running, state.run, clock

    def heading(self, view: View) -> tuple[str, str]:
        result = self.result
        if result is None:
            return self.title, ""
        return f"{self.title}  {result.run}", "runs now" if self.live else "kept"

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        result, run = self.result, view.state.run
        if result is None:
            return _nothing(view, self.cut_off, width)
        rows = [_running(view, result, width) if self.live else _ended(result, width)]
        if not self.live and result == self.cut_off and run is not None:
            rows += _how_to_go_on(view, result, run.config_path, width)
        sides = len(result.contestants)
        airy = height >= 4 * sides + 3 * (sides > 1) + 3
        for side in range(sides):
            rows += [(), *_side(result, side, width)] if airy else _side(result, side, width)
        if (against := comparison(result)) is not None:
            rows += [(), *_against(against, width)] if airy else _against(against, width)
        room = height - len(rows)
        if room > 0:
            rows += [()] * min(1, room - 1)
            rows.append(
                (("report ", "dim"), (elide_left(str(Path(result.folder) / REPORT), width - 7), "faint"))
            )
        return [*rows, *_times(result, width, height - len(rows))]


def interval(value: float | None, low: float, high: float, width: int, style: str) -> Row:
    """`├──━━━●━━──┤`: an interval inside 0 to 1, and the value in it where there is one."""
    inner = max(1, width - 2)
    first, last, at = (min(inner - 1, max(0, round(x * (inner - 1)))) for x in (low, high, value or 0.0))
    cells = ["━" if first <= cell <= last else "─" for cell in range(inner)]
    if value is not None:
        cells[at] = "●"
    line = "".join(cells)
    return (
        ("├" + line[:first], "faint"),
        (line[first : last + 1], style),
        (line[last + 1 :] + "┤", "faint"),
    )


def _how_to_go_on(view: View, result: Result, config_path: str, width: int) -> list[Row]:
    if can_go_on(view) and GO_ON.caption:
        left = wanted(result) - made(result)
        return [((f" {GO_ON.caption} ", "key"), (f" makes the {left} trials that it lacks", "bold"))]
    command = f"hilserl-tui evaluate {config_path} --continue"
    rows: list[Row] = [((line, "text"),) for line in wrap(command, max(8, width), break_on_hyphens=False)]
    rows[-1] = (*rows[-1], ("  makes the rest", "dim"))
    return rows


def _nothing(view: View, cut_off: Result | None, width: int) -> list[Row]:
    run = view.state.run
    if run is None:
        return [(("no run yet", "dim"),)]
    if run.mode == "evaluate":
        if view.idle:
            does = "makes the trials that are left" if run.continues else "starts the trials"
            rows: list[Row] = [
                ((f" {hint('start')} ", "key"), (f" {does}", "bold")),
                (("the policy acts alone, deterministic", "dim"),),
            ]
            if cut_off is not None and not run.continues:
                done = f" goes on with the one cut off after {made(cut_off)} of {wanted(cut_off)} trials"
                rows.insert(1, ((f" {GO_ON.caption or 'the palette'} ", "key"), (done, "amber")))
            return rows
        return [((view.state.progress.detail or "it begins", "dim"),)]
    rows = [(("nothing was evaluated yet", "bold"),)]
    if run.trains:
        rows += _newest(view)
    command = elide_left(f"hilserl-tui evaluate {run.config_path}", width)
    return [*rows, (("any of its policies, in a shell:", "dim"),), ((command, "text"),)]


def _newest(view: View) -> list[Row]:
    """How the policy is tried that the run has now."""
    if view.over:
        return []
    if not view.state.learner.policy_version:
        return [(("the run tries its policy itself once there is one", "dim"),)]
    return [((f" {hint('evaluate')} ", "key"), (" evaluates the newest policy of this run now", "dim"))]


def _running(view: View, result: Result, width: int) -> Row:
    """Which trial runs, how far it is, and how long the rest takes."""
    side, running = next_side(result), view.state.running
    name = f" {SIDES[side]}" if side is not None and len(result.contestants) > 1 else ""
    head: Row = (
        ("trial ", "dim"),
        (f"{min(made(result) + 1, wanted(result))} of {wanted(result)}{name}", "bold"),
    )
    left = None if view.recorded else left_s(result, time.time())
    tail: Row = ((f" about {age(left)} left" if left is not None else "", "dim"),)
    if view.state.progress.phase is Phase.EVALUATING and running.step_limit and width >= 60:
        share = running.step / running.step_limit
        head = (*head, (f"  step {running.step:>3}/{running.step_limit} ", "dim"), *bar(share, 16, "violet"))
    return spread(head, tail, width)


def _ended(result: Result, width: int) -> Row:
    shape = ("● ", "green") if result.complete else ("◐ ", "amber")
    words = elide(state_in_words(result), max(0, width - 19)).rstrip()
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(result.began_s))
    return spread((shape, (words, "bold" if result.complete else "amber")), ((when, "dim"),), width)


def _side(result: Result, side: int, width: int) -> list[Row]:
    one, contestant, style = summary(result, side), result.contestants[side], STYLES[side]
    low, high = one.interval
    name = f"{SIDES[side]} " if len(result.contestants) > 1 else ""
    rate = f"  {one.rate:4.0%}" if one.trials else ""
    head = spread(
        ((name, style), (contestant.label, "bold"), (f"  weights {short(contestant)}", "dim")),
        ((f"{one.successes} of {one.trials}", "bold"), (rate, style)),
        width,
    )
    words = f" 95%: {100 * low:3.0f} to {100 * high:3.0f} %"
    drawn = interval(one.rate if one.trials else None, low, high, width - WORDS, style)
    return [head, (*drawn, (words, "dim")), _more(one, width)]


def _more(one: Summary, width: int) -> Row:
    """Cycle times, ends."""
    cycle = (
        "no success yet" if one.mean_s is None else f"cycle {one.mean_s:.1f} s, median {one.median_s:.1f} s"
    )
    ends = ", ".join(f"{words} {count}" for words, count in one.ends)
    uncounted = f"  {one.uncounted} not counted" if one.uncounted else ""
    return spread(((cycle, "text"), (f"  {ends}" if ends else "", "dim")), ((uncounted, "amber"),), width)


def _times(result: Result, width: int, height: int) -> list[Row]:
    """Where there is room: how long each trial took, successes before the others."""
    sides = range(len(result.contestants))
    longest_s = max((trial.seconds for trial in result.trials if trial.counted), default=0.0)
    if height < len(sides) + 4 or not longest_s:
        return []
    rows: list[Row] = [(), (("seconds of each trial", "dim"),)]
    wide = max(1, width - 2)
    for side in sides:
        cells = [(" ", "text")] * wide
        for trial in sorted(counted(result, side), key=lambda trial: trial.success):
            at = min(wide - 1, int(trial.seconds / longest_s * wide))
            cells[at] = ("●", "green") if trial.success else ("○", "red")
        name = SIDES[side] if len(sides) > 1 else " "
        rows.append(((name + " ", STYLES[side]), *cells))
    return [*rows, spread((("  0", "faint"),), ((f"{longest_s:.1f} s", "faint"),), width)]


def _against(against: Comparison, width: int) -> list[Row]:
    low, high = (100 * end for end in against.interval)
    told = against.verdict not in (UNDECIDED,) and against.pairs > 0
    figures = f"A minus B {100 * against.difference:+.0f} points, 95%: {low:+.0f} to {high:+.0f}  {against.pairs} pairs"
    return [
        ((figures if against.pairs else "A against B", "text"),),
        ((elide(against.verdict, width).rstrip(), "green" if told else "amber"),),
    ]
