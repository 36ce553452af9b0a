"""[env.teleop]: each device's keys belong to it alone."""

import msgspec
import pytest

from workers.config import EnvConfig
from workers.config.teleop import TeleopConfig


@pytest.mark.parametrize(
    ("keys", "at"),
    [
        ({"type": "keyboard", "mapping": "dualsense"}, "mapping"),
        ({"type": "so101_leader", "port": "/dev/ttyACM1", "deadzone": 0.2}, "deadzone"),
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


def test_a_leader_arm_needs_its_port() -> None:
    (problem,) = msgspec.convert({"type": "so100_leader"}, TeleopConfig).problems()
    assert problem[0] == ("port",) and "serial port" in problem[1]


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
    leader = TeleopConfig(type="so101_leader", port="/dev/ttyACM1")
    found = dict(EnvConfig(type="gymnasium", id="Pendulum-v1", teleop=leader).problems())
    assert "a leader arm needs a follower" in found[("teleop", "type")]
