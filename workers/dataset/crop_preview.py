"""A picture file of one frame: each camera with its crop drawn, and what the policy sees beside it."""

from pathlib import Path

import cv2
import numpy as np

from workers.config.crops import Crop
from workers.config.env import IMAGE_PREFIX
from workers.dataset.crop_plan import CropPlan
from workers.dataset.errors import DatasetError
from workers.processors.image_crop_resize import ImageCropResizeProcessor
from workers.processors.transition import Picture

_AMBER = (230, 159, 0)
_OUTSIDE = 0.4  # brightness of what the policy does not see
_GAP = 12  # pixels between pictures


def write_preview(path: Path, plan: CropPlan, episode: int, frame: int) -> None:
    """Write the pictures of one frame into the file `path`. Raises DatasetError."""
    rows = []
    for key in plan.dataset.info.cameras:
        picture = next(plan.dataset.pictures(episode, key, frame, frame + 1), None)
        if picture is None:
            length = plan.dataset.episodes[episode].length
            raise DatasetError(f"episode {episode} has no frame {frame}: it has {length}, counted from 0")
        seen = ImageCropResizeProcessor(plan.crops, plan.size).picture(key, picture)
        name = key.removeprefix(IMAGE_PREFIX)
        rows.append(_beside(_marked(picture, plan.crops.get(key), name), seen))
    whole = _stacked(rows)
    written, encoded = cv2.imencode(".png", cv2.cvtColor(whole, cv2.COLOR_RGB2BGR))
    assert written, "a picture of bytes can be encoded"
    try:
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error.strerror}") from error


def _marked(picture: Picture, crop: Crop | None, name: str) -> Picture:
    """The picture, darker outside the crop, a line around it, and the camera's name."""
    top, left, height, width = crop or (0, 0, *picture.shape[:2])
    marked = (picture * _OUTSIDE).astype(np.uint8)
    marked[top : top + height, left : left + width] = picture[top : top + height, left : left + width]
    cv2.rectangle(marked, (left - 1, top - 1), (left + width, top + height), _AMBER, 1)
    words = f"{name} {[top, left, height, width]}"
    cv2.putText(marked, words, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, _AMBER, 1, cv2.LINE_AA)
    return marked


def _beside(left: Picture, right: Picture) -> Picture:
    return np.ascontiguousarray(_stacked([left.swapaxes(0, 1), right.swapaxes(0, 1)]).swapaxes(0, 1))


def _stacked(pictures: list[Picture]) -> Picture:
    """One below the other, as they are, with a gap between."""
    width = max(picture.shape[1] for picture in pictures)
    height = sum(picture.shape[0] for picture in pictures) + _GAP * (len(pictures) - 1)
    whole = np.zeros((height, width, 3), np.uint8)
    top = 0
    for picture in pictures:
        whole[top : top + picture.shape[0], : picture.shape[1]] = picture
        top += picture.shape[0] + _GAP
    return whole
