"""The Crop screen, driven by keys and mouse as a person would, down to the file it writes."""

import shutil
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual import events

from hilserl_tui.app import Console
from hilserl_tui.crop_keys import CROP_KEYS, bindings
from hilserl_tui.keymap import BY_ID
from hilserl_tui.panes.crop_picture import CropPicture
from tests.console import demo
from tests.console.cropping import driven, written_config
from tests.console.looker import Looker
from tests.console.still import Still, screen_text, settle
from workers.config import load
from workers.config.ready import ready_config
from workers.model import events as e
from workers.model.reduce import reduce

SMALL, LARGE = (80, 24), (120, 40)
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written_config(tmp_path)


@SIZES
async def test_the_screen_shows_the_picture_the_crop_and_the_policys_view(config, size):
    async with driven(Looker(config), size) as hand:
        rows = screen_text(hand.app)
        assert all(cell_len(row) == size[0] for row in rows)
        for words in ("front 640x480", "camera 1 of 2", "the policy sees 128x128", "live", "STOP"):
            assert words in hand.text
        assert "height 480" in hand.text and "width  640" in hand.text
        assert "▀" * 3 in hand.text


async def test_arrows_move_by_a_pixel_and_by_ten_and_size_with_shift(config):
    async with driven(Looker(config)) as hand:
        await hand.press("i")
        await hand.enter("180,207,180,200")
        assert hand.crop == (180, 207, 180, 200)
        await hand.press("down", "right", "right")
        assert hand.crop == (181, 209, 180, 200)
        await hand.press("ctrl+up", "ctrl+left")
        assert hand.crop == (171, 199, 180, 200)
        await hand.press("shift+down", "shift+left", "ctrl+shift+right")
        assert hand.crop == (171, 199, 181, 209)


async def test_terminals_without_modified_arrows_have_keys_for_all_of_it(config):
    async with driven(Looker(config)) as hand:
        await hand.press("m", "n", "up", "left")
        assert hand.crop == (0, 0, 470, 630)
        assert "size 10 px" in hand.text
        await hand.press("m", "n", "down")
        assert hand.crop == (1, 0, 470, 630)


async def test_the_mouse_drags_a_box_in_any_direction(config):
    async with driven(Looker(config)) as hand:
        canvas = hand.app.screen.query_one(CropPicture).canvas
        expected = canvas.under(10, 5, False).joined(canvas.under(40, 20, False))
        await hand.drag((10, 5), (40, 20))
        assert hand.crop == expected
        await hand.drag((40, 20), (10, 5))
        assert hand.crop == expected
        await hand.drag((10, 5), (500, 500))
        assert (hand.crop.bottom, hand.crop.right) == (480, 640), "out of the pane is the picture's edge"


async def test_a_terminal_that_tells_pixels_drags_to_the_pixel(config):
    async with driven(Looker(config)) as hand:
        canvas = hand.app.screen.query_one(CropPicture).canvas
        await hand.drag((10.25, 5.375), (40.75, 20.125))
        exact = canvas.under(10.25, 5.375, True).joined(canvas.under(40.75, 20.125, True))
        assert hand.crop == exact
        assert exact.height % (480 // canvas.high), "finer than cells"


async def test_the_right_button_moves_the_crop_and_a_click_changes_nothing(config):
    async with driven(Looker(config)) as hand:
        await hand.drag((10, 5), (20, 10))
        before = hand.crop
        await hand.drag((15, 7), (25, 7), button=3)
        assert hand.crop.left > before.left
        assert (hand.crop.top, hand.crop.height, hand.crop.width) == (before.top, before.height, before.width)
        there = hand.crop
        await hand.drag((30, 3), (30, 3))
        assert hand.crop == there


async def test_a_locked_crop_stays_square(config):
    async with driven(Looker(config)) as hand:
        await hand.press("k")
        assert hand.crop == (0, 80, 480, 480)
        await hand.press("shift+up", "ctrl+shift+left")
        assert hand.crop == (0, 80, 469, 469)
        await hand.drag((10, 5), (30, 8))
        assert hand.crop.height == hand.crop.width
        assert "square" in hand.text


async def test_every_camera_has_a_crop_of_its_own(config):
    async with driven(Looker(config)) as hand:
        await hand.press("shift+left", "tab")
        assert "side 640x480" in hand.text and "camera 2 of 2" in hand.text
        assert hand.crop.width == 640
        await hand.press("shift+up", "shift+tab")
        assert hand.crop == (0, 0, 480, 639)
        assert hand.app._crop.choice.by_key()["observation.images.side"] == (0, 0, 479, 640)


async def test_what_is_asked_for_is_the_crop_that_is_shown(config):
    client = Looker(config)
    async with driven(client) as hand:
        await hand.press("shift+left", "d")
        assert client.asked[-1].crop == tuple(hand.crop) == (0, 0, 480, 639)
        assert client.asked[-1].size == (64, 64)
        assert "64x64" in hand.text


async def test_zoom_looks_at_the_corner_that_the_arrows_move(config):
    client = Looker(config)
    async with driven(client) as hand:
        await hand.press("i")
        await hand.enter("180,207,100,100")
        await hand.press("z", "z", "z")
        top, left, height, width = client.asked[-1].part
        assert (height, width) == (160, 213)
        assert abs(top + height // 2 - 180) <= 1 and abs(left + width // 2 - 207) <= 1
        await hand.press("m", "right")
        top, left, height, width = client.asked[-1].part
        assert abs(top + height // 2 - 280) <= 1 and abs(left + width // 2 - 308) <= 1
        await hand.mouse(events.MouseScrollDown, 5, 5)
        await hand.press("Z", "Z")
        assert client.asked[-1].part is None


async def test_a_live_picture_goes_on_until_it_is_held(config):
    client = Looker(config)
    async with driven(client) as hand:
        before = len(client.asked)
        await hand.pilot.pause(0.5)
        assert len(client.asked) > before + 1
        await hand.press("h")
        assert "held still" in hand.text
        before = len(client.asked)
        await hand.pilot.pause(0.5)
        assert len(client.asked) == before
        assert client.asked[-1].hold


async def test_one_question_is_open_at_a_time_and_a_lost_one_is_put_again(config):
    client = Looker(config)
    client.mute = True
    async with driven(client) as hand:
        await hand.press("right", "right")
        assert len(client.asked) == 1
        client.mute = False
        await hand.pilot.pause(1.2)
        assert len(client.asked) > 1
        assert "front 640x480" in hand.text


async def test_writing_shows_the_difference_first_and_keeps_comments(config):
    before = config.read_text()
    async with driven(Looker(config)) as hand:
        await hand.press("i")
        await hand.enter("180,207,180,200")
        assert "not written yet" in hand.text
        await hand.press("w")
        assert "observation.images.front: [180, 207, 180, 200]" in hand.text
        assert '+"observation.images.front" = [180, 207, 180, 200]' in hand.text
        assert config.read_text() == before, "nothing before it was seen"
        await hand.press("w")
        assert "Written into" in hand.text
        await hand.press("escape")
        assert "not written yet" not in hand.text
        assert "(top, left, height, width)" in hand.app.parting
    crops = load(config).env.processor.image_preprocessing.crop_params_dict
    assert crops == {"observation.images.front": (180, 207, 180, 200)}
    lost = set(before.splitlines()) - set(config.read_text().splitlines())
    assert not lost


async def test_a_crop_on_pictures_that_the_camera_does_not_give_is_not_written(config):
    shutil.copy(ready_config(), config)
    before = config.read_text()
    async with driven(Looker(config)) as hand:
        await hand.press("ctrl+shift+up", "w", "w")
        assert "cannot be written" in hand.text
        assert "Written" not in hand.text
    assert config.read_text() == before


async def test_a_wrong_number_is_told_and_the_field_stays(config):
    async with driven(Looker(config)) as hand:
        await hand.press("i")
        await hand.enter("400,0,100,100")
        assert "480 rows and 640 columns" in " ".join(hand.text.split())
        await hand.enter("33x33")
        assert "must be even" in hand.text
        await hand.press("ctrl+u", *"96x64", "enter")
        assert hand.app._crop.choice.size == (96, 64)


async def test_the_crop_of_the_file_is_where_the_screen_begins_and_can_go_back_to(config):
    crops = '[env.processor.image_preprocessing.crop_params_dict]\n"observation.images.side" = [8, 16, 96, 96]\n\n'
    config.write_text(
        config.read_text().replace("[env.processor.gripper]", crops + "[env.processor.gripper]")
    )
    async with driven(Looker(config)) as hand:
        assert hand.crop == (0, 0, 480, 640)
        await hand.press("tab")
        assert hand.crop == (8, 16, 96, 96)
        await hand.press("o")
        assert hand.crop == (0, 0, 480, 640)
        await hand.press("b")
        assert hand.crop == (8, 16, 96, 96) and not hand.app._crop.unwritten


async def test_why_there_is_no_picture_is_on_the_screen(config):
    client = Looker(config)
    client.pictures = {}
    client.answer = lambda look: None
    async with driven(client) as hand:
        client.state = reduce(
            client.state, e.Looked(client.asked[-1].number, "front", "no picture from front yet")
        )
        client.changed()
        await settle(hand.pilot)
        assert "no picture from front yet" in hand.text


@SIZES
async def test_it_draws_without_colour_and_at_any_size(config, size, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven(Looker(config), size) as hand:
        for other in ((40, 10), (10, 3), (200, 60), size):
            await hand.pilot.resize_terminal(*other)
            await settle(hand.pilot)
        assert "front 640x480" in hand.text


async def test_it_opens_from_a_run_with_a_key_and_not_in_a_recording():
    app = Console(Still(demo.training()), start_run=True)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("4")
        await settle(pilot)
        assert app.screen is app._crop
        await pilot.press("2", "4")
        await settle(pilot)
        assert app.screen is app._crop
    client = Still(demo.training())
    client.recorded = True
    app = Console(client)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("4")
        await settle(pilot)
        assert app.screen is not app._crop
        assert any("a recording" in note.message for note in app._notifications)


def test_no_key_of_the_screen_means_two_things_or_stands_before_the_arms_safety():
    keys = [name for binding in bindings() for name in binding.key.split(",")]
    assert len(keys) == len(set(keys))
    ids = [key.id for key in CROP_KEYS]
    assert len(ids) == len(set(ids))
    for name in ("stop", "stop-always", "clear-stop", "confirm-clear", "intervene", "quit"):
        assert not set(keys) & set(BY_ID[name].keys.split(","))


async def test_drawing_survives_the_moment_at_which_a_closing_screen_has_lost_its_panes(config):
    async with driven(Looker(config)) as hand:
        screen = hand.app.screen
        await screen.remove_children()
        assert not screen.stands
        hand.app._tick()
        hand.app.show_bar()
        hand.app.refresh_view()
        assert hand.app._exception is None
