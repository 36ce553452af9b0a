"""Black, over-exposed and frozen pictures, and rates that are not what they should be."""

import numpy as np
import pytest

from workers.camera.watch import Flaw, RateWatch, Watch, alike, light_of

RNG = np.random.default_rng(0)
MS = 1_000_000


def noise(mean: int = 100) -> np.ndarray:
    return RNG.integers(mean - 8, mean + 8, (48, 64, 3), dtype=np.uint8)


def flat(value: int) -> np.ndarray:
    return np.full((48, 64, 3), value, np.uint8)


@pytest.mark.parametrize(
    ("picture", "flaw"),
    [
        (flat(0), Flaw.BLACK),
        (flat(7), Flaw.BLACK),
        (flat(255), Flaw.BRIGHT),
        (flat(248), Flaw.BRIGHT),
        (flat(128), Flaw.NONE),
        (noise(10), Flaw.NONE),
        (noise(245), Flaw.NONE),
    ],
)
def test_a_picture_that_shows_nothing_is_known(picture: np.ndarray, flaw: Flaw) -> None:
    assert light_of(picture) is flaw


def test_five_black_pictures_in_a_row_are_black_and_one_good_one_ends_it() -> None:
    watch = Watch()
    seen = [watch.look(flat(0), number * 33 * MS) for number in range(20)]
    assert seen == [Flaw.NONE] * 4 + [Flaw.BLACK] * 16, "and never frozen, though all are alike"
    assert watch.look(noise(), 999 * MS) is Flaw.NONE


def test_ten_pictures_alike_are_frozen_and_what_they_show_is_as_old_as_the_first() -> None:
    watch, picture = Watch(), noise()
    seen = [watch.look(picture.copy(), number * 33 * MS) for number in range(12)]
    assert seen == [Flaw.NONE] * 9 + [Flaw.FROZEN] * 3
    assert watch.changed_ns == 0
    assert watch.look(noise(), 400 * MS) is Flaw.NONE and watch.changed_ns == 400 * MS


def test_a_slow_camera_is_frozen_before_ten_pictures() -> None:
    watch, picture = Watch(), noise()
    seen = [watch.look(picture.copy(), number * 200 * MS) for number in range(6)]
    assert seen[:5] == [Flaw.NONE] * 5 and seen[5] is Flaw.FROZEN


def test_one_pixel_makes_a_difference() -> None:
    picture = noise()
    other = picture.copy()
    other[17, 3, 1] ^= 1
    assert alike(picture, picture.copy()) and not alike(picture, other)


def fed(hz: float, seconds: float, watch: RateWatch, from_s: float = 0.0) -> list[str]:
    said = []
    for number in range(int(hz * seconds)):
        watch.add(from_s + number / hz)
        said.append(watch.judge())
    return [text for text in said if text]


def test_a_rate_that_is_off_by_more_than_five_percent_is_said_once() -> None:
    watch = RateWatch("camera-front", 30.0)
    said = fed(12.0, 10.0, watch)
    assert len(said) == 1 and said[0].startswith("it gives 12.0 pictures a second, not 30")
    assert fed(30.0, 10.0, watch, 10.1) == ["it gives 30 pictures a second again"]


@pytest.mark.parametrize("hz", [28.9, 30.0, 31.2])
def test_a_rate_within_five_percent_is_not_worth_a_word(hz: float) -> None:
    assert fed(hz, 10.0, RateWatch("camera-front", 30.0)) == []


def test_a_camera_that_was_away_is_not_called_slow() -> None:
    watch = RateWatch("camera-front", 30.0)
    fed(30.0, 5.0, watch)
    watch.restart()
    assert fed(30.0, 5.0, watch, 60.0) == []


def test_the_told_rate_has_the_pictures_distances() -> None:
    watch = RateWatch("camera-front", 20.0)
    fed(20.0, 2.0, watch)
    rate = watch.rate(dropped=3)
    assert (rate.worker, rate.overruns) == ("camera-front", 3)
    assert rate.hz == pytest.approx(20.0) and rate.period_p50_ms == pytest.approx(50.0)
