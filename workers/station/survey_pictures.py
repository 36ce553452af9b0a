"""What the workspace looked like when its bounds were found: a picture of each camera beside the configuration."""

import contextlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import Image

from workers.processors.transition import Picture

log = logging.getLogger(__name__)


def save_pictures(config: Path, pictures: Mapping[str, Picture]) -> list[Path]:
    """Write the newest picture uint8 [H, W, 3] of each camera as `<configuration>.bounds-<camera>.png`.

    One that cannot be written is left out, and logged: the bounds do not depend on it.
    """
    written = []
    for camera, picture in pictures.items():
        path = config.with_name(f"{config.stem}.bounds-{camera}.png")
        aside = path.with_suffix(".png.tmp")
        try:
            Image.fromarray(picture).save(aside, "PNG")
            aside.rename(path)
        except OSError as error:
            log.warning("%s could not be written: %s", path, error.strerror or error)
            with contextlib.suppress(OSError):
                aside.unlink()
        else:
            written.append(path)
    return written


def in_words(written: Iterable[Path]) -> str:
    """Which pictures there are, as the end of a sentence; "" where there are none."""
    names = ", ".join(path.name for path in written)
    return f"; how the workspace looked is in {names}" if names else ""
