"""What pictures go through in training: a camera that was moved a little, another light, something in the way.

A shift as in DrQ, one affine map of the bytes of each colour (brightness, contrast, tint), and a patch of one colour.
What is left looks the same to a person, and so it must to the classifier.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.learner.augment import draw_shifts, shift_into

Pictures = dict[str, NDArray[np.uint8]]
"""uint8 [n, H, W, 3] by camera."""
_LARGEST_PATCH = 0.3
"""Of each side of the picture."""
_TINT = 0.3
"""Of the change of brightness, how much differs between colours."""


class Augmenter:
    """Alters pictures at random; the cameras of a frame differ, as their places and lenses do."""

    def __init__(
        self, shift_px: int, colour_jitter: float, patch_probability: float, rng: np.random.Generator
    ) -> None:
        self._shift, self._jitter, self._patch, self._rng = shift_px, colour_jitter, patch_probability, rng

    def __call__(self, pictures: Mapping[str, NDArray[np.uint8]]) -> Pictures:
        """Copies, altered."""
        return {camera: self._altered(of) for camera, of in pictures.items()}

    def _altered(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        altered = np.empty_like(pictures)
        shifts = draw_shifts(len(pictures), self._shift, self._rng)
        for number, (down, right) in enumerate(shifts.tolist()):
            shift_into(altered[number : number + 1], pictures[number : number + 1], down, right)
            if self._jitter:
                altered[number] = cv2.LUT(altered[number], self._light(altered[number]))
            if self._rng.random() < self._patch:
                self._cover(altered[number])
        return altered

    def _light(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What each byte of each colour becomes, uint8 [1, 256, 3]."""
        most = self._jitter
        brightness = 1 + self._rng.uniform(-most, most) + self._rng.uniform(-most, most, 3) * _TINT
        contrast = 1 + self._rng.uniform(-most, most)
        middle = cv2.mean(picture)[:3]
        bytes_ = np.arange(256)[:, None]
        lit = (bytes_ - middle) * contrast * brightness + np.array(middle) * brightness
        return np.clip(np.rint(lit), 0, 255).astype(np.uint8)[None]

    def _cover(self, picture: NDArray[np.uint8]) -> None:
        """A rectangle of one colour somewhere."""
        sides = np.array(picture.shape[:2])
        size = np.maximum(1, sides * self._rng.uniform(0.05, _LARGEST_PATCH, 2)).astype(int)
        top, left = (self._rng.random(2) * (sides - size)).astype(int)
        picture[top : top + size[0], left : left + size[1]] = self._rng.integers(0, 256, 3)
