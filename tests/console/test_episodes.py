"""The Episodes screen: choose, play, label, delete; on a dataset that the real browser answers for."""

from pathlib import Path

import pytest
from rich.cells import cell_len

from hilserl_tui.app import Console
from hilserl_tui.view import Link
from tests.console.still import Still, screen_text, settle
from tests.dataset.demonstrated import make
from workers.dataset.browse import Browser
from workers.dataset.reader import Dataset
from workers.model.commands import Command, DeleteEpisode, Relabel, UndoEdit
from workers.model.reduce import reduce


class Shelf(Still):
    """A console's dataset, answered for at once."""

    refused_words = ""

    def __init__(self, root: Path) -> None:
        self.browser = Browser(root)
        super().__init__(self.browser.state())
        self.link = Link.UP

    def send(self, command: Command) -> bool:
        super().send(command)
        if (event := self.browser.answer(command)) is not None:
            self.state = reduce(self.state, event)
            self.changed()
        return True


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(make(tmp_path / "set", (4, 12, 5)))


def lengths(shelf: Shelf) -> list[int]:
    return [episode.length for episode in Dataset(Path(shelf.state.stored.root)).episodes]


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_screen_shows_episodes_pictures_and_figures(shelf: Shelf, size: tuple[int, int]) -> None:
    app = Console(shelf, screen="episodes")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        rows = screen_text(app)
        text = "\n".join(rows)
        assert all(cell_len(row) == size[0] for row in rows)
        for words in ("episodes  3", "2 succeeded", "front", "1 of 4", "gripper", "Play", "DATASET"):
            assert words in text
        assert "▀" * 3 in text


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_it_offers_no_screen_of_a_run_and_tells_a_success_whole(
    shelf: Shelf, size: tuple[int, int]
) -> None:
    app = Console(shelf, screen="episodes")
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await pilot.press("end")
        await settle(pilot)
        rows = screen_text(app)
        assert "Episodes" in rows[1] and "set" in rows[1]
        assert not any(words in rows[1] for words in ("Home", "Train", "idle"))
        assert any("reward 1" in row and "success" in row for row in rows)
        await pilot.press("question_mark")
        await settle(pilot)
        text = "\n".join(screen_text(app))
        assert "play the episode, or stop" in text and "stop the run, or leave it running" in text
        assert "take over" not in text and "stop the arm" not in text


async def test_it_plays_to_the_end_and_again_from_the_start(shelf: Shelf) -> None:
    app = Console(shelf, screen="episodes")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", "plus", "plus", "plus", "space")
        await pilot.pause(1.5)  # 12 frames at 80 a second
        assert app._episodes.frame == 11 and "12 of 12" in "\n".join(screen_text(app))
        await pilot.press("space")
        assert app._episodes.frame < 11


async def test_frames_are_turned_one_by_one_and_never_beyond_the_ends(shelf: Shelf) -> None:
    app = Console(shelf, screen="episodes")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", "right", "right", "right", "left")
        assert app._episodes.frame == 2
        await pilot.press("end")
        await settle(pilot)
        assert app._episodes.frame == 11
        await pilot.press("shift+left", "shift+left")
        await settle(pilot)
        assert app._episodes.frame == 0
        await pilot.press("pagedown")
        assert app._episodes.chosen == 2


async def test_a_label_is_mended_with_one_key(shelf: Shelf) -> None:
    app = Console(shelf, screen="episodes")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("f")
        await settle(pilot)
        assert Relabel(0, success=False) in shelf.sent
        assert "1 succeeded" in "\n".join(screen_text(app))


async def test_an_episode_is_deleted_by_a_second_key_and_comes_back(shelf: Shelf) -> None:
    app = Console(shelf, screen="episodes")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("down", *["d"] * 12)
        assert lengths(shelf) == [4, 12, 5], "a held key deletes nothing"
        await pilot.press("down", "y")
        assert lengths(shelf) == [4, 12, 5], "another episode is chosen"
        await pilot.press("d", "y", "y")
        assert DeleteEpisode(2) in shelf.sent and lengths(shelf) == [4, 12]
        await pilot.press("z")
        assert UndoEdit() in shelf.sent and lengths(shelf) == [4, 12, 5]


async def test_the_arm_s_keys_do_nothing_on_a_dataset(shelf: Shelf) -> None:
    app = Console(shelf, screen="episodes")
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("u", "j", "p", "2", "4")
        await settle(pilot)
        assert app.screen is app._episodes
