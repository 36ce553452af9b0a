"""Whether pictures can be trusted: dark, white, frozen, and how often they come."""

import numpy as np
import pytest

from workers.camera.watch import FLAT_FRAMES, FROZEN_FRAMES, Flaw, RateWatch, Watch, light_of

RNG = np.random.default_rng(0)
PERIOD_NS = 33_000_000


def noise(mean: int = 100) -> np.ndarray:
    return np.clip(RNG.normal(mean, 12.0, (48, 64, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("value", "flaw"), [(0, Flaw.BLACK), (7, Flaw.BLACK), (120, Flaw.NONE), (254, Flaw.BRIGHT)]
)
def test_a_flat_picture_is_judged_by_its_light(value: int, flaw: Flaw) -> None:
    assert light_of(np.full((48, 64, 3), value, np.uint8)) is flaw


def test_a_dark_picture_with_something_in_it_is_fine() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24] = 40
    assert light_of(picture) is Flaw.NONE


def test_black_is_said_after_five_pictures_and_taken_back_at_once() -> None:
    watch, black = Watch(), np.zeros((48, 64, 3), np.uint8)
    said = [watch.look(black, number * PERIOD_NS) for number in range(FLAT_FRAMES + 3)]
    assert said == [Flaw.NONE] * (FLAT_FRAMES - 1) + [Flaw.BLACK] * 4
    assert watch.look(noise(), 9 * PERIOD_NS) is Flaw.NONE


def test_ten_alike_are_one_picture() -> None:
    watch, still = Watch(), noise()
    said = [watch.look(still.copy(), number * PERIOD_NS) for number in range(FROZEN_FRAMES + 2)]
    assert said == [Flaw.NONE] * (FROZEN_FRAMES - 1) + [Flaw.FROZEN] * 3
    assert watch.changed_ns == 0
    assert watch.look(noise(), 400_000_000) is Flaw.NONE
    assert watch.changed_ns == 400_000_000


def test_a_slow_camera_is_frozen_by_the_clock() -> None:
    watch, still = Watch(), noise()
    said = [watch.look(still.copy(), number * 500_000_000) for number in range(4)]
    assert said == [Flaw.NONE, Flaw.NONE, Flaw.FROZEN, Flaw.FROZEN]


def test_noise_is_never_frozen() -> None:
    watch = Watch()
    assert {watch.look(noise(), number * PERIOD_NS) for number in range(60)} == {Flaw.NONE}


def test_a_wrong_rate_is_said_once_and_taken_back() -> None:
    watch = RateWatch("camera-front", 30.0)
    said = []
    for number in range(200):
        watch.add(number / 12.0)
        said.append(watch.judge())
    words = [line for line in said if line]
    assert len(words) == 1 and words[0].startswith("it gives 12.0 pictures a second, not 30")
    for number in range(200):
        watch.add(200 / 12.0 + number / 30.0)
        said.append(watch.judge())
    assert [line for line in said if line][1:] == ["it gives 30 pictures a second again"]


def test_the_right_rate_is_not_worth_a_word() -> None:
    watch = RateWatch("camera-front", 30.0)
    for number in range(300):
        watch.add(number / 29.5)
        assert watch.judge() == ""
    assert watch.hz == pytest.approx(29.5)
