"""Crops of the cameras: as people write them, as LeRobot's tool prints them, and into a configuration's text."""

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workers.config.edit import replace_text, with_values
from workers.config.env import IMAGE_PREFIX
from workers.config.lines import KeyPath
from workers.config.load import parse, read_text
from workers.config.nearest import nearest
from workers.config.schema import Config

Crop = tuple[int, int, int, int]
"""Top, left, height, width in pixels."""
Size = tuple[int, int]
"""Height, width in pixels."""

DEFAULT_SIZE: Size = (128, 128)
SMALLEST = 8
"""Pixels that a side of a crop has at least."""
SECTION: KeyPath = ("env", "processor", "image_preprocessing")
_FOUR = "four whole numbers: top, left, height, width in pixels"


class NoCrop(Exception):
    """A crop that cannot be; the text is for the person."""


def parse_crop(text: str) -> Crop:
    """`180,207,180,200`, also with spaces or in brackets. Raises NoCrop."""
    words = re.split(r"[,\s]+", text.strip().strip("[]()").strip())
    if len(words) != 4 or not all(word.isascii() and word.isdigit() for word in words):
        raise NoCrop(f"{text!r} is no crop; it must be {_FOUR}, like 180,207,180,200")
    top, left, height, width = map(int, words)
    return top, left, height, width


def parse_size(text: str) -> Size:
    """`64x64` or `64 64`: height and width. Raises NoCrop."""
    words = re.split(r"[x×,\s]+", text.strip().lower())
    if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
        raise NoCrop(f"{text!r} is no size; it must be height and width in pixels, like 128x128")
    return int(words[0]), int(words[1])


def camera_key(name: str, keys: Iterable[str]) -> str:
    """The key of the camera that is called by its name or its whole key. Raises NoCrop with the nearest one."""
    keys = list(keys)
    by_name = {key.removeprefix(IMAGE_PREFIX): key for key in keys} | {key: key for key in keys}
    if name in by_name:
        return by_name[name]
    names = [key.removeprefix(IMAGE_PREFIX) for key in keys]
    close = nearest(name.removeprefix(IMAGE_PREFIX), names)
    meant = f'did you mean "{close}"?' if close else f"there are {', '.join(names) or 'none'}"
    raise NoCrop(f'there is no camera "{name}"; {meant}')


def check_crop(name: str, crop: Crop, picture: Size) -> None:
    """Raise NoCrop where `crop` reaches out of a picture of that size, or is too small."""
    top, left, height, width = crop
    if height < SMALLEST or width < SMALLEST:
        raise NoCrop(
            f"{name}: a crop of {height} x {width} pixels is too small; {SMALLEST} x {SMALLEST} is the least"
        )
    if top + height > picture[0] or left + width > picture[1]:
        raise NoCrop(
            f"{name}: the crop {list(crop)} reaches row {top + height} and column {left + width}, but the picture"
            f" has {picture[0]} rows and {picture[1]} columns"
        )


def tutorial_lines(crops: Mapping[str, Crop]) -> str:
    """What LeRobot's crop tool prints at its end, as its tutorial shows it."""
    lines = [f"{key}: {list(crop)}" for key, crop in crops.items()] or ["none: the whole pictures"]
    return "\n".join(["Selected Rectangular Regions of Interest (top, left, height, width):", *lines])


def check_pictures(config: Config, sizes: Mapping[str, Size]) -> None:
    """Raise NoCrop where pictures of a dataset, by key, are not what the configured cameras give.

    A crop found on them would be another part of what the camera sees.
    """
    for name, camera in config.env.cameras.items():
        size = sizes.get(IMAGE_PREFIX + name)
        if size is not None and size != (camera.height, camera.width):
            raise NoCrop(
                f"{name}: the dataset's pictures have {size[0]} rows and {size[1]} columns, the configured camera gives"
                f" {camera.height} and {camera.width}. They were cropped or resized when they were recorded, or the"
                " camera's width and height have changed: crop on the camera, or on a dataset of its whole pictures"
            )


def with_crops(text: str, path: str, crops: Mapping[str, Crop], size: Size | None) -> str:
    """The configuration's `text` with these crops and this size; comments and everything else stay.

    Crops of other cameras stay, and so does the size when it is None. Raises ConfigError when the result is not
    a configuration that can be used, or `text` is none.
    """
    now = parse(text, path).env.processor.image_preprocessing
    new = {key: list(crop) for key, crop in crops.items() if now.crop_params_dict.get(key) != tuple(crop)}
    values: dict[KeyPath, Any] = {(*SECTION, "crop_params_dict", key): crop for key, crop in new.items()}
    if size is not None and size != now.resize_size:
        values[(*SECTION, "resize_size")] = list(size)
    changed = with_values(text, path, values) if values else text
    parse(changed, path)
    return changed


def difference(before: str, after: str, path: str) -> list[str]:
    """The lines of a unified difference, without the two that name the file twice; [] of equal texts."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm="", n=1)
    return list(lines)[2:]


def write_crops(path: Path, crops: Mapping[str, Crop], size: Size | None) -> list[str]:
    """Set the crops in a configuration file, which is replaced at once; what changed, line by line.

    Raises ConfigError, and then the file is as it was.
    """
    path = path.resolve()  # where it is a link, what it leads to is replaced
    before = read_text(path)
    after = with_crops(before, str(path), crops, size)
    if after != before:
        replace_text(path, after)
    return difference(before, after, path.name)
