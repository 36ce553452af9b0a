"""Pictures of several cameras, side by side: every camera is decoded ahead in a thread of its own.

Decoders let go of the interpreter while they work, several times a picture, and wait for it each time. So what a
thread does with a picture in Python is one copy to where the frame is put together, and the threads work far enough
ahead that none stands still while another has its turn.
"""

import math
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from workers.dataset.pictures import Picture

_PIECE_BYTES = 2**21  # what a thread is asked for at once, of all cameras: 21 frames of two 128x128 ones
_LEAST_FRAMES = 2  # in a piece
_PIECES_AHEAD = 4
Frame = NDArray[np.uint8]
"""[cameras, H, W, 3]"""


def side_by_side(
    views: Sequence[Generator[Picture, None, None]], shape: tuple[int, int, int, int]
) -> Generator[Frame, None, None]:
    """Frames uint8 `shape` [cameras, H, W, 3]; `views` give the pictures [H, W, 3] of a camera each, in order.

    What a view raises is raised here. Whoever closes this before its end stops the threads: they are gone when that
    returns. Raises ValueError where one view has more pictures.
    """
    count = max(_LEAST_FRAMES, _PIECE_BYTES // math.prod(shape))
    threads = [ThreadPoolExecutor(1, "pictures") for _ in views]
    stopped = threading.Event()

    def begin() -> tuple[Frame, list[Future[int]]]:
        piece = np.empty((count, *shape), np.uint8)
        places = (piece[:, camera] for camera in range(len(views)))
        return piece, [
            thread.submit(_fill, place, view, stopped)
            for thread, place, view in zip(threads, places, views, strict=True)
        ]

    try:
        begun = deque(begin() for _ in range(_PIECES_AHEAD))
        full = True
        while full:
            piece, filling = begun.popleft()
            begun.append(begin())
            filled = [each.result() for each in filling]
            yield from piece[: min(filled)]
            if min(filled) != max(filled):
                raise ValueError(f"one camera has {max(filled) - min(filled)} pictures more than another")
            full = min(filled) == count
    finally:
        stopped.set()
        for thread in threads:
            thread.shutdown(cancel_futures=True)
        for view in views:
            view.close()


def _fill(place: NDArray[np.uint8], view: Iterator[Picture], stopped: threading.Event) -> int:
    """Put the next pictures into `place` [n, H, W, 3]; how many there were."""
    for number in range(len(place)):
        if stopped.is_set() or (picture := next(view, None)) is None:
            return number
        place[number] = picture
    return len(place)
