"""A look at a camera of which nothing is known: what it offers, what it gives, how it looks."""

import time
from typing import Final, NamedTuple

from workers.camera.drivers.negotiate import FORMATS, ORDERS, ask, mode_of, offered
from workers.camera.drivers.opencv import OpenCVSource, is_device, open_camera, open_device
from workers.camera.drivers.source import CameraGone, Mode, Picture, Source, Wanted

USUAL: Final = (640, 480)
SHOTS: Final = 31  # exposure settles meanwhile, and the rate is measured
LIMIT_S: Final = 4.0  # for a slow one
FILE_FPS: Final = 30.0


class Probed(NamedTuple):
    """What was found; the mode's rate is measured."""

    mode: Mode
    picture: Picture
    offers: tuple[Mode, ...]


def probe(device: int | str) -> Probed:
    """Open a camera, let it run for a second, let it go. Raises CameraGone, CameraUnfit."""
    source, offers = _open(device)
    try:
        return _look(source, offers)
    finally:
        source.close()


def _open(device: int | str) -> tuple[Source, tuple[Mode, ...]]:
    if not is_device(device):
        return open_camera(Wanted(device, 0, 0, FILE_FPS)), ()
    capture = open_device(device)
    offers = tuple(dict.fromkeys(offered(capture)))
    best = min(offers, key=_distance, default=mode_of(capture))
    ask(capture, (best.width, best.height), best.fps or FILE_FPS, best.fourcc, ORDERS[0])
    mode = mode_of(capture)
    return OpenCVSource(capture, Wanted(device, mode.width, mode.height, mode.fps or FILE_FPS), mode), offers


def _distance(mode: Mode) -> tuple[int, int]:
    """Nearest to the usual size first, the format that spares the bus before others."""
    formats = FORMATS.index(mode.fourcc) if mode.fourcc in FORMATS else len(FORMATS)
    return abs(mode.width * mode.height - USUAL[0] * USUAL[1]), formats


def _look(source: Source, offers: tuple[Mode, ...]) -> Probed:
    limit_s = time.monotonic() + LIMIT_S
    taken: list[float] = []
    while len(taken) < SHOTS and (time.monotonic() < limit_s or len(taken) < 2):
        shot = source.shoot()
        if shot is not None:
            taken.append(shot.captured_ns / 1e9)
            picture = shot.pixels
        elif time.monotonic() > limit_s:
            raise CameraGone("all of its pictures arrive damaged: another cable, another USB socket?")
    half = taken[len(taken) // 2 :]  # the first ones may come in a burst
    span_s = half[-1] - half[0]
    mode = source.mode._replace(fps=round((len(half) - 1) / span_s, 1) if span_s > 0 else 0.0)
    return Probed(mode, picture, offers)
