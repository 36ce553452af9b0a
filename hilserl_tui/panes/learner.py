"""Learner: policy and its age, update-to-data ratio, speed and losses."""

from collections.abc import Mapping

from hilserl_tui.panes.draw import Row, age, count, elide, figure
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import View
from workers.model import select
from workers.model.events import LinkState

_FIRST = ("entropy", "temperature", "critic_loss", "actor_loss")  # what people look at first
_IN_ITS_ROW = frozenset({"q_demonstrations", "q_policy"})
_SHORT = {"temperature": "temp.", "critic_loss": "critic", "actor_loss": "actor", "bc_gripper": "bc gr."}


class LearnerPane(Lines):
    title = "learner"

    def watched(self, view: View) -> tuple[object, ...]:
        state = view.state
        seconds = select.policy_age_s(state, view.now_s)
        wanted = state.link.policy_wanted if state.link else 0
        old = None if seconds is None else age(seconds)
        up = state.link is None or state.link.state is LinkState.UP
        return state.learner, state.policy_version, state.run, wanted, old, up, select.learner_is_away(state)

    def rows(self, view: View, width: int, height: int) -> list[Row]:
        state = view.state
        learner = state.learner
        target = state.run.utd_target if state.run else None
        seconds = select.policy_age_s(state, view.now_s)
        policy = f"{state.policy_version:4d}" if state.policy_version else "   –"
        wanted = state.link.policy_wanted if state.link else 0
        old = f"  {age(seconds):>6} old" if seconds is not None else "  none yet"
        behind = learner.policy_version - state.policy_version
        if seconds is not None and (wanted or (behind > 1 and width < 36)):
            old = f"  {age(seconds)}"  # the narrowest pane has room for this much beside what is on its way
        late = f"  fetching {wanted}" if wanted else f"  {behind} behind" if behind > 1 else ""
        rows: list[Row] = [
            _status(view, width),
            (
                ("policy  ", "dim"),
                (policy, "bold"),
                (old, "text" if seconds is None or seconds < 60 else "yellow"),
                (late, "yellow"),
            ),
            (
                ("UTD     ", "dim"),
                (figure(learner.utd), "bold"),
                (f" of {figure(target)}", "dim"),
                (f"  {learner.updates_per_s:5.1f}/s", "text"),
                (f"  {count(learner.updates):>5} updates" if width >= 46 else "", "dim"),
            ),
        ]
        rows += values(learner.metrics)
        rows += losses(learner.metrics, width, height - len(rows))
        return rows


def _status(view: View, width: int) -> Row:
    """What the learner does; of one that is out of reach, what it did last."""
    status, link = view.state.learner.status, view.state.link
    if away := select.learner_is_away(view.state):
        return ((f"{away}  ", "yellow"), (elide(f"last: {status}", max(0, width - len(away) - 2)), "dim"))
    if link is None or link.state is LinkState.UP:
        return ((elide(status, width), "text"),)
    return (("out of reach  ", "violet"), (elide(f"last: {status}", max(0, width - 14)), "dim"))


def values(metrics: Mapping[str, float]) -> list[Row]:
    """What the critics give demonstrated actions and the policy's own in the same states: the gap is what to learn."""
    if not metrics.keys() >= _IN_ITS_ROW:
        return []
    shown, tried = metrics["q_demonstrations"], metrics["q_policy"]
    return [(("Q", "dim"), (f" demos {shown:6.3g}", "text"), (f"  policy {tried:6.3g}", "text"))]


def losses(metrics: Mapping[str, float], width: int, height: int) -> list[Row]:
    """Metrics in columns of fixed width, the well-known ones first."""
    if height < 1 or not metrics:
        return []
    per_row = 2 if width < 56 else 3
    cell = width // per_row
    told = metrics.keys() - (_IN_ITS_ROW if metrics.keys() >= _IN_ITS_ROW else set())
    names = sorted(told, key=lambda name: (_rank(name), name))[: per_row * height]
    rows: list[Row] = []
    for i in range(0, len(names), per_row):
        row: list[tuple[str, str]] = []
        for name in names[i : i + per_row]:
            short = elide(_SHORT.get(name, name.removesuffix("_loss")), cell - 9)
            row += [(short, "dim"), (f"{metrics[name]:8.3g} ", "text")]
        rows.append(tuple(row))
    return rows


def _rank(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
