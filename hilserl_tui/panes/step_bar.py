"""Step bar: the screens, and what the run does now."""

from hilserl_tui.keymap import hint
from hilserl_tui.panes.draw import Row, elide, elide_left, row_width, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import Phase, RunOpened
from workers.model.state import ConsoleState

SCREENS = (
    ("home", ("home",), "Home"),
    ("train", ("train", "record"), "Train"),
    ("bounds", ("bounds",), "Bounds"),
    ("crop", ("crop",), "Crop"),
    ("classifier", ("classifier",), "Classifier"),
    ("evaluations", ("evaluate",), "Evaluate"),
    ("doctor", ("doctor",), "Doctor"),
)
"""Id of the key, names of the screens it leads to, label."""
KEYS_TO = {key: names for key, names, _ in SCREENS}
SHORTEST = 8  # cells below which the phase says nothing
WIDE = 100  # cells from which there is room for screens that nobody lives on


def job_of(run: RunOpened | None) -> str:
    """What the screen of a run's job is called."""
    if run is None:
        return "Train"
    return (
        "Bounds" if run.finds_limits else {"record": "Record", "evaluate": "Evaluate"}.get(run.mode, "Train")
    )


def doing(state: ConsoleState) -> str:
    """The phase in a few words, with its progress where it has one."""
    progress = state.progress
    if progress.ended:
        return f"{'done' if progress.succeeded else 'ended'}: {progress.ended}"
    words = progress.phase.value if progress.phase is Phase.IDLE else progress.detail or progress.phase.value
    return f"{words} {progress.done}/{progress.total}" if progress.total else words


def _of_dataset(view: View, run: RunOpened, width: int) -> Row:
    """There is no run, and no other screen."""
    name = next((label for _, names, label in SCREENS if view.screen in names), "Episodes")
    head: Row = (("  ", "text"), (name, "tab"), ("  ", "text"))
    return spread(head, ((elide_left(run.run_dir, width - row_width(head) - 1) + " ", "dim"),), width)


def _without_controls(view: View, room: int) -> str:
    """Who has the controls, and the key that takes them, as far as there is room."""
    key, who = hint("control"), view.state.control.holder if view.watching else "nobody"
    watching = "watching, " if view.watching else ""
    short = f"   {'watching' if view.watching else 'no controls'} ({key})"
    whole = (f"   {watching}{who} has the controls ({key})", f"   {watching}{key} takes the controls")
    return next((words for words in whole if len(words) < room), short)


class StepBar(Lines):
    DEFAULT_CSS = "StepBar { height: 1; background: $background; }"

    def watched(self, view: View) -> tuple[object, ...]:
        control = view.state.control
        return view.state.progress, view.state.run, control.holder, view.screen, view.me, view.recorded

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        left: list[tuple[str, str]] = []
        run = view.state.run
        if run is not None and run.dataset:
            return [_of_dataset(view, run, width)]
        for key, names, label in SCREENS:
            if key == "train" and job_of(run) in ("Evaluate", "Bounds"):
                continue  # they have a key of their own
            here = view.screen in names
            if key in ("classifier", "doctor") and not here and width < WIDE:
                continue
            label = job_of(run) if key == "train" else label
            left += [
                ("  ", "text"),
                (f"{hint(key)} ", "dim" if here else "faint"),
                (label, "tab" if here else "dim"),
            ]
        if not (view.holds or view.over or view.stale or view.dataset):
            left.append((_without_controls(view, width - row_width(tuple(left))), "amber"))
        name = f"{run.run} · " if run else ""
        room = width - row_width(tuple(left)) - len(name) - 3
        if room < SHORTEST:  # the name is on Home too
            name, room = "", room + len(name)
        words = doing(view.state) if room >= SHORTEST else ""
        words = elide(words, room) if len(words) > room else words
        return [spread(tuple(left), ((name, "dim"), (words + " ", "text")), width)]
