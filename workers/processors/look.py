"""What a console is shown of a picture: a part of it as large as there is room, and the policy's view of a crop.

The policy's view comes out of ImageCropResizeProcessor, so that it is what a run would see, pixel by pixel.
"""

import cv2
import numpy as np

from workers.model.commands import Look
from workers.model.events import Looked, Pixels
from workers.processors.errors import ProcessorError
from workers.processors.features import IMAGES
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.transition import Picture

MOST_PIXELS = 512
"""A side of what is sent; no terminal shows more, and no policy takes more."""


def looked(look: Look, picture: Picture) -> Looked:
    """The answer to `look`, of a picture uint8 [H, W, 3]; with words in place of pixels where it cannot be shown."""
    rows, columns = picture.shape[:2]
    top, left, height, width = _part(look, rows, columns)
    try:
        policy = _policy(look, picture)
    except (ProcessorError, cv2.error) as error:
        return Looked(look.number, look.camera, f"this crop cannot be shown: {error}")
    return Looked(
        number=look.number,
        camera=look.camera,
        height=rows,
        width=columns,
        part=(top, left, height, width),
        shown=pixels(fitted(picture[top : top + height, left : left + width], look.room)),
        policy=pixels(policy),
    )


def _part(look: Look, rows: int, columns: int) -> tuple[int, int, int, int]:
    """What is shown of the picture, brought into it."""
    top, left, height, width = look.part or (0, 0, rows, columns)
    top, left = min(max(0, top), rows - 1), min(max(0, left), columns - 1)
    return top, left, min(max(1, height), rows - top), min(max(1, width), columns - left)


def _policy(look: Look, picture: Picture) -> Picture:
    key = IMAGES + look.camera
    crops = {} if look.crop is None else {key: look.crop}
    size = None if look.size is None else (_side(look.size[0]), _side(look.size[1]))
    seen = ImageCropResizeProcessor(crops, size).picture(key, picture)
    return seen if size else fitted(seen, (MOST_PIXELS, MOST_PIXELS))


def _side(pixels: int) -> int:
    return min(max(1, pixels), MOST_PIXELS)


def fitted(picture: Picture, room: tuple[int, int]) -> Picture:
    """The picture made smaller, aspect kept, where it is larger than `room` (height, width)."""
    scale = min(_side(room[0]) / picture.shape[0], _side(room[1]) / picture.shape[1])
    if scale >= 1.0:
        return picture
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small: Picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return small


def pixels(picture: Picture) -> Pixels:
    return Pixels(picture.shape[0], picture.shape[1], np.ascontiguousarray(picture).tobytes())
