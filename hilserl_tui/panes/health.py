"""Health: every worker, its loop rate, and why it is not well."""

from hilserl_tui.panes.draw import Row, age, elide, figure
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import LinkState, WorkerState
from workers.model.state import ConsoleState, Rate, Worker

_SHAPES: dict[WorkerState, tuple[str, str]] = {
    WorkerState.RUNNING: ("●", "green"),
    WorkerState.STARTING: ("◐", "yellow"),
    WorkerState.RESTARTING: ("◐", "yellow"),
    WorkerState.FAILED: ("✗", "red"),
    WorkerState.STOPPED: ("○", "dim"),
}


class Health(Lines):
    title = "workers"

    def watched(self, view: View) -> tuple[object, ...]:
        return view.state.workers, view.state.rates, _link_words(view), view.state.run

    def heading(self, view: View) -> tuple[str, str]:
        actor, run = view.state.rates.get("actor"), view.state.run
        if actor is None or not actor.stages_ms or run is None:
            return self.title, ""
        return self.title, f"step {sum(actor.stages_ms.values()):.0f} of {1000 / run.fps:.0f} ms"

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        workers = view.state.workers
        if not workers:
            return [(("no worker yet: the station starts them", "dim"),)]
        # A pane too small for all shows the unwell ones first.
        order = list(workers.values())
        if len(order) > height:
            order.sort(key=lambda worker: worker.state is WorkerState.RUNNING)
        shown = []
        for worker in order[:height]:
            link = _link_words(view) if worker.name == "learner" else ""
            shown.append(line(worker, view.state.rates.get(worker.name), width, link))
        return shown + budget(view.state)[: max(0, height - len(shown))]


def budget(state: ConsoleState) -> list[Row]:
    """What the actor's newest step spent its period on; the policy and the person have what is left."""
    rate = state.rates.get("actor")
    if rate is None or not rate.stages_ms or state.run is None:
        return []
    left_ms = 1000 / state.run.fps - sum(rate.stages_ms.values())
    row: list[tuple[str, str]] = [("step  ", "dim")]
    for name, value in (*rate.stages_ms.items(), ("left", left_ms)):
        row += [(f"{name} ", "dim"), (f"{value:.0f}  ", "yellow" if value < 0 else "text")]
    return [(*row, ("ms", "dim"))]


def _link_words(view: View) -> str:
    """Of a learner elsewhere: how the link to it is."""
    link = view.state.link
    if link is None:
        return ""
    if link.state is LinkState.UP:
        return f"link {link.round_trip_ms:.0f} ms"
    word = "refused" if link.state is LinkState.REFUSED else "no link"
    return f"{word} {age(max(0.0, view.now_s - link.since_s))}"


def line(worker: Worker, rate: Rate | None, width: int, link: str = "") -> Row:
    """One worker: shape, name, then rate and p99, or the state and its reason; of a link how it is."""
    shape, style = _SHAPES[worker.state]
    head: Row = ((f"{shape} ", style), (elide(worker.name, 13 if width < 44 else 16), "text"))
    if worker.state is not WorkerState.RUNNING:
        # Where both do not fit, the reason says more than the word; the shape tells the state.
        word = worker.state.value if width >= 44 or not worker.reason else ""
        room = width - 15 - len(word)
        return (*head, (word, style), (elide(f"{' ' if word else ''}{worker.reason}", room), style))
    again = f"↻{worker.restarts}" if worker.restarts else ""
    if link:
        return (*head, (f"{link} ", "dim" if link.startswith("link") else "violet"), (again, "yellow"))
    if rate is None:
        return (*head, ("running ", "dim"), (again, "yellow"))
    tail: list[tuple[str, str]] = [(f"{figure(rate.hz, 1, 6)} Hz", "text")]
    tail.append(
        (f"{'  p99' if width >= 44 else ''} {rate.period_p99_ms:4.0f} ms" if width >= 36 else "", "dim")
    )
    if rate.overruns:
        tail.append((f" {rate.overruns} late", "yellow"))
    tail.append((f" {again}", "yellow"))
    return (*head, *tail)
