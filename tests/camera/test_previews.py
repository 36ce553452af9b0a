"""Consoles get the small pictures they asked for, and nothing is sent that nobody asked for."""

import numpy as np
import pytest

from workers.camera.previews import Previews, shrink
from workers.model.orders import Preview


def test_nothing_is_sent_until_somebody_asks() -> None:
    assert Previews("front").due(np.zeros((128, 128, 3), np.uint8), 0.0) is None


def test_previews_come_at_the_wanted_rate_and_size() -> None:
    previews = Previews("front")
    previews.wanted = Preview(width=40, height=30, hz=5.0)
    picture = np.full((128, 128, 3), 9, np.uint8)
    sent = [previews.due(picture, now_s / 100) for now_s in range(100)]
    frames = [frame for frame in sent if frame is not None]
    assert len(frames) == 5
    assert (frames[0].width, frames[0].height) == (30, 30), "the aspect is kept"
    assert frames[0].rgb == bytes([9]) * (30 * 30 * 3)


@pytest.mark.parametrize("size", [(128, 128), (97, 61), (5, 7)])
def test_shrinking_keeps_the_mean_of_an_area(size: tuple[int, int]) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    picture[: size[0] // 2] = 200
    small = shrink(picture, 8, 8)
    assert small.shape[0] <= 8 and small.shape[1] <= 8
    assert small[0].min() == 200 and small[-1].max() == 0


def test_a_small_picture_is_never_enlarged() -> None:
    assert shrink(np.zeros((10, 20, 3), np.uint8), 100, 100).shape == (10, 20, 3)
