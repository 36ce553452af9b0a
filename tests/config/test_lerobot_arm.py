"""LeRobot's robots: real ones that have a driver here, and those for which the simulated one stands in."""

import json
from typing import Any

import pytest

from workers.config.lerobot import Fate, Imported, import_lerobot

NAMED = {"type": "so101_follower", "port": "/dev/ttyACM0", "id": "mine", "use_degrees": True}


def of_robot(**robot: Any) -> Imported:
    return import_lerobot(json.dumps({"env": {"type": "gym_manipulator", "robot": robot}}))


def fate(made: Imported, key: str) -> Fate:
    return next(line.fate for line in made.lines if ".".join(line.path) == key)


@pytest.mark.parametrize("kind", ["so101_follower", "so100_follower", "so100_follower_end_effector"])
def test_a_real_arm_is_taken_as_it_is(kind: str) -> None:
    made = of_robot(**NAMED | {"type": kind, "position_p_coefficient": 20})
    robot = made.config.env.arm
    assert (robot.type, robot.port, robot.id, robot.servo.p) == (kind, "/dev/ttyACM0", "mine", 20)
    assert not made.config.simulated and not made.config.operator.scripted
    assert fate(made, "env.robot.port") is Fate.TAKEN


@pytest.mark.parametrize(
    "robot", [{"type": "so101_follower", "port": "/dev/ttyACM0"}, NAMED | {"type": "koch_follower"}]
)
def test_an_arm_without_a_name_or_of_another_kind_is_the_simulated_one(robot: dict[str, Any]) -> None:
    made = of_robot(**robot)
    assert made.config.simulated
    assert fate(made, "env.robot.port") is Fate.NO_COUNTERPART


def test_percent_of_the_range_has_no_counterpart() -> None:
    made = of_robot(**NAMED | {"use_degrees": False})
    assert fate(made, "env.robot.use_degrees") is Fate.NO_COUNTERPART


LEADER = {"type": "so101_leader", "port": "/dev/ttyACM1", "id": "hand"}
BOX = {"end_effector_bounds": {"min": [0.1, -0.2, 0.0], "max": [0.4, 0.2, 0.3]}}


def led(fps: float, **processor: Any) -> Imported:
    env = {"type": "gym_manipulator", "fps": fps, "robot": NAMED, "teleop": LEADER, "processor": processor}
    return import_lerobot(json.dumps({"env": env}))


def test_a_leader_without_inverse_kinematics_leads_joint_by_joint_and_the_report_says_so() -> None:
    for fps, step_deg in ((10, 5.0), (15, 3.333)):
        made = led(fps)
        processor = made.config.env.processor
        assert (processor.action_space, processor.joint_step_deg) == ("joints", step_deg)
        assert "joints" in next(line.text for line in made.lines if line.path[-2:] == ("teleop", "type"))
    assert led(10, inverse_kinematics=BOX).config.env.processor.action_space == "end_effector"
