"""ImageCropResizeProcessor: cuts pictures to their region of interest and the policy's size."""

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np

from workers.processors.errors import ProcessorError
from workers.processors.features import IMAGES, Features, pictures
from workers.processors.transition import Picture, Transition

Crop = tuple[int, int, int, int]  # top, left, height, width in pixels


class ImageCropResizeProcessor:
    """Crop, then resize; pictures stay uint8. A picture that already fits passes untouched."""

    def __init__(self, crop_params_dict: Mapping[str, Crop], resize_size: tuple[int, int] | None) -> None:
        """Crops by observation key (`observation.images.<camera>`); `resize_size` is (height, width)."""
        self._crops, self._size = dict(crop_params_dict), resize_size

    def reset(self) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        sized = {}
        for camera, picture in pictures(features).items():
            key = IMAGES + camera
            crop = self._crops.get(key)
            sized[key] = replace(
                picture, shape=(*(self._size or (crop[2:] if crop else picture.shape[:2])), 3)
            )
        return {**features, **sized}

    def __call__(self, transition: Transition) -> None:
        for key, picture in transition.observation.items():
            if key.startswith(IMAGES):
                transition.observation[key] = self.picture(key, picture)

    def picture(self, key: str, picture: Picture) -> Picture:
        """What becomes of a picture uint8 [H, W, 3]; raises ProcessorError where its crop does not fit into it."""
        return self._resized(self._cropped(key, picture))

    def _cropped(self, key: str, picture: Picture) -> Picture:
        if key not in self._crops:
            return picture
        top, left, height, width = self._crops[key]
        if top + height > picture.shape[0] or left + width > picture.shape[1]:
            raise ProcessorError(
                self,
                f"crop {self._crops[key]} of {key} does not fit into its "
                f"{picture.shape[0]}x{picture.shape[1]} picture",
            )
        return np.ascontiguousarray(picture[top : top + height, left : left + width])

    def _resized(self, picture: Picture) -> Picture:
        if self._size is None or picture.shape[:2] == self._size:
            return picture
        height, width = self._size
        if _halves(picture.shape[0], height) and _halves(picture.shape[1], width):
            # The mean of 2x2 pixels first, what Pillow calls a reducing gap: twice as fast, and as smooth.
            half = (picture.shape[1] // 2, picture.shape[0] // 2)
            picture = _scaled(picture, half, cv2.INTER_AREA)
        shrinking = height < picture.shape[0] or width < picture.shape[1]
        return _scaled(picture, (width, height), cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def _halves(length: int, wanted: int) -> bool:
    return length % 2 == 0 and length >= 2 * wanted


def _scaled(picture: Picture, size: tuple[int, int], how: int) -> Picture:
    return cv2.resize(picture, size, interpolation=how).astype(np.uint8, copy=False)
