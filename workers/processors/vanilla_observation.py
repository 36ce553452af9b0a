"""VanillaObservationProcessor: what an environment gives becomes named observations."""

from collections.abc import Callable

import numpy as np

from workers.processors.errors import ProcessorError
from workers.processors.features import IMAGES, Feature, Features, with_state
from workers.processors.transition import Transition
from workers.robot.figures import Floats

AGENT, SURROUNDINGS, PIXELS = "agent_pos", "environment_state", "pixels"


class VanillaObservationProcessor:
    """`agent_pos`, then `environment_state`, become `observation.state`; pictures `observation.images.<camera>`."""

    def __init__(self, names: tuple[str, ...], scale: Callable[[Floats], Floats] | None = None) -> None:
        """`names` of the state's elements; `scale` brings `agent_pos` to the networks' range."""
        self._names, self._scale = names, scale

    def reset(self) -> None:
        """Nothing to forget."""

    def features(self, features: Features) -> Features:
        pixels = f"{PIXELS}."
        seen = {
            IMAGES + key.removeprefix(pixels): feature
            for key, feature in features.items()
            if key.startswith(pixels)
        }
        return {**with_state({}, self._names), **seen}

    def __call__(self, transition: Transition) -> None:
        raw, transition.observation = transition.observation, {}
        pieces = []
        if AGENT in raw:
            position = np.asarray(raw[AGENT], np.float64)
            pieces.append(position if self._scale is None else self._scale(position))
        if SURROUNDINGS in raw:
            pieces.append(np.asarray(raw[SURROUNDINGS], np.float64))
        transition.add_state(self, np.concatenate(pieces) if pieces else np.empty(0), self._names)
        for camera, picture in raw.get(PIXELS, {}).items():
            if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
                found = f"{picture.dtype} {list(picture.shape)}"
                raise ProcessorError(self, f"picture {camera!r} is {found}, not uint8 [height, width, 3]")
            transition.observation[IMAGES + camera] = picture


def raw_pictures(sizes: dict[str, tuple[int, int]]) -> dict[str, Feature]:
    """Raw features of pictures, by camera: (height, width)."""
    axes = ("height", "width", "channels")
    return {f"{PIXELS}.{camera}": Feature("uint8", (*size, 3), axes) for camera, size in sizes.items()}
