"""A capture that behaves as a USB camera's driver does: each property that is set may change the others."""

from typing import Any

import cv2

from workers.camera.drivers.negotiate import fourcc_text

NAMES = {
    cv2.CAP_PROP_FOURCC: "fourcc",
    cv2.CAP_PROP_FRAME_WIDTH: "width",
    cv2.CAP_PROP_FRAME_HEIGHT: "height",
    cv2.CAP_PROP_FPS: "fps",
}
Rates = dict[tuple[str, int, int], float]
USUAL: Rates = {
    ("MJPG", 640, 480): 30.0,
    ("MJPG", 1280, 720): 30.0,
    ("YUYV", 640, 480): 30.0,
    ("YUYV", 1280, 720): 10.0,
}


class FakeCapture:
    """`rates` are what it can do: fps by format, width and height. `asked` is what was set, in order.

    `forgetful`: a new size makes it forget the format; `stubborn`: once the size is set it keeps its rate.
    """

    def __init__(self, rates: Rates = USUAL, forgetful: bool = False, stubborn: bool = False) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.rates, self.forgetful, self.stubborn = rates, forgetful, stubborn
        self.now: dict[str, Any] = {"fourcc": "YUYV", "width": 640, "height": 480, "fps": 30.0}
        self._half: tuple[int, int] | None = None

    def set(self, prop: int, value: float, /) -> bool:
        name = NAMES[prop]
        wanted: Any = fourcc_text(value) if name == "fourcc" else value
        self.asked.append((name, wanted))
        if name == "width":
            self._half = (int(value), self.now["height"])
            return True
        if name == "height":
            assert self._half is not None
            return self._resize(self._half[0], int(value))
        if name == "fourcc":
            if not any(fourcc == wanted for fourcc, _, _ in self.rates):
                return False
            self.now["fourcc"] = wanted
            return self._resize(self.now["width"], self.now["height"])
        if not self.stubborn:
            self.now["fps"] = min(value, self._rate())
        return True

    def get(self, prop: int, /) -> float:
        value = self.now[NAMES[prop]]
        if NAMES[prop] == "fourcc":
            return float(sum(ord(letter) << 8 * place for place, letter in enumerate(value)))
        return float(value)

    def _resize(self, width: int, height: int) -> bool:
        sizes = [(w, h) for fourcc, w, h in self.rates if fourcc == self.now["fourcc"]]
        if (width, height) not in sizes:
            width, height = sizes[0]
        if self.forgetful and (width, height) != (self.now["width"], self.now["height"]):
            self.now["fourcc"] = "YUYV"
        self.now.update(width=width, height=height)
        self.now["fps"] = self._rate()
        return True

    def _rate(self) -> float:
        return self.rates.get((self.now["fourcc"], self.now["width"], self.now["height"]), 5.0)
