"""Link: the way to a learner elsewhere, what waits for it, why it is down, and every actor that feeds the learner."""

from textwrap import wrap

from hilserl_tui.panes.draw import Row, age, count, elide, size
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model import select
from workers.model.events import ActorSeen, LinkChanged, LinkState

_SHAPES: dict[LinkState, tuple[str, str, str]] = {
    LinkState.UP: ("●", "up", "green"),
    LinkState.CONNECTING: ("◌", "connecting", "violet"),
    LinkState.DOWN: ("◌", "no link", "violet"),
    LinkState.REFUSED: ("✗", "refused", "red"),
}
WIDE = 76  # cells from which state and flow share a row
SILENT_S = 3.0  # a linked actor says something every second


class LinkPane(Lines):
    title = "link"

    def watched(self, view: View) -> tuple[object, ...]:
        state = view.state
        since = "" if state.link is None else age(max(0.0, view.now_s - state.link.since_s))
        return state.link, state.actors, since

    def heading(self, view: View) -> tuple[str, str]:
        actors = view.state.actors
        linked = sum(actor.connected for actor in actors)
        return self.title, f"{linked} of {len(actors)} actors" if len(actors) > 1 else ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        link = view.state.link
        if link is None:
            return []
        head, flow = _head(view, link), _flow(view, link)
        rows = [(*head, ("   ", "text"), *flow)] if width >= WIDE else [head, flow]
        style = _SHAPES[link.state][2]
        if link.state is not LinkState.UP and link.reason:
            # The way out stands at the end: where there is no room for it, Home has the whole.
            room = max(1, height - len(rows))
            rows += [((line, style),) for line in wrap(link.reason, width, max_lines=room, placeholder=" …")]
        room = height - len(rows)
        return rows + _actors(view.state.actors, width, room)


def _head(view: View, link: LinkChanged) -> Row:
    shape, word, style = _SHAPES[link.state]
    if link.state is LinkState.UP:
        return (
            (f"{shape} {word}  ", style),
            (link.learner, "text"),
            (f"  {link.round_trip_ms:.1f} ms", "dim"),
        )
    since = age(max(0.0, view.now_s - link.since_s))
    return ((f"{shape} {word} {since}  ", style), (link.learner, "text"))


def _flow(view: View, link: LinkChanged) -> Row:
    """What goes through and what waits; silent where nothing waits."""
    grows = select.backlog_per_s(view.state)
    catches_up = select.catches_up_s(view.state)
    parts: list[tuple[str, str]] = []
    if link.state is LinkState.UP:
        parts.append((f"link {link.bytes_per_s * 8 / 1e6:.1f} Mbit/s, ", "dim"))
    waits = link.backlog > 0
    parts.append((f"backlog {count(link.backlog)}", "text" if waits else "dim"))
    if waits:
        parts.append((f" {size(link.backlog_bytes)}", "text"))
        parts.append((f" {grows:+.0f}/s", "yellow" if grows > 0.5 else "dim"))
    if waits and catches_up is not None and (catches_up >= 1 or link.state is not LinkState.UP):
        parts.append((f", {age(catches_up)} to send", "dim"))
    return tuple(parts)


def _actors(actors: tuple[ActorSeen, ...], width: int, room: int) -> list[Row]:
    """An actor a row; where there are too few rows, the last one names the rest, the silent ones first."""
    if room <= 0:
        return []
    if len(actors) <= room:
        return [_actor(actor, width) for actor in actors]
    order = sorted(actors, key=lambda actor: actor.connected)
    rest = tuple(span for actor in order[room - 1 :] for span in _in_short(actor))
    return [*(_actor(actor, width) for actor in order[: room - 1]), rest]


def _in_short(actor: ActorSeen) -> Row:
    silent = f" silent {age(actor.silent_s)}" if actor.silent_s > SILENT_S else ""
    return (
        _shape(actor),
        (actor.actor_id, "text"),
        (f"@{actor.host} {count(actor.records)}", "dim"),
        (f"{silent}   ", "yellow"),
    )


def _shape(actor: ActorSeen) -> tuple[str, str]:
    return ("● ", "green") if actor.connected else ("◌ ", "violet")


def _actor(actor: ActorSeen, width: int) -> Row:
    silent = f"  silent {age(actor.silent_s)}" if actor.silent_s > SILENT_S else ""
    tail = f" {count(actor.records):>5} records"
    name = min(20, (width - 3 - len(tail) - len(silent)) // 2)
    return (
        _shape(actor),
        (elide(actor.actor_id, name), "text"),
        (f" {elide(actor.host, name)}", "dim"),
        (tail, "text"),
        (silent, "yellow"),
    )
