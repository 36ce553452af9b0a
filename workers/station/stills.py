"""Pictures of the running cameras for consoles that choose a crop: the newest, or the last one held still."""

import time

from msgspec.structs import replace

from workers.model.commands import Look
from workers.model.events import Looked
from workers.processors.look import looked
from workers.processors.transition import Picture
from workers.robot.board import Board


class Stills:
    """Answers `Look` from the cameras' shared memory; keeps the last picture that each console saw of each."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._kept: dict[tuple[str, str], tuple[Picture, float]] = {}

    def answer(self, console: str, look: Look) -> Looked:
        """A picture of `look.camera`, or why there is none."""
        kept = self._kept.get((console, look.camera)) if look.hold else None
        if kept is None:
            memory = self._board.frames.get(look.camera)
            if memory is None:
                known = ", ".join(self._board.frames) or "none: this run has no cameras of its own"
                return Looked(look.number, look.camera, f"no camera {look.camera!r}; there are {known}")
            newest = memory.read()
            if newest is None:
                return Looked(look.number, look.camera, f"no picture from {look.camera} yet")
            kept = newest[1]["pixels"], time.time()
            self._kept[(console, look.camera)] = kept
        picture, taken_s = kept
        answer = looked(look, picture)
        return answer if answer.trouble else replace(answer, taken_s=taken_s)

    def newest(self) -> dict[str, Picture]:
        """The newest picture uint8 [H, W, 3] of each camera that has given one."""
        read = {camera: memory.read() for camera, memory in self._board.frames.items()}
        return {camera: found[1]["pixels"] for camera, found in read.items() if found is not None}

    def forget(self, consoles: set[str]) -> None:
        """Keep nothing of consoles other than these."""
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] in consoles}
