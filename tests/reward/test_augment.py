"""What augmentation does to pictures, and what it leaves."""

import numpy as np

from workers.reward.augment import Augmenter


def pictures(count: int = 6, height: int = 24, width: int = 32) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "front": rng.integers(60, 190, (count, height, width, 3), dtype=np.uint8),
        "side": rng.integers(60, 190, (count, width, height, 3), dtype=np.uint8),
    }


def augmenter(shift: int = 0, jitter: float = 0.0, patches: float = 0.0) -> Augmenter:
    return Augmenter(shift, jitter, patches, np.random.default_rng(0))


def test_with_nothing_to_do_pictures_stay_as_they_are() -> None:
    given = pictures()
    altered = augmenter()(given)
    for camera in given:
        np.testing.assert_array_equal(altered[camera], given[camera])


def test_the_pictures_that_are_given_are_not_touched() -> None:
    given, before = pictures(), pictures()
    altered = augmenter(4, 0.5, 1.0)(given)
    for camera in given:
        np.testing.assert_array_equal(given[camera], before[camera])
        assert altered[camera].shape == given[camera].shape and altered[camera].dtype == np.uint8
        assert (altered[camera] != given[camera]).any()


def test_light_changes_all_of_a_picture_by_about_its_share() -> None:
    grey = {"front": np.full((200, 8, 8, 3), 120, np.uint8)}
    lit = augmenter(jitter=0.3)(grey)["front"].astype(float)
    assert (lit.std(axis=(1, 2)) == 0).all(), "one map for every pixel of a picture"
    means = lit.mean(axis=(1, 2, 3)) / 120
    assert means.min() < 0.8 and means.max() > 1.2
    assert means.min() > 0.55 and means.max() < 1.45
    tints = lit[:, 0, 0].std(axis=1)
    assert tints.mean() > 1, "colours change apart from each other"


def test_contrast_changes_too() -> None:
    halves = np.zeros((100, 8, 8, 3), np.uint8)
    halves[:, :4], halves[:, 4:] = 80, 160
    lit = augmenter(jitter=0.3)({"front": halves})["front"].astype(float)
    ratio = lit[:, 7, 0].mean(axis=1) / np.maximum(1, lit[:, 0, 0].mean(axis=1))
    assert ratio.std() > 0.1


def test_a_patch_covers_a_part_and_leaves_most() -> None:
    given = pictures(50)
    altered = augmenter(patches=1.0)(given)["front"]
    changed = (altered != given["front"]).any(axis=3).mean(axis=(1, 2))
    assert (changed > 0).all() and changed.max() < 0.12
    untouched = augmenter(patches=0.5)(given)["front"]
    same = [(one == other).all() for one, other in zip(untouched, given["front"], strict=True)]
    assert 10 < sum(same) < 40


def test_shifts_move_the_whole_picture() -> None:
    given = {"front": np.tile(np.arange(32, dtype=np.uint8)[None, None, :, None], (40, 8, 1, 3))}
    altered = augmenter(shift=3)(given)["front"]
    middle = altered[:, 4, 16, 0].astype(int) - 16
    assert set(middle.tolist()) == set(range(-3, 4))
