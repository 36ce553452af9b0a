"""Real cameras in the configuration: what they need, what does nothing for them, which arms they go with."""

import pytest

from tests.altered import altered
from workers.config import ConfigError, parse
from workers.config.ready import ready_config

FRONT = '[env.robot.cameras.front]\ntype = "sim"\nwidth = 128                     # pixels\nheight = 128\n'
REAL = '[env.robot.cameras.front]\ntype = "opencv"\nindex_or_path = 0\nwidth = 640\nheight = 480\n'


def text(camera: str) -> str:
    ready = ready_config().read_text()
    assert FRONT in ready
    return ready.replace(FRONT, camera)


def refused(camera: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text(camera), "my.toml")
    return str(caught.value)


@pytest.mark.parametrize(
    "device",
    ["0", '"/dev/v4l/by-id/usb-a-index0"', '"http://10.0.0.2:8080/video"', '"rtsp://a/b"', '"a.mp4"'],
)
def test_a_simulated_arm_may_have_a_real_camera_beside_a_simulated_one(device: str) -> None:
    cameras = parse(text(REAL.replace("= 0", f"= {device}"))).env.cameras
    assert (cameras["front"].type, cameras["side"].type) == ("opencv", "sim")


def test_a_real_camera_needs_its_device_and_its_size() -> None:
    said = refused('[env.robot.cameras.front]\ntype = "opencv"\n')
    assert "front.index_or_path: missing" in said and "find-cameras" in said
    assert "front.width: a real camera needs its own width and height" in said


@pytest.mark.parametrize(("key", "value"), [("index_or_path", "0"), ("fourcc", '"MJPG"'), ("rotation", "90")])
def test_what_only_a_real_camera_has_is_refused_for_a_simulated_one(key: str, value: str) -> None:
    assert f'front.{key}: does nothing for a camera of type = "sim"' in refused(FRONT + f"{key} = {value}\n")


def test_a_view_of_the_simulator_is_refused_for_a_real_camera() -> None:
    assert 'front.view: does nothing for a camera of type = "opencv"' in refused(REAL + 'view = "front"\n')


@pytest.mark.parametrize(
    ("key", "value"), [("rotation", "45"), ("fourcc", '"MJPEG"'), ("index_or_path", "-1")]
)
def test_values_that_no_camera_has_are_refused(key: str, value: str) -> None:
    assert f"front.{key}: " in refused(REAL.replace("index_or_path = 0\n", "") + f"{key} = {value}\n")


def test_a_turned_picture_is_published_as_the_file_says() -> None:
    from workers.camera.live import wanted_of

    turned = altered({
        "env.robot.cameras.front.type": "opencv", "env.robot.cameras.front.index_or_path": 0,
        "env.robot.cameras.front.width": 480, "env.robot.cameras.front.height": 640,
        "env.robot.cameras.front.rotation": -90,
    }).env.cameras["front"]  # fmt: skip
    assert wanted_of(turned).capture_size == (640, 480)
