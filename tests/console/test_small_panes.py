"""Every pane draws into whatever room there is: a terminal that was made tiny ends no console."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import hilserl_tui
from hilserl_tui.panes.buffer import Buffer
from hilserl_tui.panes.draw import Row, fit
from hilserl_tui.panes.lines import Lines
from hilserl_tui.view import Link, View
from tests.console import demo, trained
from tests.console.still import Still
from tests.console.test_bounds import DONE, surveyed
from tests.console.test_classifier import judged
from tests.console.test_link import LONG, down, linked, up
from tests.console.test_screens import LARGE, drawn, stopped
from tests.evaluation.made import paired, result
from workers.model import events as e
from workers.model.advice import Advice
from workers.model.classifier_training import followed
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

WIDTHS = (1, 2, 3, 5, 8, 11, 14, 17, 19, 20, 22, 25, 28, 29, 34, 40)
HEIGHTS = (1, 2, 3, 5, 9)
NOT_DRAWN_SO = {"SettingsList"}  # made of what a file says, in a box that scrolls
ENDED = e.RunEnded("learner failed: no EGL here. Install libegl1", succeeded=False, failed=True)
VIEWS = {
    "nothing": View(ConsoleState()),
    "training": View(demo.training(), Link.UP, 104.0, 3.0, "me"),
    "stopped": View(stopped(), Link.UP, 104.0, screen="train", clearing=True),
    "lost": View(demo.training(), Link.DOWN, 104.0),
    "ended": View(reduce(demo.training(), ENDED), Link.UP, 104.0),
    "linked": View(linked(up(), down(reason=LONG)), Link.UP, 104.0),
    "judged": View(judged(), Link.UP, 104.0, advice=(Advice("diverging", "Q diverges: 1e9", "lower it"),)),
    "surveyed": View(surveyed(), Link.UP, 104.0, screen="bounds"),
    "found": View(surveyed(DONE), Link.UP, 104.0, screen="bounds"),
}


def panes() -> list[type[Lines]]:
    """Every kind of text pane that there is."""
    for module in pkgutil.walk_packages(hilserl_tui.__path__, "hilserl_tui."):
        importlib.import_module(module.name)
    found, left = [], [Lines]
    while left:
        more = left.pop().__subclasses__()
        found += more
        left += more
    return [kind for kind in found if kind.__name__ not in NOT_DRAWN_SO]


def contents(kind: type[Lines]) -> Iterator[dict[str, Any]]:
    """What a screen hands such a pane, besides nothing."""
    yield {}
    report = trained.reported()
    training = None
    for event in (trained.STARTED, trained.epoch(3), report):
        training = followed(training, event)
        if "training" in vars(kind):
            yield {"training": training}
    if "result" in vars(kind):
        yield {"result": result(*paired("1101", "0101"), against=True), "live": True}
    if "results" in vars(kind):
        yield {"results": (result(*paired("1101", "0101"), against=True),)}


@pytest.mark.parametrize("name", VIEWS)
def test_no_room_is_too_small(name: str) -> None:
    kinds = panes()
    assert len(kinds) > 30
    for kind in kinds:
        for given in contents(kind):
            pane = kind()
            for attribute, value in given.items():
                setattr(pane, attribute, value)
            for width in WIDTHS:
                for height in HEIGHTS:
                    for row in list(pane.rows(VIEWS[name], width, height))[:height]:
                        fit(row, width)


async def test_a_pane_that_fails_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> list[Row]:
        raise IndexError("a mistake")

    monkeypatch.setattr(Buffer, "rows", fails)
    text = "\n".join(await drawn(Still(demo.training()), LARGE))
    assert "this pane cannot be drawn" in text and "S alone 0.95" in text
