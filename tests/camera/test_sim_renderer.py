import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workers.camera.drivers import sim
from workers.camera.drivers.sim import RendererUnavailable, SimRenderer
from workers.robot.drivers.sim import SimArm


@pytest.fixture(scope="module")
def renderer() -> SimRenderer:
    return SimRenderer(("front", "side"), 128, 128)


def red_pixels(picture: np.ndarray) -> np.ndarray:
    red = picture.astype(int)
    return (red[..., 0] > 100) & (red[..., 1] < 60) & (red[..., 2] < 60)


def test_both_cameras_see_the_cube_wherever_it_lies(renderer: SimRenderer) -> None:
    arm, rng = SimArm(), np.random.default_rng(2)
    for _ in range(20):
        arm.reset(rng)
        for picture in renderer.render(arm.scene()).values():
            assert picture.shape == (128, 128, 3) and picture.dtype == np.uint8
            columns = np.flatnonzero(red_pixels(picture).any(axis=0))
            assert columns[-1] - columns[0] + 1 >= 8
            assert columns[0] > 0 and columns[-1] < 127


def test_pictures_are_upright(renderer: SimRenderer) -> None:
    arm = SimArm()
    low = arm.scene()
    high = low.copy()
    high[arm.cube_index + 2] += 0.05
    for camera in ("front", "side"):
        rows = [
            np.flatnonzero(red_pixels(renderer.render(scene)[camera]).any(axis=1)).mean()
            for scene in (low, high)
        ]
        assert rows[1] < rows[0]


def test_the_same_scene_gives_the_same_pixels(renderer: SimRenderer) -> None:
    scene = SimArm().scene()
    first, again = renderer.render(scene), SimRenderer(("front",), 128, 128).render(scene)
    assert first["front"].tobytes() == again["front"].tobytes()
    assert first["front"].tobytes() != first["side"].tobytes()


def test_an_unknown_camera_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no camera 'top'; it has front, side"):
        SimRenderer(("top",), 64, 64)


def test_without_egl_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_egl(width: int, height: int) -> None:
        raise ImportError("libEGL.so.1: cannot open shared object file")

    monkeypatch.setattr("mujoco.egl.GLContext", no_egl)
    with pytest.raises(RendererUnavailable, match=r"libEGL.so.1(.|\n)*apt install libegl1"):
        sim.SimRenderer(("front",), 64, 64)


def test_torch_can_train_in_a_process_that_renders() -> None:
    """Two copies of LLVM meet there; in the wrong order the process dies."""
    code = (
        "from workers.camera.drivers.sim import SimRenderer; r = SimRenderer(('front',), 64, 64)\n"
        "import torch; torch.optim.Adam([torch.zeros(1, requires_grad=True)])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
