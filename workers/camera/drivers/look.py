"""How an episode looks: light and the turn of each camera, drawn at random from the episode's seed.

Every process that draws the scene derives the same look by itself. With nothing to vary, nothing is touched.
"""

from dataclasses import dataclass
from typing import Final

import mujoco
import numpy as np
from numpy.typing import NDArray

_DARKEST, _BRIGHTEST = 0.5, 1.25  # how everything is lit at light = 1; beyond that the table would be white
_TILT: Final = 0.6  # and the light comes from up to so much further aside, as part of its way down


@dataclass(frozen=True, slots=True)
class LookRange:
    """How much looks differ; see `env.simulation`."""

    light: float = 0.0  # 0 to 1
    camera_jitter_deg: float = 0.0


ALWAYS_ALIKE: Final = LookRange()


class Looks:
    """Applies the look of a seed to a model; remembers what the model was like before."""

    def __init__(self, model: mujoco.MjModel, look_range: LookRange) -> None:
        self._model, self._range = model, look_range
        self._seed: int | None = None
        head = model.vis.headlight
        self._lit = [array.copy() for array in (head.ambient, head.diffuse, model.light_diffuse)]
        self._direction = model.light_dir.copy()
        self._turns = model.cam_quat.copy()

    def apply(self, seed: int) -> None:
        """Make the model look as it does in the episode with `seed`."""
        if seed == self._seed:
            return
        self._seed = seed
        light_stream, camera_stream = np.random.SeedSequence(seed).spawn(2)
        if self._range.light > 0.0:
            self._change_light(np.random.default_rng(light_stream))
        if self._range.camera_jitter_deg > 0.0:
            self._turn_cameras(np.random.default_rng(camera_stream))

    def _change_light(self, rng: np.random.Generator) -> None:
        model, share = self._model, self._range.light
        head = model.vis.headlight
        factor = 1.0 + share * rng.uniform(_DARKEST - 1.0, _BRIGHTEST - 1.0)
        for array, lit in zip((head.ambient, head.diffuse, model.light_diffuse), self._lit, strict=True):
            array[:] = factor * lit
        model.light_dir[:] = self._direction
        model.light_dir[:, :2] += share * rng.uniform(-_TILT, _TILT, 2)
        model.light_dir /= np.linalg.norm(model.light_dir, axis=1, keepdims=True)

    def _turn_cameras(self, rng: np.random.Generator) -> None:
        """Every view is turned, drawn here or not, so that each process turns its own in the same way."""
        jitter_rad = np.radians(self._range.camera_jitter_deg)
        for turned, straight in zip(self._model.cam_quat, self._turns, strict=True):
            mujoco.mju_mulQuat(turned, straight, _turn(rng.uniform(-jitter_rad, jitter_rad, 3)))


def _turn(angles_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quaternion [4] (w x y z) of small turns about the camera's own axes: up or down, aside, around its view."""
    turn = np.zeros(4)
    mujoco.mju_euler2Quat(turn, angles_rad, "xyz")
    return turn
