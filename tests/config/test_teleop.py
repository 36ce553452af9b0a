"""[env.teleop]: each device's keys belong to it alone."""

import json

import msgspec
import pytest

from workers.config import EnvConfig
from workers.config.lerobot import import_lerobot
from workers.config.teleop import TeleopConfig


@pytest.mark.parametrize(
    ("keys", "at"),
    [
        ({"type": "keyboard", "mapping": "dualsense"}, "mapping"),
        ({"type": "so101_leader", "port": "/dev/ttyACM1", "id": "mine", "deadzone": 0.2}, "deadzone"),
        ({"type": "gamepad", "port": "/dev/ttyACM1"}, "port"),
        ({"type": "display_keyboard", "takeover_by_motion": True}, "takeover_by_motion"),
    ],
)
def test_a_key_is_refused_where_the_device_has_no_use_for_it(keys: dict[str, object], at: str) -> None:
    found = dict(msgspec.convert(keys, TeleopConfig).problems())
    assert list(found) == [(at,)] and "remove this key" in found[(at,)]


def test_what_the_computer_with_the_pad_decides_is_refused_where_it_is_received() -> None:
    keys = {"type": "gamepad", "listen": "0.0.0.0:50052", "deadzone": 0.2}
    ((at, said),) = msgspec.convert(keys, TeleopConfig).problems()
    assert at == ("deadzone",) and "for the computer that has the pad" in said
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"type": "gamepad", "listen": "everywhere"}, TeleopConfig)


def test_a_leader_arm_needs_its_port_and_the_name_of_its_calibration() -> None:
    found = dict(msgspec.convert({"type": "so100_leader"}, TeleopConfig).problems())
    assert "serial port" in found[("port",)] and "calibration" in found[("id",)]


@pytest.mark.parametrize(
    "keys",
    [
        {"type": "gamepad", "mapping": "dualsense", "device": "054c:0ce6", "deadzone": 0.05},
        {"type": "so101_leader", "port": "/dev/ttyACM1", "id": "mine", "takeover_by_motion": True},
        {"type": "display_keyboard", "jog_step": 1.0},
    ],
)
def test_the_keys_of_a_device_are_taken(keys: dict[str, object]) -> None:
    assert not list(msgspec.convert(keys, TeleopConfig).problems())


def test_a_gymnasium_environment_has_no_follower_for_a_leader() -> None:
    leader = TeleopConfig(type="so101_leader", port="/dev/ttyACM1", id="mine")
    found = dict(EnvConfig(type="gymnasium", id="Pendulum-v1", teleop=leader).problems())
    assert "a leader arm needs a follower" in found[("teleop", "type")]


def device_of(teleop: dict[str, object]) -> TeleopConfig:
    return import_lerobot(json.dumps({"env": {"teleop": teleop}}), "their.json").config.env.teleop


def test_lerobots_gamepad_and_leader_arm_are_taken() -> None:
    assert device_of({"type": "gamepad", "use_gripper": True, "hidapi_fallback": True}).type == "gamepad"
    leader = device_of({"type": "so101_leader", "port": "/dev/ttyACM1", "id": "mine", "use_degrees": True})
    assert (leader.type, leader.port, leader.id) == ("so101_leader", "/dev/ttyACM1", "mine")
    assert device_of({"type": "so101_leader", "port": None}).type == "keyboard", (
        "there is no leader without a port"
    )
