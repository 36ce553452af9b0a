"""find-cameras on a made-up /dev and /sys, and on an emulated camera of the network."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.config.effects_cameras import HEIGHT, WIDTH, video
from tests.emulators.mjpeg_camera import mjpeg_camera
from workers.camera.drivers.source import Mode
from workers.camera.find import NONE_HELP, Finder, bandwidth, half_blocks, mbit_s, nominal, toml_lines
from workers.camera.places import Place, Places, changes, watch_places
from workers.cli import app
from workers.config import parse
from workers.config.ready import ready_config


class Machine:
    """Files as Linux has them for USB cameras."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("dev/v4l/by-id", "dev/v4l/by-path", "sys/class/video4linux"):
            (root / folder).mkdir(parents=True)

    def plug(self, number: int, product: str, bus: str = "usb1", index: int = 0) -> None:
        device = f"video{number}"
        (self.root / "dev" / device).touch()
        usb = self.root / f"sys/devices/pci/{bus}/1-{number}"
        usb.mkdir(parents=True)
        entry = self.root / "sys/class/video4linux" / device
        entry.mkdir()
        (entry / "name").write_text(product + "\n")
        (entry / "index").write_text(f"{index}\n")
        (entry / "device").symlink_to(usb)
        name = f"usb-{product.replace(' ', '_')}-video-index{index}"
        (self.root / "dev/v4l/by-id" / name).symlink_to(f"../../{device}")
        (self.root / "dev/v4l/by-path" / f"pci-{bus}-{number}-video-index{index}").symlink_to(
            f"../../{device}"
        )

    def unplug(self, number: int) -> None:
        for path in [*self.root.glob("dev/v4l/*/*"), self.root / f"dev/video{number}"]:
            if path.name == f"video{number}" or path.readlink().name == f"video{number}":
                path.unlink()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


def test_cameras_have_names_that_last_and_their_metadata_is_none(machine: Machine) -> None:
    machine.plug(10, "Wrist Cam", "usb2")
    machine.plug(2, "Front Cam")
    machine.plug(3, "Front Cam", index=1)
    front, wrist = Places(machine.root).found()
    assert front == Place(
        "/dev/video2", "Front Cam", "/dev/v4l/by-id/usb-Front_Cam-video-index0",
        "/dev/v4l/by-path/pci-usb1-2-video-index0", "usb1",
    )  # fmt: skip
    assert (wrist.device, wrist.controller, wrist.lasting) == ("/dev/video10", "usb2", wrist.by_id)


def test_without_a_name_of_its_own_a_camera_goes_by_its_socket() -> None:
    assert Place("/dev/video0", "", "", "/dev/v4l/by-path/a", "").lasting == "/dev/v4l/by-path/a"
    assert Place("/dev/video0", "", "", "", "").lasting == "/dev/video0"


def test_plugging_in_and_out_is_said(machine: Machine) -> None:
    machine.plug(0, "Front Cam")
    said: list[str] = []
    steps = iter([lambda: machine.plug(1, "Wrist Cam"), lambda: machine.unplug(0)])

    def going() -> bool:
        step = next(steps, None)
        if step is not None:
            step()
        return step is not None

    watch_places(Places(machine.root), said.append, going)
    assert said == [
        "  there: /dev/v4l/by-id/usb-Front_Cam-video-index0 (Front Cam)",
        "+ new: /dev/v4l/by-id/usb-Wrist_Cam-video-index0 (Wrist Cam)",
        "- gone: /dev/v4l/by-id/usb-Front_Cam-video-index0 (Front Cam)",
    ]
    assert changes([], []) == []


def test_without_any_camera_it_says_what_to_do(tmp_path: Path) -> None:
    said: list[str] = []
    assert not Finder(Places(tmp_path), tmp_path, said.append, draw=False).run(())
    assert said == [NONE_HELP]


def test_a_camera_is_looked_at_pictured_and_written_down_for_the_configuration(tmp_path: Path) -> None:
    said: list[str] = []
    with mjpeg_camera("--width", "320", "--height", "240") as camera:
        finder = Finder(Places(tmp_path), tmp_path, said.append, draw=True)
        assert finder.run([camera.url, str(tmp_path / "none.mp4")])
    text = "\n".join(said)
    assert "gives 320x240 at" in text and "neither a device nor a video file" in text
    assert "▀" in text
    picture = cv2.imread(str(tmp_path / "cam0.png"))
    assert picture is not None and picture.shape == (240, 320, 3)
    table = text[text.index("[env.robot.cameras.cam0]") :]
    assert f'index_or_path = "{camera.url}"' in table
    assert parse(ready_config().read_text() + "\n" + table).env.cameras["cam0"].width == 320


def test_the_command_fails_where_no_camera_gives_a_picture(tmp_path: Path) -> None:
    missing = ["find-cameras", "--output", str(tmp_path / "out"), "--also", str(tmp_path / "none.mp4")]
    done = CliRunner().invoke(app, missing)
    assert done.exit_code == 1 and "there is no" in done.output
    fine = [*missing[:3], "--also", str(video(tmp_path / "a.avi", 30))]
    done = CliRunner().invoke(app, fine)
    assert done.exit_code == 0 and f"width = {WIDTH}\nheight = {HEIGHT}\n" in done.output


def test_two_uncompressed_cameras_are_too_much_for_one_bus_and_two_of_mjpg_are_not() -> None:
    raw, packed = Mode(640, 480, 30.0, "YUYV"), Mode(640, 480, 30.0, "MJPG")
    assert mbit_s(raw) == pytest.approx(147.5, abs=1) and mbit_s(packed) < 25
    assert 'too much. Set fourcc = "MJPG"' in bandwidth("usb1", [raw, raw])
    assert "too much" not in bandwidth("usb1", [packed, packed])
    large = [Mode(1920, 1080, 60.0, "MJPG")] * 2
    assert "smaller pictures or a lower fps" in bandwidth("usb1", large)


def test_small_things_of_the_report() -> None:
    assert [nominal(fps) for fps in (29.7, 14.9, 12.0)] == [30.0, 15.0, 12.0]
    assert half_blocks(np.zeros((4, 3, 3), np.uint8)).count("▀") == 6
    assert toml_lines("a-b", "/dev/video0", 640, 480, 30.0).startswith("[env.robot.cameras.a_b]\n")
