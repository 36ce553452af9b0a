"""Small environments to run ours on, registered like anybody's: `gymnasium.make("tests.actor.worlds:worlds/...")`."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

PREFIX = "tests.actor.worlds:"
POINT = "worlds/Point-v0"
SEEN = "worlds/SeenPoint-v0"
ODD = "worlds/Odd-v0"
GOAL = np.array([1.0, -1.0], np.float32)


class Point(gymnasium.Env[dict[str, Any], np.ndarray]):
    """A point on a plane and a hand; success within 0.3 of the goal. `pictures` adds two of different names."""

    metadata = {"render_modes": ["rgb_array"]}
    made: list["Point"] = []
    """Every instance, for tests that look behind the scenes."""

    def __init__(self, render_mode: str | None = None, pictures: bool = False, size: int = 48) -> None:
        self.render_mode = render_mode
        self.actions: list[np.ndarray] = []
        self.renders = 0
        self._pictures, self._size = pictures, size
        self._at = np.zeros(2, np.float32)
        self.action_space = spaces.Box(
            np.array([-0.5, -0.2, 0.0], np.float32), np.array([0.5, 0.4, 2.0], np.float32), dtype=np.float32
        )
        observed: dict[str, spaces.Space[Any]] = {
            "agent_pos": spaces.Box(-4.0, 4.0, (2,), np.float32),
            "environment_state": spaces.Box(-np.inf, np.inf, (2,), np.float32),
        }
        if pictures:
            picture = spaces.Box(0, 255, (size, size, 3), np.uint8)
            observed["pixels"] = spaces.Dict({"wrist": picture, "front": picture})
        self.observation_space = spaces.Dict(observed)
        Point.made.append(self)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        # Like gym-hil: NumPy's global generator, which reset(seed=...) does not seed.
        self._at = np.random.uniform(-1.0, 1.0, 2).astype(np.float32)
        return self._observation(), {}

    def step(self, action: np.ndarray) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        self.actions.append(action.copy())
        self._at = np.clip(self._at + action[:2], -4.0, 4.0)
        success = bool(np.linalg.norm(self._at - GOAL) < 0.3)
        return self._observation(), float(success), success, False, {"succeed": success}

    def render(self) -> np.ndarray:
        self.renders += 1
        return np.full((40, 60, 3), 7, np.uint8)

    def _observation(self) -> dict[str, Any]:
        observation: dict[str, Any] = {"environment_state": GOAL * 100.0, "agent_pos": self._at.copy()}
        if self._pictures:
            shape = (self._size, self._size, 3)
            observation["pixels"] = {
                "front": np.full(shape, 10, np.uint8),
                "wrist": np.full(shape, 20, np.uint8),
            }
        return observation


class Odd(gymnasium.Env[Any, Any]):
    """One step of whatever it is told: observations, rewards and ends as a test wants them."""

    space: spaces.Space[Any] = spaces.Box(-1.0, 1.0, (2,), np.float32)
    actions: spaces.Space[Any] = spaces.Box(-1.0, 1.0, (2,), np.float32)
    outcome: tuple[Any, ...] = (np.zeros(2, np.float32), 0.0, False, False, {})

    def __init__(self, fail: str = "") -> None:
        if fail:
            raise RuntimeError(fail)
        self.observation_space, self.action_space = Odd.space, Odd.actions

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return Odd.outcome  # type: ignore[return-value]


for name, make, kwargs in ((POINT, Point, {}), (SEEN, Point, {"pictures": True}), (ODD, Odd, {})):
    if name not in gymnasium.registry:
        gymnasium.register(name, entry_point=make, kwargs=kwargs, max_episode_steps=100)
