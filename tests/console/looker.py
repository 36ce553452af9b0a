"""A client for the Crop screen: answers `Look` at once, from one picture a camera, with the station's own code."""

from pathlib import Path

import numpy as np
from msgspec.structs import replace

from tests.console import demo
from tests.console.still import Still
from workers.model import commands as c
from workers.model.reduce import reduce
from workers.processors.look import looked


def picture(height: int = 480, width: int = 640) -> np.ndarray:
    """A table with a grid and a red cube: every pixel tells where it is."""
    rows, columns = np.mgrid[:height, :width]
    made = np.stack([40 + rows * 120 // height, 60 + columns * 120 // width, 90 + 0 * rows], -1)
    made[(rows % 40 == 0) | (columns % 40 == 0)] = 170
    made[200:280, 300:380] = (206, 62, 48)
    return made.astype(np.uint8)


class Looker(Still):
    """`asked` has every question. `episodes`: of a dataset, with ten frames in each."""

    def __init__(
        self, config: Path, episodes: int = 0, pictures: dict[str, np.ndarray] | None = None
    ) -> None:
        run = replace(
            demo.OPENED,
            config_path=str(config),
            run_dir=str(config.parent / "lift"),
            cameras=("front", "side"),
            dataset=episodes > 0,
            has_arm=episodes == 0,
        )
        super().__init__(reduce(demo.fold(demo.opening()), run))
        self.episodes = episodes
        self.pictures = pictures or {"front": picture(), "side": picture()}
        self.asked: list[c.Look] = []
        self.mute = False

    def send(self, command: c.Command) -> bool:
        if isinstance(command, c.Look):
            self.asked.append(command)
            if not self.mute:
                self.answer(command)
            return True
        return super().send(command)

    def answer(self, look: c.Look) -> None:
        answer = looked(look, self.pictures[look.camera])
        if self.episodes:
            episode, frame = min(look.episode, self.episodes - 1), min(look.frame, 9)
            answer = replace(answer, episodes=self.episodes, episode=episode, frame=frame, frames=10)
        self.state = reduce(self.state, answer)
        self.changed()
