"""PNG files of the workers, read without their libraries."""

import random
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from hilserl_tui.png import NoPicture, read_png
from workers.dataset.pictures import png_of
from workers.model.events import Pixels


def natural(height: int, width: int) -> np.ndarray:
    """Smooth with some noise, so that an encoder takes all of its filters."""
    rng = np.random.default_rng(3)
    ramps = np.linspace(0, 200, height)[:, None, None] + np.linspace(0, 40, width)[None, :, None]
    noise = rng.integers(0, 9, (height, width, 3)) * (np.arange(height) % 3 == 0)[:, None, None]
    return (ramps + noise + np.array([0, 5, 10])).astype(np.uint8)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed(head: tuple[int, ...], lines: bytes) -> bytes:
    parts = chunk(b"IHDR", struct.pack(">IIBBBBB", *head)) + chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + parts + chunk(b"IEND", b"")


def test_a_picture_of_a_worker_is_read_to_the_pixel(tmp_path: Path) -> None:
    picture = natural(31, 47)
    (tmp_path / "a.png").write_bytes(png_of(picture))
    assert read_png(tmp_path / "a.png") == Pixels(31, 47, picture.tobytes())


def test_every_filter_is_undone_as_opencv_does(tmp_path: Path) -> None:
    rng = random.Random(5)
    lines = b"".join(bytes([kind]) + rng.randbytes(3 * 9) for kind in (1, 2, 3, 4, 0, 4, 3, 2, 1))
    path = tmp_path / "a.png"
    path.write_bytes(packed((9, 9, 8, 2, 0, 0, 0), lines))
    expected = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert read_png(path).rgb == expected.tobytes()


def test_grey_and_transparent_pictures_have_three_bytes_a_pixel(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.full((2, 3), 77, np.uint8))
    assert read_png(path) == Pixels(2, 3, bytes([77] * 18))
    cv2.imwrite(str(path), np.full((2, 3, 4), (1, 2, 3, 9), np.uint8))
    assert read_png(path) == Pixels(2, 3, bytes([3, 2, 1] * 6))


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"GIF89a",
        packed((9, 9, 16, 2, 0, 0, 0), b""),
        packed((9, 9, 8, 3, 0, 0, 0), b""),
        packed((9, 9, 8, 2, 0, 0, 0), b"\0" * 20),
        packed((1, 1, 8, 2, 0, 0, 0), b"\x09abc"),
        packed((60_000, 60_000, 8, 2, 0, 0, 0), b""),
        png_of(natural(31, 47))[:200],
    ],
    ids=["empty", "gif", "deep", "palette", "short", "filter", "huge", "cut"],
)
def test_what_is_no_picture_is_told(file: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(file)
    with pytest.raises(NoPicture, match="damaged"):
        read_png(tmp_path / "a.png")
