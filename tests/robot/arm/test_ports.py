"""Serial ports by lasting names, and the plug that tells which is which, in a folder that looks like /dev."""

from pathlib import Path

from workers.robot.bus.latency import latency_warning
from workers.robot.ports import PlugWatch, serial_ports


def plug(dev: Path, device: str, name: str = "") -> None:
    (dev / device).touch()
    if name:
        (dev / "serial/by-id").mkdir(parents=True, exist_ok=True)
        (dev / "serial/by-id" / name).symlink_to(dev / device)


def pull(dev: Path, device: str) -> None:
    for link in (dev / "serial/by-id").glob("*"):
        if link.resolve() == dev / device:
            link.unlink()
    (dev / device).unlink()


def test_ports_have_their_lasting_names(tmp_path: Path) -> None:
    plug(tmp_path, "ttyACM0", "usb-1a86_A")
    plug(tmp_path, "ttyUSB3")
    plug(tmp_path, "tty1")
    timer = tmp_path / "sys/bus/usb-serial/devices/ttyUSB3/latency_timer"
    timer.parent.mkdir(parents=True)
    timer.write_text("16\n")
    first, second = serial_ports(tmp_path, tmp_path / "sys")
    assert first.best == str(tmp_path / "serial/by-id/usb-1a86_A")
    assert (second.best, second.latency_ms) == (str(tmp_path / "ttyUSB3"), 16)


def test_a_port_that_holds_replies_back_is_told_with_what_to_do(tmp_path: Path) -> None:
    timer = tmp_path / "bus/usb-serial/devices/ttyUSB3/latency_timer"
    timer.parent.mkdir(parents=True)
    timer.write_text("16\n")
    assert "16 ms" in latency_warning("/dev/ttyUSB3", tmp_path)
    assert f"tee /sys/{timer.relative_to(tmp_path)}" in latency_warning("/dev/ttyUSB3", tmp_path)
    timer.write_text("1\n")
    assert latency_warning("/dev/ttyUSB3", tmp_path) == ""
    assert latency_warning("/dev/ttyACM0", tmp_path) == ""


def test_the_port_whose_plug_is_pulled_is_found_and_its_new_number_too(tmp_path: Path) -> None:
    plug(tmp_path, "ttyACM0", "usb-leader")
    plug(tmp_path, "ttyACM1", "usb-follower")
    watch = PlugWatch(serial_ports(tmp_path))
    watch.look(serial_ports(tmp_path))
    assert watch.pulled is None
    pull(tmp_path, "ttyACM1")
    watch.look(serial_ports(tmp_path))
    assert watch.pulled is not None
    assert watch.pulled.device.endswith("ttyACM1")
    watch.look(serial_ports(tmp_path))
    assert watch.back is None
    plug(tmp_path, "ttyACM7", "usb-follower")
    watch.look(serial_ports(tmp_path))
    assert watch.back is not None
    assert watch.back.device.endswith("ttyACM7")
    assert watch.back.best == watch.pulled.best


def test_two_plugs_at_once_tell_nothing(tmp_path: Path) -> None:
    for number in (0, 1):
        plug(tmp_path, f"ttyACM{number}")
    watch = PlugWatch(serial_ports(tmp_path))
    for number in (0, 1):
        pull(tmp_path, f"ttyACM{number}")
    watch.look(serial_ports(tmp_path))
    assert watch.pulled is None
    assert len(watch.several) == 2


def test_an_arm_that_is_plugged_in_only_now_can_be_pulled_too(tmp_path: Path) -> None:
    watch = PlugWatch(serial_ports(tmp_path))
    plug(tmp_path, "ttyACM0")
    watch.look(serial_ports(tmp_path))
    pull(tmp_path, "ttyACM0")
    watch.look(serial_ports(tmp_path))
    assert watch.pulled is not None
