"""The Crop screen on a dataset: any frame, and the cropped copy made from there."""

import asyncio
from pathlib import Path

import pytest

from tests.console.cropping import driven, with_height, written_config
from tests.console.looker import Looker, picture
from tests.dataset.pictured import pictured
from workers.dataset.reader import Dataset


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written_config(tmp_path)


async def test_any_frame_of_a_dataset_can_be_looked_at(config):
    client = Looker(config, episodes=3)
    async with driven(client) as hand:
        assert "DATASET" in hand.text and "episode 0  of 0 to 2" in hand.text
        await hand.press("full_stop", "full_stop", "pagedown")
        assert (client.asked[-1].episode, client.asked[-1].frame) == (1, 0)
        await hand.press("end")
        assert "frame   9  of 0 to 9" in hand.text
        await hand.press("comma")
        assert client.asked[-1].frame == 8, "counted from the last frame that there is"
        await hand.press(*["pagedown"] * 5)
        assert "episode 2  of 0 to 2" in hand.text
        asked = len(client.asked)
        await hand.pilot.pause(0.5)
        assert len(client.asked) == asked, "a still picture is asked for once"


async def test_the_first_q_tells_of_a_crop_that_is_not_written(config):
    async with driven(Looker(config, episodes=2)) as hand:
        await hand.press("right")
        await hand.press("shift+left", "q")
        await hand.hears("w writes it")
        assert hand.app.is_running
        await hand.press("q")
        assert not hand.app.is_running


async def test_the_keys_of_a_run_say_that_there_is_none(config):
    client = Looker(config, episodes=2)
    async with driven(client) as hand:
        for key in ("1", "2", "c"):
            await hand.press(key)
            await hand.hears("no run")
        assert hand.app.screen is hand.app._crop


async def test_the_cropped_dataset_is_made_from_the_console_and_replaced_when_asked(tmp_path):
    config = tmp_path / "lift.toml"
    config.write_text(with_height(96))
    pictured(tmp_path / "lift")
    client = Looker(config, episodes=3, pictures=dict.fromkeys(("front", "side"), picture(96, 128)))
    async with driven(client) as hand:

        async def until(words: str) -> None:
            async with asyncio.timeout(40):
                while words not in " ".join(hand.text.split()):
                    await hand.pilot.pause(0.1)

        await hand.press("ctrl+shift+up", "w", "m")
        assert not (tmp_path / "lift_cropped_resized").exists(), "not before it is written"
        await hand.press("w", "m")
        await until("3 episodes, 20 frames")
        copy = Dataset(tmp_path / "lift_cropped_resized")
        assert copy.info.features["observation.images.front"].shape == (128, 128, 3)
        await hand.press("escape", "d", "w", "w", "m")
        await until("r replaces it")
        await hand.press("r")
        await until("3 episodes, 20 frames")
    copy = Dataset(tmp_path / "lift_cropped_resized")
    assert copy.info.features["observation.images.front"].shape == (64, 64, 3)


async def test_leaving_while_a_dataset_is_made_leaves_nothing_of_it(config, tmp_path):
    pictured(tmp_path / "lift", height=480, width=640, lengths=(60,))
    async with driven(Looker(config, episodes=1)) as hand:
        await hand.press("ctrl+shift+up", "w", "w", "m")
        async with asyncio.timeout(40):
            while "frame" not in hand.text or "left" not in hand.text:
                await hand.pilot.pause(0.02)
        await hand.press("escape")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lift", "lift.toml"]
