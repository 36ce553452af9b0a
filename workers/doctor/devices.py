"""What is plugged in: serial ports, cameras, gamepads; looked at from outside, none is opened."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from workers.camera.find import Place, Places
from workers.config import Config
from workers.model.check import Check
from workers.robot.bus.latency import latency_warning
from workers.robot.calibration import CalibrationError, calibration_path, load_calibration
from workers.robot.ports import PortName, serial_ports

May = Callable[[str], bool]


def allowed(path: str) -> bool:
    """Whether this user may open a device."""
    return os.access(path, os.R_OK | os.W_OK)


def ports(config: Config | None, dev: Path = Path("/dev"), sysfs: Path = Path("/sys")) -> Check:
    """Serial ports, whether they may be opened, and whether the one that the configuration names is there."""
    found = serial_ports(dev, sysfs)
    names = ", ".join(port.device + (f" ({port.lasting})" if port.lasting else "") for port in found)
    why = "the arm is on a serial port"
    if missing := [port for port in _wanted_ports(config) if not Path(port).exists()]:
        do = "plug it in and give it power; hilserl-worker find-port tells which port an arm has"
        there = f"; here: {names}" if names else ""
        return Check("serial ports", False, f"{' and '.join(missing)} not there{there}", why, do)
    if shut := [port.device for port in found if not allowed(port.device)]:
        do = f"sudo usermod -aG {_group(Path(shut[0]))} $USER, then log in anew"
        return Check("serial ports", False, f"no permission for {', '.join(shut)}", why, do)
    if slow := _slow(found, sysfs):
        return Check("serial ports", None, names, "a slow adapter costs a part of every period", slow)
    if not found:
        do = "nothing for the simulator; a real arm: plug it in, and look again"
        return Check("serial ports", True if _simulated(config) else None, "none", why, do)
    return Check("serial ports", True, names)


def calibrations(config: Config) -> Check:
    """Whether the files are there that say what the encoders of follower and leader mean, and can be read."""
    robot, teleop = config.env.arm, config.env.teleop
    arms = [(robot.id, False, robot.calibration_dir)]
    if teleop.is_leader:
        arms.append((teleop.id, True, teleop.calibration_dir))
    paths = [calibration_path(name, leader, folder) for name, leader, folder in arms if name is not None]
    why = "without it nobody knows at which angle a servo stands"
    for path in paths:
        try:
            load_calibration(path)
        except CalibrationError as error:
            do = "calibrate on the console's arm screen, or with hilserl-worker calibrate"
            return Check("calibrations", False, str(error), why, do)
    return Check("calibrations", True, ", ".join(map(str, paths)))


def _slow(found: Sequence[PortName], sysfs: Path) -> str:
    return next((words for port in found if (words := latency_warning(port.device, sysfs))), "")


def _wanted_ports(config: Config | None) -> list[str]:
    if config is None:
        return []
    robot = config.env.robot
    arm = robot.port if robot is not None else None
    return [port for port in (arm, config.env.teleop.port) if port]


def _simulated(config: Config | None) -> bool:
    return config is not None and config.simulated


def _group(path: Path) -> str:
    try:
        return path.group()
    except (KeyError, OSError):
        return "dialout"


def cameras(config: Config | None, places: Places | None = None, may: May = allowed) -> Check:
    """Cameras of this computer, and whether those that the configuration names are among them."""
    found = (places or Places()).all()
    names = ", ".join(f"{place.name or 'camera'} ({place.lasting})" for place in found)
    why = "a policy sees through cameras"
    if missing := [name for name in _wanted_cameras(config) if not _there(name, found)]:
        do = "plug it in, or set index_or_path by what hilserl-worker find-cameras lists"
        there = f"; here: {names}" if names else ""
        return Check("cameras", False, f"{', '.join(missing)} not there{there}", why, do)
    if shut := [place.device for place in found if not may(place.device)]:
        group = _group(Path(shut[0]))
        do = f"sudo usermod -aG {group} $USER, then log in anew"
        return Check("cameras", False, f"no permission for {', '.join(shut)}", why, do)
    if not found:
        do = "nothing for the simulator; a real scene: plug cameras in, and look again"
        return Check("cameras", True if _simulated(config) else None, "none", why, do)
    return Check("cameras", True, names)


def _wanted_cameras(config: Config | None) -> list[str]:
    """Devices of cameras that are no simulated ones, and no streams."""
    if config is None:
        return []
    found = []
    for camera in config.env.cameras.values():
        path = camera.index_or_path
        if camera.type != "sim" and path is not None and "://" not in str(path):
            found.append(f"/dev/video{path}" if str(path).isdigit() else str(path))
    return found


def _there(name: str, found: Sequence[Place]) -> bool:
    return Path(name).exists() or any(name in (place.device, place.by_id, place.by_path) for place in found)


def gamepads(config: Config | None) -> Check:
    """Gamepads by HID, whether a mapping knows them and whether they may be opened."""
    from workers.teleop.gamepad.mapping import known
    from workers.teleop.gamepad.pads import RULES, backends, chosen, search, udev_rules

    wanted = config is not None and config.env.teleop.type == "gamepad" and config.env.teleop.listen is None
    why = "a person drives with it" if wanted else "keys of the terminal drive too"
    try:
        found = search(known(), backends())
    except (ImportError, OSError) as error:
        do = "apt install libhidapi-hidraw0 libusb-1.0-0, or drive with the keys"
        return Check("gamepads", False if wanted else None, f"cannot be looked for: {error}", why, do)
    names = ", ".join(pad.label + ("" if pad.mapping else ", without a mapping") for pad in found)
    if wanted and config is not None and chosen(found, config.env.teleop.device) is None:
        do = "plug it in; env.teleop.device names another than the first"
        return Check("gamepads", False, f"not there; here: {names or 'none'}", why, do)
    if not found:
        return Check("gamepads", True, "none; the keys of the terminal drive")
    for pad in found:
        path = pad.path.decode(errors="replace")
        if path.startswith("/dev/") and not allowed(path):
            rules = " and ".join(udev_rules(pad.vendor, pad.product))
            do = f"put {rules} into {RULES}, then udevadm control --reload && udevadm trigger"
            return Check("gamepads", False if wanted else None, f"no permission for {pad.label}", why, do)
    unknown = any(pad.mapping is None for pad in found)
    do = "hilserl-worker map-gamepad makes a mapping in a minute"
    return Check("gamepads", None if unknown else True, names, why, do)
