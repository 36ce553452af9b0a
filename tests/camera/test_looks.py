"""Light and camera jitter: the same for everybody who draws an episode, different from episode to episode."""

import numpy as np
import pytest

from workers.camera.drivers.look import LookRange
from workers.camera.drivers.sim import Shot, SimRenderer
from workers.robot.drivers.sim import SimArm

BOTH = {"front": Shot("front", 64, 64), "wrist": Shot("wrist", 64, 64)}
SCENE = SimArm().scene()


@pytest.mark.parametrize(
    "looks", [LookRange(light=1.0), LookRange(camera_jitter_deg=3.0), LookRange(0.5, 2.0)]
)
def test_a_camera_process_and_an_environment_draw_the_same_look(looks: LookRange) -> None:
    together = SimRenderer(BOTH, look_range=looks)
    alone = SimRenderer({"wrist": BOTH["wrist"]}, look_range=looks)
    seen = []
    for seed in (1, 2, 1):
        picture = together.render(SCENE, seed)["wrist"]
        off = np.abs(picture.astype(int) - alone.render(SCENE, seed)["wrist"])
        assert off.max() <= 1 and off.sum() < 5, "the rasteriser rounds differently elsewhere in its buffer"
        seen.append(picture.tobytes())
    assert seen[0] == seen[2] != seen[1]


def test_with_nothing_to_vary_every_episode_looks_alike() -> None:
    plain = SimRenderer(BOTH)
    assert plain.render(SCENE, 1)["front"].tobytes() == plain.render(SCENE, 2)["front"].tobytes()


def test_light_changes_brightness_and_moves_nothing() -> None:
    renderer = SimRenderer(BOTH, look_range=LookRange(light=1.0))
    pictures = [renderer.render(SCENE, seed)["front"].astype(float) for seed in range(12)]
    brightness = [picture.mean() for picture in pictures]
    assert max(brightness) - min(brightness) > 40
    cubes = [np.argwhere(p[..., 0] > 3 * np.maximum(p[..., 1], 1)).mean(axis=0) for p in pictures]
    assert np.ptp(cubes, axis=0).max() < 1.0


def test_jitter_moves_the_picture_within_its_degrees_and_hardly_the_light() -> None:
    """At 64 pixels and 38 degrees a degree is 1.7 pixels; roll and pan add up at the edges."""
    still = SimRenderer(BOTH).render(SCENE)["front"].astype(float)
    renderer = SimRenderer(BOTH, look_range=LookRange(camera_jitter_deg=3.0))

    def cube(picture: np.ndarray) -> np.ndarray:
        return np.argwhere(picture[..., 0] > 3 * np.maximum(picture[..., 1], 1)).mean(axis=0)

    pictures = [renderer.render(SCENE, seed)["front"].astype(float) for seed in range(12)]
    ways = np.array([cube(picture) - cube(still) for picture in pictures])
    assert 1.5 < np.abs(ways).max() < 9.0
    assert all(abs(np.median(picture) - np.median(still)) < 8 for picture in pictures)
