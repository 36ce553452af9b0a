"""find-cameras: names, pictures and advice, on a made-up /dev and /sys."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from workers.camera.drivers.source import CameraGone, Mode
from workers.camera.find import Finder, Look, Place, Places, bandwidth_advice, half_blocks, watch_places

ID = "usb-Sonix_HD_Webcam-video-index0"
USB = "pci-0000:00:14.0-usb-0:2:1.0-video-index0"


def plug(root: Path, number: int, name: str, by_id: str = "", by_path: str = "", index: int = 0) -> None:
    node = root / f"sys/class/video4linux/video{number}"
    node.mkdir(parents=True)
    (node / "name").write_text(f"{name}\n")
    (node / "index").write_text(f"{index}\n")
    device = root / f"dev/video{number}"
    device.parent.mkdir(exist_ok=True)
    device.write_text("")
    for kind, link in (("by-id", by_id), ("by-path", by_path)):
        if link:
            folder = root / "dev/v4l" / kind
            folder.mkdir(parents=True, exist_ok=True)
            (folder / link).unlink(missing_ok=True)
            (folder / link).symlink_to(device)


def test_cameras_have_lasting_names_and_metadata_devices_are_none(tmp_path: Path) -> None:
    plug(tmp_path, 0, "HD Webcam", ID, USB)
    plug(tmp_path, 1, "HD Webcam", index=1)
    (place,) = Places(tmp_path).all()
    assert (place.device, place.name, place.controller) == ("/dev/video0", "HD Webcam", "pci-0000:00:14.0")
    assert place.lasting == f"/dev/v4l/by-id/{ID}"


def test_a_name_follows_its_camera_to_another_number(tmp_path: Path) -> None:
    plug(tmp_path, 4, "HD Webcam", ID, USB)
    (place,) = Places(tmp_path).all()
    assert (place.device, place.lasting) == ("/dev/video4", f"/dev/v4l/by-id/{ID}")


def test_no_camera_is_said_with_what_to_do(tmp_path: Path) -> None:
    said: list[str] = []
    assert not Finder(Places(tmp_path), tmp_path, said.append).run()
    assert "Is it plugged in?" in said[0] and "--watch" in said[0]


def test_each_camera_is_shown_saved_and_written_down(tmp_path: Path) -> None:
    plug(tmp_path, 0, "HD Webcam", ID, USB)
    plug(tmp_path, 2, "Broken one")
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[..., 0] = 200  # red

    def look(device: str) -> Look:
        if device == "/dev/video2":
            raise CameraGone("it gives no pictures")
        return Look(picture, Mode(64, 48, 30.0, "MJPG"), 29.6, (Mode(64, 48, 30.0, "MJPG"),))

    said: list[str] = []
    assert Finder(Places(tmp_path), tmp_path, said.append, draw=True, look=look).run()
    text = "\n".join(said)
    assert "measured 29.6 pictures a second" in text and "it gives no pictures" in text
    assert f'index_or_path = "/dev/v4l/by-id/{ID}"' in text and "fps = 30" in text
    saved = cv2.imread(str(tmp_path / "camera0.png"))
    assert saved is not None and saved[0, 0].tolist() == [0, 0, 200]


def test_what_is_plugged_in_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(tmp_path)
    steps = [lambda: None, lambda: plug(tmp_path, 0, "HD Webcam", ID)]
    monkeypatch.setattr("time.sleep", lambda _: steps.pop(0)())
    said: list[str] = []
    watch_places(places, said.append, changes=1)
    assert said == [f"plugged in   HD Webcam  /dev/v4l/by-id/{ID}"]


def test_cameras_that_share_a_controller_are_added_up() -> None:
    raw = Mode(1280, 720, 30.0, "YUYV")
    places = [
        Place(f"/dev/video{n}", "cam", by_path=f"/dev/v4l/by-path/pci-0000:00:14.0-usb-0:{n}:1.0")
        for n in range(2)
    ]
    (advice,) = bandwidth_advice([(place, raw) for place in places])
    assert "885 Mbit/s" in advice and 'fourcc = "MJPG"' in advice
    assert not list(bandwidth_advice([(place, raw._replace(fourcc="MJPG")) for place in places]))


def test_two_pixels_share_a_character() -> None:
    picture = np.zeros((2, 1, 3), np.uint8)
    picture[1] = 255
    assert half_blocks(picture) == "  \x1b[38;2;0;0;0;48;2;255;255;255m▀\x1b[0m"


@pytest.mark.parametrize(("text", "what"), [(None, "there is no file"), ("words", "is no video")])
def test_a_file_is_not_asked_whether_it_is_switched_on(tmp_path: Path, text: str | None, what: str) -> None:
    clip, said = tmp_path / "clip.mp4", list[str]()
    if text is not None:
        clip.write_text(text)
    assert not Finder(Places(tmp_path), tmp_path, said.append).run([str(clip)])
    assert what in said[-1] and "camera on" not in said[-1]
