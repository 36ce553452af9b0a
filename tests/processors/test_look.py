"""What the Crop screen shows is what the run would see, and no request can ask for more than a screenful."""

import numpy as np
import pytest

from workers.model.commands import Look
from workers.model.events import Pixels
from workers.processors.features import IMAGES
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.look import MOST_PIXELS, looked
from workers.processors.transition import Period, Transition

PICTURE = np.random.default_rng(0).integers(256, size=(480, 640, 3), dtype=np.uint8)


def look(**changes: object) -> Look:
    given = {"number": 3, "camera": "front", "part": None, "room": (60, 80), "crop": None, "size": (128, 128)}
    return Look(**{**given, **changes})  # type: ignore[arg-type]


def array(pixels: Pixels) -> np.ndarray:
    return np.frombuffer(pixels.rgb, np.uint8).reshape(pixels.height, pixels.width, 3)


@pytest.mark.parametrize("size", [(128, 128), (64, 64), (96, 120), (300, 300)])
@pytest.mark.parametrize("crop", [None, (180, 207, 180, 200), (0, 0, 480, 640), (472, 632, 8, 8)])
def test_the_policys_view_is_the_runs_own_to_the_pixel(crop, size):
    transition = Transition(
        {IMAGES + "front": PICTURE}, Period(np.zeros(3, np.float32), np.zeros(0), 0.0, 0.0)
    )
    ImageCropResizeProcessor({IMAGES + "front": crop} if crop else {}, size)(transition)
    answer = looked(look(crop=crop, size=size), PICTURE)
    assert np.array_equal(array(answer.policy), transition.observation[IMAGES + "front"])


def test_a_part_of_the_picture_is_shown_as_large_as_there_is_room():
    answer = looked(look(), PICTURE)
    assert (answer.height, answer.width, answer.part) == (480, 640, (0, 0, 480, 640))
    assert array(answer.shown).shape == (60, 80, 3)
    close = looked(look(part=(100, 200, 30, 40)), PICTURE)
    assert np.array_equal(array(close.shown), PICTURE[100:130, 200:240]), "nothing is made up where it fits"


@pytest.mark.parametrize("part", [(-5, -5, 10, 10), (479, 639, 50, 50), (5000, 5000, 1, 1), (0, 0, 0, 0)])
def test_a_part_outside_is_brought_into_the_picture(part):
    answer = looked(look(part=part), PICTURE)
    top, left, height, width = answer.part
    assert top >= 0 and left >= 0 and height > 0 and width > 0
    assert top + height <= 480 and left + width <= 640
    assert array(answer.shown).size


def test_a_crop_that_does_not_fit_is_told_and_not_raised():
    answer = looked(look(crop=(400, 0, 100, 100)), PICTURE)
    assert "does not fit" in answer.trouble and not answer.shown.rgb


@pytest.mark.parametrize("many", [10**9, -7])
def test_no_more_than_a_screenful_can_be_asked_for(many):
    answer = looked(look(room=(many, many), size=(many, many)), PICTURE)
    assert (
        max(answer.shown.height, answer.shown.width, answer.policy.height, answer.policy.width) <= MOST_PIXELS
    )
    whole = looked(look(size=None), PICTURE)
    assert max(whole.policy.height, whole.policy.width) <= MOST_PIXELS
