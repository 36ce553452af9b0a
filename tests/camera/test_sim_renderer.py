import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workers.camera.build import renderer_of
from workers.camera.drivers.sim import RendererUnavailable, Shot, SimRenderer
from workers.config import ConfigError, load, parse
from workers.config.ready import ready_config
from workers.robot.drivers.sim import SimArm
from workers.robot.scene import VIEWS
from workers.robot.tasks import TaskName

VIEW_NAMES = tuple(view.name for view in VIEWS)
SMALL = {name: Shot(name, 128, 128) for name in VIEW_NAMES}
CUBE_Z = 2  # in a scene


@pytest.fixture(scope="module")
def renderer() -> SimRenderer:
    return SimRenderer(SMALL)


def red(picture: np.ndarray) -> np.ndarray:
    r, g, b = np.moveaxis(picture.astype(int), -1, 0)
    return (r > 100) & (g < 60) & (b < 60)


def blue(picture: np.ndarray) -> np.ndarray:
    r, g, b = np.moveaxis(picture.astype(int), -1, 0)
    return (b > 100) & (b > 2 * r) & (b > 2 * g)


def spans(mask: np.ndarray, least: int) -> bool:
    """Whether what the mask shows is at least so many pixels wide, and not cut off at an edge of the picture."""
    columns = np.flatnonzero(mask.any(axis=0))
    return columns.size > 0 and columns[-1] - columns[0] + 1 >= least and 0 < columns[0] <= columns[-1] < 127


def test_front_and_side_see_the_cube_wherever_it_lies(renderer: SimRenderer) -> None:
    arm = SimArm()
    for seed in range(20):
        arm.reset(seed)
        pictures = renderer.render(arm.scene())
        assert pictures["front"].shape == (128, 128, 3) and pictures["front"].dtype == np.uint8
        assert spans(red(pictures["front"]), 8) and spans(red(pictures["side"]), 8)


@pytest.mark.parametrize(("task", "least"), [("reach", 8), ("push", 12)])
def test_front_and_side_see_the_goal_wherever_it_is(task: TaskName, least: int) -> None:
    arm, renderer = SimArm(task=task), SimRenderer(SMALL, task)
    for seed in range(20):
        arm.reset(seed)
        pictures = renderer.render(arm.scene())
        assert spans(blue(pictures["front"]), least) and spans(blue(pictures["side"]), least)
    renderer.close()


def test_the_wrist_view_sees_jaws_and_cube_and_moves_with_the_gripper(renderer: SimRenderer) -> None:
    arm = SimArm()
    arm.reset(0)
    before = renderer.render(arm.scene())["wrist"]
    jaws = before.max(axis=-1) < 90
    assert red(before).sum() > 30 and jaws.sum() > 300
    arm.place(np.array([20.0, -7.1, -2.4, 93.5, 2.8, 40.0]))
    after = renderer.render(arm.scene())["wrist"]
    assert (jaws == (after.max(axis=-1) < 90)).mean() > 0.97, "the jaws stay where they are in the picture"
    assert np.abs(np.argwhere(red(after)).mean(axis=0) - np.argwhere(red(before)).mean(axis=0)).max() > 5.0


def test_pictures_are_upright(renderer: SimRenderer) -> None:
    low = SimArm().scene()
    high = low.copy()
    high[CUBE_Z] += 0.05
    for camera in ("front", "side"):
        rows = [np.argwhere(red(renderer.render(scene)[camera]))[:, 0].mean() for scene in (low, high)]
        assert rows[1] < rows[0]


def test_the_same_scene_gives_the_same_pixels_in_any_renderer(renderer: SimRenderer) -> None:
    scene = SimArm().scene()
    first = renderer.render(scene)
    alone = SimRenderer({"mine": Shot("front", 128, 128)})
    assert first["front"].tobytes() == alone.render(scene)["mine"].tobytes()
    assert first["front"].tobytes() != first["side"].tobytes()


def test_a_renderer_outlives_another_one(renderer: SimRenderer) -> None:
    """What is freed must be its own: names of textures and buffers are the same in every OpenGL context."""
    scene = SimArm().scene()
    before = renderer.render(scene)["front"]
    other = SimRenderer({"front": Shot("front", 64, 64)})
    renderer.render(scene)
    other.close()
    assert renderer.render(scene)["front"].tobytes() == before.tobytes()


def test_cameras_of_different_sizes_are_drawn_in_one_go(renderer: SimRenderer) -> None:
    scene = SimArm().scene()
    sizes = {"side": (48, 80), "front": (128, 128), "wrist": (480, 640)}
    mixed = SimRenderer({name: Shot(name, width, height) for name, (height, width) in sizes.items()})
    pictures = mixed.render(scene)
    assert {name: picture.shape for name, picture in pictures.items()} == {
        name: (*size, 3) for name, size in sizes.items()
    }
    assert pictures["front"].tobytes() == renderer.render(scene)["front"].tobytes()
    large, small = (np.argwhere(red(p["wrist"])).mean(axis=0) for p in (pictures, renderer.render(scene)))
    assert large[0] / 480 == pytest.approx(small[0] / 128, abs=0.02), "the vertical field of view is the same"
    mixed.close()


def test_an_unknown_view_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no view 'top'; it has front, side, wrist"):
        SimRenderer({"mine": Shot("top", 64, 64)})


def test_a_camera_takes_its_view_from_its_name_or_from_its_key() -> None:
    text = ready_config().read_text()
    named = text.replace("[env.robot.cameras.side]", '[env.robot.cameras.gripper]\nview = "wrist"')
    config = parse(named, "my.toml")
    scene = SimArm().scene()
    pictures = renderer_of(config, config.env.cameras).render(scene)
    views = SimRenderer(SMALL).render(scene)
    assert pictures["front"].tobytes() == views["front"].tobytes()
    assert pictures["gripper"].tobytes() == views["wrist"].tobytes()


def test_a_camera_without_a_view_is_refused_with_its_place_in_the_file() -> None:
    text = ready_config().read_text().replace("[env.robot.cameras.side]", "[env.robot.cameras.gripper]")
    line = text.split("[env.robot.cameras.gripper]")[0].count("\n") + 1
    with pytest.raises(ConfigError) as caught:
        parse(text, "my.toml")
    expected = (
        f"my.toml:{line}: env.robot.cameras.gripper.view: missing; the simulator has no view of this name,"
        ' give view = "front", "side" or "wrist"'
    )
    assert expected in str(caught.value)


def test_the_configuration_and_the_scene_know_the_same_views() -> None:
    for view in VIEW_NAMES:
        text = ready_config().read_text()
        parse(text.replace("[env.robot.cameras.side]", f'[env.robot.cameras.other]\nview = "{view}"'))
    with pytest.raises(ConfigError, match='one of "front", "side", "wrist"'):
        parse(text.replace("[env.robot.cameras.side]", '[env.robot.cameras.other]\nview = "top"'))


def test_without_egl_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_egl(width: int, height: int) -> None:
        raise ImportError("libEGL.so.1: cannot open shared object file")

    monkeypatch.setattr("mujoco.egl.GLContext", no_egl)
    with pytest.raises(RendererUnavailable, match=r"libEGL.so.1(.|\n)*apt install libegl1"):
        renderer_of(load(ready_config()), ("front",))


def test_torch_can_train_in_a_process_that_renders() -> None:
    """Two copies of LLVM meet there; in the wrong order the process dies."""
    code = (
        "from workers.camera.drivers.sim import Shot, SimRenderer\n"
        "r = SimRenderer({'front': Shot('front', 64, 64)})\n"
        "import torch; torch.optim.Adam([torch.zeros(1, requires_grad=True)])"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
