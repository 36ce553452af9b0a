"""Which arm may be the leader, on emulated buses: whatever else is on the port is refused before any torque."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.emulators.bus import EmulatedBus, emulated_bus
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.config.teleop import TeleopConfig
from workers.robot.build import leader_arm_of
from workers.robot.checks import problems
from workers.robot.drivers import ArmRefused

SIM = load(ready_config())
POSE = (10.0, -60.0, 60.0, 50.0, 5.0, 30.0)


def led_by(port: str, folder: Path, arm_id: str = "leader") -> Config:
    teleop = TeleopConfig(type="so101_leader", port=port, id=arm_id, calibration_dir=str(folder))
    return replace(SIM, env=replace(SIM.env, teleop=teleop))


@pytest.fixture(scope="module")
def buses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmulatedBus, EmulatedBus, Path]]:
    """A leader and a follower, with their calibrations in a folder."""
    folder = tmp_path_factory.mktemp("calibration")
    with contextlib.ExitStack() as stack:
        leader = stack.enter_context(emulated_bus(leader=True, seed=1, pose_deg=POSE))
        follower = stack.enter_context(emulated_bus(seed=2, volts=12.0))
        leader.write_calibration(folder / "leader.json")
        follower.write_calibration(folder / "follower.json")
        yield leader, follower, folder


def test_the_leader_is_read_in_the_units_of_its_calibration(
    buses: tuple[EmulatedBus, EmulatedBus, Path],
) -> None:
    leader, _, folder = buses
    arm = leader_arm_of(led_by(leader.port, folder))
    np.testing.assert_allclose(arm.read().joints_deg, POSE, atol=0.2)
    arm.close()


def test_swapped_ports_are_refused_before_any_torque(buses: tuple[EmulatedBus, EmulatedBus, Path]) -> None:
    _, follower, folder = buses
    with pytest.raises(ArmRefused, match=r"it is that of .*follower\.json\. Are leader and follower swapped"):
        leader_arm_of(led_by(follower.port, folder))
    assert not any(follower.state()["torque"])


def test_a_leader_without_a_calibration_is_refused(buses: tuple[EmulatedBus, EmulatedBus, Path]) -> None:
    leader, _, folder = buses
    with pytest.raises(ArmRefused, match=r"no calibration .*nobody\.json.*hilserl-worker calibrate"):
        leader_arm_of(led_by(leader.port, folder, "nobody"))


def test_servos_in_another_order_are_refused(
    buses: tuple[EmulatedBus, EmulatedBus, Path], tmp_path: Path
) -> None:
    leader, _, _ = buses
    swapped = leader.calibration()
    swapped["elbow_flex"], swapped["wrist_flex"] = swapped["wrist_flex"], swapped["elbow_flex"]
    leader.calibration = lambda: swapped  # type: ignore[method-assign]
    leader.write_calibration(tmp_path / "leader.json")
    with pytest.raises(ArmRefused, match=r"elbow_flex\.id: 3 / 4"):
        leader_arm_of(led_by(leader.port, tmp_path))


def test_two_names_of_one_port_are_refused_in_the_configuration(tmp_path: Path) -> None:
    port, link = tmp_path / "ttyACM0", tmp_path / "usb-serial"
    port.touch()
    link.symlink_to(port)
    config = led_by(str(link), tmp_path)
    arm = replace(config.env.arm, port=str(port))
    same = replace(config, env=replace(config.env, robot=arm))
    assert [path for path, text in problems(same) if "follower's port too" in text] == [
        ("env", "teleop", "port")
    ]
    other = replace(config, env=replace(config.env, robot=replace(arm, port=str(tmp_path / "ttyACM1"))))
    assert not list(problems(other))
