"""What a dataset holds is what the arm read, in LeRobot's units, and comes back as the run had it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.altered import altered
from workers.config import Config
from workers.dataset.units import looks_scaled, state_units
from workers.processors.build import arm_pipelines
from workers.processors.features import STATE
from workers.processors.transition import Period, Transition
from workers.processors.vanilla_observation import AGENT, PIXELS
from workers.robot.build import kinematics_of
from workers.robot.drivers import ArmReading

ALL = {
    "env.processor.observation.add_joint_velocity_to_observation": True,
    "env.processor.observation.add_current_to_observation": True,
    "env.processor.observation.add_ee_pose_to_observation": True,
}
JOINTS = np.array([10.0, -20.0, 30.0, 80.0, -5.0, 35.0])
CURRENTS = np.array([0.1, -0.2, 0.3, 0.0, 0.05, -0.4])


@pytest.fixture
def observed() -> Callable[[Config], np.ndarray]:
    """The state that a run stores of an arm at JOINTS, 0.1 s after it was elsewhere, its jaw told to go to 25 %."""

    def observe(config: Config) -> np.ndarray:
        pipeline = arm_pipelines(config, kinematics_of(config)).environment
        pipeline.reset()
        for joints, stamp_s in ((JOINTS - [1.0, 2.0, 0.0, -1.0, 0.5, 3.0], 0.0), (JOINTS, 0.1)):
            cameras = config.env.cameras.items()
            pictures = {
                name: np.zeros((camera.height, camera.width, 3), np.uint8) for name, camera in cameras
            }
            item = Transition(
                {AGENT: joints, PIXELS: pictures},
                Period(np.zeros(4, np.float32), joints.copy(), 25.0, 25.0),
                ArmReading(joints, np.zeros(6), stamp_s, current_a=CURRENTS),
                is_reset=stamp_s == 0.0,
            )
            pipeline(item)
        return np.asarray(item.observation[STATE])

    return observe


@pytest.mark.parametrize("closed_at", [0, 100])
def test_a_dataset_holds_degrees_percent_amperes_and_metres(observed, closed_at: int) -> None:
    config = altered(
        ALL | {"env.processor.gripper.closed_at": closed_at, "env.processor.max_gripper_pos": 90}
    )
    units = state_units(config)
    stored = dict(zip(units.names, units.to_dataset(observed(config)), strict=True))
    pose = kinematics_of(config).forward(JOINTS)
    joints = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
    assert [stored[f"{joint}.pos"] for joint in joints] == pytest.approx(JOINTS, abs=1e-4)
    speeds = [10.0, 20.0, 0.0, -10.0, 5.0, 30.0]
    assert [stored[f"{joint}.vel"] for joint in joints] == pytest.approx(speeds, abs=1e-3)
    assert [stored[f"{joint}.current"] for joint in joints] == pytest.approx(CURRENTS, abs=1e-6)
    assert [stored["ee.x"], stored["ee.y"], stored["ee.z"]] == pytest.approx(pose.position_m, abs=1e-6)
    columns = [stored[f"ee.r{row}{column}"] for column in (1, 2) for row in (1, 2, 3)]
    assert columns == pytest.approx(pose.rotation[:, :2].T.ravel(), abs=1e-6)
    assert stored["ee.gripper_goal"] == pytest.approx(25.0, abs=1e-4)


@given(st.lists(st.floats(-3, 3, width=32), min_size=28, max_size=28))
def test_states_come_back_as_the_run_had_them(values: list[float]) -> None:
    units = state_units(altered(ALL))
    states = np.array([values], np.float32)
    assert states.shape[1] == len(units.names)
    assert units.from_dataset(units.to_dataset(states)) == pytest.approx(states, abs=2e-6)


def test_what_the_processors_made_comes_back(observed) -> None:
    config = altered(ALL)
    units, state = state_units(config), observed(config)
    assert units.from_dataset(units.to_dataset(state)) == pytest.approx(state, abs=1e-6)


def test_other_workspace_bounds_read_the_same_metres() -> None:
    there = state_units(altered(ALL))
    here = state_units(
        altered(ALL | {"env.processor.inverse_kinematics.end_effector_bounds.max": [0.34, 0.14, 0.2]})
    )
    metres = there.to_dataset(np.zeros((1, 28), np.float32))
    assert here.to_dataset(here.from_dataset(metres)) == pytest.approx(metres, abs=1e-4)


def test_the_numbers_of_a_run_are_told_from_degrees() -> None:
    units = state_units(altered(ALL))
    rng = np.random.default_rng(0)
    scaled = rng.uniform(-1.0, 1.0, (50, 28)).astype(np.float32)
    assert looks_scaled(scaled[:, :6])
    assert not looks_scaled(units.to_dataset(scaled)[:, :6])
    assert not looks_scaled(np.empty((0, 6)))
