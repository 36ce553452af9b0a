"""What is plugged in, on a made-up /dev: what is there, what is missing, what may not be opened."""

from pathlib import Path

import msgspec
import pytest

from tests.camera.test_find import ID, USB, plug
from workers.camera.find import Places
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.doctor import devices
from workers.doctor.devices import calibrations, cameras, gamepads, ports
from workers.doctor.examine import examinations
from workers.robot.calibration import Calibration, MotorCalibration, save_calibration

SIMULATED = load(ready_config())
MADE_UP = Calibration(tuple(MotorCalibration(number, 0, 0, 1000, 3000) for number in range(1, 7)))


def real(**keys: object) -> Config:
    """A configuration of a real arm, as far as its devices go; not checked as a whole."""
    robot = msgspec.structs.replace(SIMULATED.env.arm, type="so101_follower", **keys)
    return msgspec.structs.replace(SIMULATED, env=msgspec.structs.replace(SIMULATED.env, robot=robot))


def with_camera(path: str | int) -> Config:
    camera = msgspec.structs.replace(SIMULATED.env.cameras["front"], type="opencv", index_or_path=path)
    return real(cameras={"front": camera})


def dev(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def test_no_port_is_well_for_the_simulator_and_a_remark_without_a_configuration(tmp_path: Path) -> None:
    assert ports(SIMULATED, tmp_path, tmp_path).ok is True
    check = ports(None, tmp_path, tmp_path)
    assert check.ok is None and check.found == "none" and check.do


def test_a_port_is_named_by_what_lasts(tmp_path: Path) -> None:
    dev(tmp_path, "ttyACM0")
    (tmp_path / "serial/by-id").mkdir(parents=True)
    (tmp_path / "serial/by-id/usb-1a86-if00").symlink_to(tmp_path / "ttyACM0")
    check = ports(None, tmp_path, tmp_path)
    assert check.ok is True and "usb-1a86-if00" in check.found


def test_the_arms_own_port_must_be_there(tmp_path: Path) -> None:
    dev(tmp_path, "ttyACM0")
    check = ports(real(port=str(tmp_path / "ttyACM7")), tmp_path, tmp_path)
    assert check.ok is False
    assert "ttyACM7 not there" in check.found and "ttyACM0" in check.found
    assert "find-port" in check.do
    assert ports(real(port=str(tmp_path / "ttyACM0")), tmp_path, tmp_path).ok is True


def test_a_port_that_may_not_be_opened_names_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev(tmp_path, "ttyUSB0")
    monkeypatch.setattr(devices, "allowed", lambda path: False)
    check = ports(None, tmp_path, tmp_path)
    assert check.ok is False and "no permission" in check.found
    assert f"usermod -aG {(tmp_path / 'ttyUSB0').group()}" in check.do


def test_a_slow_adapter_is_a_remark_with_the_command_that_helps(tmp_path: Path) -> None:
    dev(tmp_path, "ttyUSB0", "bus/usb-serial/devices/ttyUSB0/latency_timer")
    (tmp_path / "bus/usb-serial/devices/ttyUSB0/latency_timer").write_text("16\n")
    check = ports(None, tmp_path, tmp_path)
    assert check.ok is None and "latency_timer" in check.do


def test_cameras_are_listed_and_the_configured_one_must_be_among_them(tmp_path: Path) -> None:
    plug(tmp_path, 90, "HD Webcam", ID, USB)
    there = Places(tmp_path)
    check = cameras(None, there, lambda path: True)
    assert check.ok is True and "HD Webcam" in check.found
    assert cameras(with_camera(90), there, lambda path: True).ok is True
    assert cameras(with_camera(f"/dev/v4l/by-id/{ID}"), there, lambda path: True).ok is True
    missing = cameras(with_camera(91), there, lambda path: True)
    assert missing.ok is False and "/dev/video91 not there" in missing.found and "HD Webcam" in missing.found


def test_a_camera_that_may_not_be_opened_is_told(tmp_path: Path) -> None:
    plug(tmp_path, 90, "HD Webcam")
    check = cameras(None, Places(tmp_path), lambda path: False)
    assert check.ok is False and "no permission for /dev/video90" in check.found and "usermod" in check.do


def test_a_stream_of_the_network_is_not_looked_for_among_the_devices(tmp_path: Path) -> None:
    assert cameras(with_camera("http://cam/stream"), Places(tmp_path)).ok is not False


class Hid:
    """Says which HID devices there are."""

    def __init__(self, *entries: dict[str, object]) -> None:
        self.entries = list(entries)

    def enumerate(self, vendor_id: int = 0, product_id: int = 0) -> list[dict[str, object]]:
        return self.entries


def pad(vendor: int, product: int, path: bytes = b"1-1:1.0") -> dict[str, object]:
    return {
        "vendor_id": vendor,
        "product_id": product,
        "path": path,
        "usage_page": 1,
        "usage": 5,
        "product_string": "Pad",
    }


def driven_by(device: str | None = None) -> Config:
    teleop = msgspec.structs.replace(SIMULATED.env.teleop, type="gamepad", device=device)
    return msgspec.structs.replace(SIMULATED, env=msgspec.structs.replace(SIMULATED.env, teleop=teleop))


@pytest.fixture
def hid(monkeypatch: pytest.MonkeyPatch) -> Hid:
    module = Hid()
    monkeypatch.setattr("workers.teleop.gamepad.pads.backends", lambda: (module, None))
    return module


def test_without_a_gamepad_the_keys_drive_unless_one_is_configured(hid: Hid) -> None:
    assert gamepads(None).ok is True
    check = gamepads(driven_by())
    assert check.ok is False and "not there" in check.found


def test_a_pad_without_a_mapping_is_a_remark(hid: Hid) -> None:
    hid.entries.append(pad(0x1234, 0x5678))
    check = gamepads(None)
    assert check.ok is None and "1234:5678" in check.found and "map-gamepad" in check.do


def test_a_pad_that_may_not_be_opened_comes_with_its_rule(hid: Hid) -> None:
    hid.entries.append(pad(0x1234, 0x5678, b"/dev/hidraw-not-there"))
    check = gamepads(driven_by())
    assert check.ok is False and "no permission" in check.found and "udevadm" in check.do


def test_a_calibration_that_is_missing_or_broken_is_told_before_a_run(tmp_path: Path) -> None:
    arm = real(id="blue", calibration_dir=str(tmp_path))
    check = calibrations(arm)
    assert check.ok is False and str(tmp_path / "blue.json") in check.found and "calibrate" in check.do
    (tmp_path / "blue.json").write_text("{}")
    assert calibrations(arm).ok is False
    save_calibration(tmp_path / "blue.json", MADE_UP)
    check = calibrations(arm)
    assert check.ok is True and "blue.json" in check.found


def test_a_leader_arm_needs_its_calibration_too(tmp_path: Path) -> None:
    save_calibration(tmp_path / "blue.json", MADE_UP)
    config = real(id="blue", calibration_dir=str(tmp_path))
    teleop = msgspec.structs.replace(
        config.env.teleop, type="so101_leader", port="/dev/ttyACM1", id="red", calibration_dir=str(tmp_path)
    )
    config = msgspec.structs.replace(config, env=msgspec.structs.replace(config.env, teleop=teleop))
    check = calibrations(config)
    assert check.ok is False and "red.json" in check.found
    names = [name for name, _ in examinations(tmp_path, config)]
    assert "calibrations" in names and "calibrations" not in [
        name for name, _ in examinations(tmp_path, SIMULATED)
    ]
