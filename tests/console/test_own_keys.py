"""Whatever is said on the screen names the keys that the person has, also what workers say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

import workers
from hilserl_tui.app import Console
from hilserl_tui.keymap import in_own_keys, remap
from hilserl_tui.preferences import Preferences
from tests.console import demo
from tests.console.still import Still, screen_text, settle
from tests.console.test_screens import LARGE, waiting
from tests.evaluation.made import result, trial
from workers.model import events as e
from workers.model.reduce import reduce

KEY_IN_WORDS = re.compile(r"(?:^|[:,] )space(?:,| takes| gives| begins)|\bctrl\+e\b")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    remap({})


def said_by_workers() -> Iterator[str]:
    """Every string in a worker's source that names a key of the console."""
    for path in Path(workers.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            words = node.value if isinstance(node, ast.Constant) else None
            if isinstance(words, str) and KEY_IN_WORDS.search(words):
                yield words


def test_every_key_that_workers_name_becomes_the_persons() -> None:
    said = list(said_by_workers())
    assert len(said) >= 8
    remap({"intervene": "h", "clear-stop": "f9"})
    for words in said:
        own = in_own_keys(words)
        assert not KEY_IN_WORDS.search(own), words
        assert re.search(r"\bh\b|\bf9\b", own), words


def test_a_space_that_is_no_key_stays() -> None:
    remap({"intervene": "h"})
    for words in ("free some space, or set run.directory", "its action space ", "through the space that"):
        assert in_own_keys(words) == words


def test_without_own_keys_nothing_changes() -> None:
    assert in_own_keys("space takes the arm") == "space takes the arm"


async def test_the_bar_and_the_log_name_the_persons_key() -> None:
    waits = e.DriverChanged(e.Driver.NOBODY, "space takes the arm")
    state = reduce(waiting(waits), e.LogLine("robot", e.Level.INFO, "ctrl+e, then y acknowledges", 1.0))
    own = Preferences(keys={"intervene": "h", "clear-stop": "f9"})
    app = Console(Still(state), start_run=True, preferences=own)
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        rows = screen_text(app)
    assert "h takes the arm" in rows[0]
    assert "f9, then y acknowledges" in "\n".join(rows)


async def test_keys_of_a_screen_can_be_remapped_and_its_footer_shows_it(tmp_path: Path) -> None:
    opened = replace(demo.OPENED, run_dir=str(tmp_path / "lift"))
    state = reduce(reduce(demo.training(), opened), e.EvaluationBegan(result(trial(0))))
    own = Preferences(keys={"results-older": "n", "results-newer": "m"})
    app = Console(Still(state), start_run=True, preferences=own)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("6")
        await settle(pilot)
        asked: list[int] = []

        def look(by: int) -> None:
            asked.append(by)

        app.screen.action_look = look
        await pilot.press("n", "m", "comma")
        assert asked == [1, -1]
        assert " n m  Results" in screen_text(app)[-1]
