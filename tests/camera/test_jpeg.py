"""JPEG pictures: a damaged one is none, unless a camera has no others; and the emulated camera's own time stamp."""

import numpy as np
import pytest

from workers.camera.drivers.jpeg import STRICT_TRIES, JpegDecoder
from workers.emulator.camera import Behaviour, Fault, damaged, picture
from workers.emulator.card import draw, read_stamp, stamp

SIZE = (480, 240)


def test_a_time_stamp_in_a_picture_survives_jpeg() -> None:
    for width in (480, 640):
        card = draw("front", 240, width, 1.0)
        stamp(card, 0x1234_5678_9ABC)
        assert read_stamp(card) == 0x1234_5678_9ABC


@pytest.mark.parametrize("fault", ["truncate", "corrupt"])
def test_a_damaged_picture_is_none(fault: Fault) -> None:
    good, decoder = picture(Behaviour(*SIZE)), JpegDecoder()
    assert decoder.decode(good) is not None
    assert decoder.decode(damaged(good, fault)) is None


def test_a_camera_whose_jpegs_always_have_a_flaw_is_read_all_the_same() -> None:
    jpeg, decoder = damaged(picture(Behaviour(*SIZE)), "corrupt"), JpegDecoder()
    seen = [decoder.decode(jpeg) for _ in range(STRICT_TRIES + 2)]
    assert seen[:STRICT_TRIES] == [None] * STRICT_TRIES
    assert not decoder.strict and isinstance(seen[-1], np.ndarray)


def test_one_good_jpeg_keeps_the_decoder_strict() -> None:
    good, decoder = picture(Behaviour(*SIZE)), JpegDecoder()
    assert decoder.decode(good) is not None
    bad = damaged(good, "corrupt")
    assert [decoder.decode(bad) for _ in range(STRICT_TRIES + 2)] == [None] * (STRICT_TRIES + 2)
    assert decoder.decode(good) is not None
