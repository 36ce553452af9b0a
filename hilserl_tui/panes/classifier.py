"""Classifier: what the reward classifier says of every step, its votes, and who decided last."""

from hilserl_tui.keymap import hint
from hilserl_tui.panes.braille import Canvas
from hilserl_tui.panes.draw import Row, Span, bar, row_width, spread
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model.events import OBJECTIONS, DecidedBy, EndedBy
from workers.model.state import Classifier, ConsoleState

_BLOCKS = "▁▂▃▄▅▆▇█"
BY = {
    DecidedBy.CLASSIFIER: "by the classifier",
    DecidedBy.PERSON: "by a person",
    DecidedBy.TASK: "by the task",
    DecidedBy.NOBODY: "",
}
_ENDS: dict[EndedBy, Span] = {
    EndedBy.SUCCESS: ("success", "green"),
    EndedBy.FAILURE: ("failure", "red"),
    EndedBy.TIME_LIMIT: ("time limit", "amber"),
    EndedBy.RERECORD: ("dropped", "dim"),
    EndedBy.STOP: ("stopped", "dim"),
}
_CURVE_ROWS = 3  # from which a curve says more than a row of blocks


def level(probability: float, threshold: float) -> int:
    """0 to 7: the lower four below the threshold, the upper four from it on, so that its crossing is seen."""
    if probability < threshold:
        return min(3, int(4 * probability / threshold))
    return 4 + min(3, int(4 * (probability - threshold) / (1.0 - threshold)))


def sparkline(probabilities: tuple[float, ...], threshold: float, width: int) -> Row:
    """A cell a step, the newest at the right; votes for success in green."""
    spans: list[Span] = []
    for probability in probabilities[-width:] if width > 0 else ():
        style = "green" if probability >= threshold else "dim"
        block = _BLOCKS[level(probability, threshold)]
        if spans and spans[-1][1] == style:
            spans[-1] = (spans[-1][0] + block, style)
        else:
            spans.append((block, style))
    return tuple(spans)


class ClassifierPane(Lines):
    title = "reward classifier"

    def watched(self, view: View) -> tuple[object, ...]:
        left, state = view.veto_left_s, view.state
        return (
            state.classifier,
            state.episodes,
            state.running.episode,
            -1.0 if left is None else round(left, 1),
        )

    def heading(self, view: View) -> tuple[str, str]:
        says = view.state.classifier
        if says is None:
            return self.title, ""
        used = says.used
        name = "the simulator's verdict, no classifier" if used.stand_in else self.title
        if not used.decides:
            return f"{name}  shown, decides nothing", ""
        return f"{name}  {used.votes} of {used.window} from {used.threshold:g}", ""

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        says = view.state.classifier
        if says is None:
            return []
        asks = _asks(view, says, width)
        if height == 1:
            return [asks[0] if asks else _in_one_row(view.state, says, width)]
        first = asks[0] if asks else spread(_now(says), _vetoes(says), width)
        last = asks[1] if len(asks) > 1 else last_decision(view.state, says) or _examined(says)
        if height == 2:
            return [first, last]
        room = height - 2 - (height > 3)
        if room < _CURVE_ROWS:
            drawn = [sparkline(says.probabilities, says.used.threshold, width)]
        else:
            drawn = _curve(says, width, room)
        return [first, *drawn, last, _hard_negatives(says)]


def _in_one_row(state: ConsoleState, says: Classifier, width: int) -> Row:
    left, right = _now(says), _vetoes(says)
    last = last_decision(state, says) or _examined(says)
    room = width - row_width(left) - row_width(last) - row_width(right) - 5
    spark = sparkline(says.probabilities, says.used.threshold, room)
    return spread((*left, ("  ", "text"), *spark, ("  ", "text"), *last), right, width)


def _now(says: Classifier) -> Row:
    """The newest probability, and its votes."""
    if not says.probabilities:
        return (("p(success)    –", "dim"),)
    newest, used = says.probabilities[-1], says.used
    fires = newest >= used.threshold
    row: Row = (("p ", "dim"), (f"{newest:.2f}", "green" if fires else "bold"))
    if not used.decides:
        return row
    count = min(says.votes, used.votes)
    shapes: Row = (("  ", "text"), ("●" * count, "green"), ("○" * (used.votes - count), "dim"))
    return (*row, *shapes, (f" {count} of {used.votes} votes", "dim"))


def _vetoes(says: Classifier) -> Row:
    if not says.vetoes:
        return ()
    return ((f"{says.vetoes} veto" + ("es" if says.vetoes > 1 else ""), "amber"),)


def _asks(view: View, says: Classifier, width: int) -> list[Row]:
    """The question, its keys and the time that is left, in two rows of a narrow pane; nothing without a question."""
    left = view.veto_left_s
    if left is None or says.pending is None:
        return []
    head: Row = ((f"success? p {says.pending.probability:.2f} ", "amber_block"), (" ", "text"))
    clock: Row = ((f" {left:4.1f} s", "bold"),)
    words = f"{hint('veto')} vetoes  {hint('fail')} fails  {hint('success')} agrees"
    keys: Row = ((words, "bold"), (" ", "text"))
    room = width - row_width(head) - row_width(clock)
    together = room >= row_width(keys)
    room -= row_width(keys) if together else 0
    share = left / says.used.veto_s if says.used.veto_s else 0.0
    drawn = bar(share, min(room, 20), "amber") if room >= 4 else ()
    if together:
        return [spread((*head, *keys, *drawn), clock, width)]
    return [spread((*head, *drawn), clock, width), keys]


def last_decision(state: ConsoleState, says: Classifier) -> Row:
    """How the newest episode was decided, and by whom; nothing before the first."""
    newest = state.episodes[-1] if state.episodes else None
    settled, running = says.settled, state.running.episode
    goes_on = newest is None or newest.episode != running
    if settled is not None and settled.episode == running and goes_on and settled.settled in OBJECTIONS:
        return ((f"vetoed at step {settled.step}", "amber"), (": the episode goes on", "dim"))
    if newest is None:
        return ()
    ended = _ENDS[newest.ended_by]
    return ((f"ep {newest.episode} ", "dim"), ended, (f" {BY[newest.decided_by]}", "dim"))


def _examined(says: Classifier) -> Row:
    """What it said of reset frames, before the first decision."""
    seen = says.examined
    if seen is None:
        return ()
    if seen.fired:
        return ((f"fires in {seen.fired} of {len(seen.probabilities)} reset frames", "red"),)
    return ((f"{len(seen.probabilities)} reset frames: highest p {seen.highest:.2f}, none fires", "dim"),)


def _hard_negatives(says: Classifier) -> Row:
    if not says.hard_negatives:
        return ()
    return ((f"{says.hard_negatives} hard negatives saved", "dim"),)


def _curve(says: Classifier, width: int, height: int) -> list[Row]:
    """The episode's probabilities, with the threshold as a dotted line."""
    canvas = Canvas(width, height)
    wide, high = canvas.dots
    for x in range(0, wide, 4):
        canvas.dot(x, round((1.0 - says.used.threshold) * (high - 1)), "faint")
    canvas.curve(says.probabilities, "green")
    return [canvas.row(y) for y in range(height)]
