"""What to do now in the search for the workspace, what is still wrong, and in the end what would be written."""

from textwrap import wrap

from hilserl_tui.keymap import footer_entry, hint
from hilserl_tui.panes.draw import Row, row_width
from hilserl_tui.panes.lines import Lines
from hilserl_tui.panes.survey import NO_ARM
from hilserl_tui.view import View
from workers.model.events import RunOpened
from workers.model.survey import Stage, Survey


class SurveyNext(Lines):
    title = "what now"

    def watched(self, view: View) -> tuple[object, ...]:
        state = view.state
        return (
            view.face,
            state.survey,
            state.run,
            state.progress,
            view.human,
            state.control.scripted,
            view.unconfirmed,
        )

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        run, survey = view.state.run, view.state.survey
        if run is None:
            return [(("waiting for the station", "dim"),)]
        if not run.has_arm:
            return [NO_ARM]
        if not run.finds_limits:
            return _elsewhere(run, width)
        if survey is None:
            return [(("the workers are starting", "dim"),)]
        return [*_headline(survey, view, width), *_wrong(survey, width), *_result(survey, width)]


def _keyed(width: int, *parts: str) -> list[Row]:
    """Words with a key before each: key, what it does, key, what it does; as many to a row as fit."""
    rows: list[Row] = [()]
    for key, words in zip(parts[::2], parts[1::2], strict=True):
        first, *rest = wrap(words, max(12, width - len(key) - 3)) or [""]
        if rows[-1] and row_width(rows[-1]) + len(key) + 3 + len(words) > width:
            rows.append(())
        rows[-1] = (*rows[-1], (f" {key} ", "key"), (f" {first}   ", "text"))
        rows += [((" " * (len(key) + 3), "text"), (line, "text")) for line in rest]
    return rows


def _elsewhere(run: RunOpened, width: int) -> list[Row]:
    """Of a run that uses its workspace: how another one is found."""
    words = "This run keeps to the bounds of its file. To find others, end it and start:"
    command = f"hilserl-tui find-limits {run.config_path}"
    rows: list[Row] = [((line, "text"),) for line in wrap(words, max(20, width))]
    return [*rows, *(((line, "bold"),) for line in wrap(command, max(20, width), subsequent_indent="  "))]


def _headline(survey: Survey, view: View, width: int) -> list[Row]:
    done, on = (hint("survey-done"), "done"), (hint("survey-done"), "count on")
    over = (hint("start-over"), "start over")
    match survey.stage:
        case Stage.WAITING:
            allow = _keyed(width, f"{hint('clear-stop')} y", "lets the arm move") if view.unconfirmed else []
            person = _keyed(width, hint("intervene"), "takes the arm: go where the task goes")
            hand = _keyed(width, " ".join([hint("by-hand")] * 2), "torque off: hold it, move it by hand")
            script = _keyed(width, hint("script"), "lets the scripted person wave it (simulator)")
            other = script if view.state.run and view.state.run.simulated else hand
            return [*allow, *person, *other]
        case Stage.WARM_UP:
            return [
                (
                    ("warm-up: nothing counts yet, try the keys", "amber"),
                    (f"   {survey.left_s:.0f} s left", "bold"),
                )
            ]
        case Stage.COUNTING:
            left = f"{survey.left_s:.0f} s left" if survey.left_s is not None else "until you are done"
            counted: Row = ((f"counting, {survey.counted_s:.0f} s", "amber"), (f"   {left}", "bold"))
            return [counted, *_keyed(width, *done, *over)]
        case Stage.DONE if survey.problems:
            again = (hint("start"), "try again") if survey.difference else ()
            keys = _keyed(width, *again, *on, *over)
            return [(("this cannot be written yet", "red"),), *keys, *_face(survey, view.face, width)]
        case Stage.DONE:
            margin = (footer_entry("margin")[1], "margin")
            return [
                *_keyed(width, hint("start"), "write it", *on, *over, *margin),
                *_face(survey, view.face, width),
            ]
    kept = (("● written", "green"), (f"   as it was, the file is in {survey.written}", "dim"))
    return [kept, *_keyed(width, hint("quit"), "leave")]


def _face(survey: Survey, face: tuple[str, int], width: int) -> list[Row]:
    """The face that keys move, where it is and how far a person moved it."""
    if survey.axes is None:
        return []
    name, end = face
    axis = "xyz".index(name)
    at_m = (survey.box_min_m, survey.box_max_m)[end > 0][axis]
    moved_mm = 1000 * (survey.faces_min_m, survey.faces_max_m)[end > 0][axis]
    words = f"{'least' if end < 0 else 'greatest'} {name} {at_m:+.3f} m"
    words += f", moved {moved_mm:+.0f} mm" if moved_mm else ""
    return _keyed(width, hint("face"), words, footer_entry("face-move")[1], "1 mm in, out")


def _wrong(survey: Survey, width: int) -> list[Row]:
    """While it is counted, what is still missing; afterwards what keeps it from being written."""
    style = "dim" if survey.stage in (Stage.WARM_UP, Stage.COUNTING) else "red"
    if survey.stage is Stage.WARM_UP:
        return []
    rows: list[Row] = []
    for problem in survey.problems:
        first, *rest = wrap(problem, max(20, width - 2)) or [""]
        rows += [(("○ ", style), (first, style)), *((("  ", style), (line, style)) for line in rest)]
    return rows


def _result(survey: Survey, width: int) -> list[Row]:
    """The four lines, and what changes in the file."""
    rows: list[Row] = [((line, "faint" if line.startswith("#") else "text"),) for line in survey.lines]
    for line in survey.difference:
        style = {"-": "red", "+": "green"}.get(line[:1], "faint")
        pieces = wrap(line, max(20, width), subsequent_indent="      ", break_on_hyphens=False)
        rows += [((piece, style),) for piece in pieces]
    return rows
