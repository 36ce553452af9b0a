"""A Gymnasium environment's spaces: what is read as state, as picture, as motion, and what is refused."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st

from workers.processors.errors import EnvironmentRefused
from workers.processors.gymnasium_spaces import ActionWriter, ObservationReader


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (spaces.Tuple((spaces.Box(-1, 1, (2,)),)), r"its observation is Tuple"),
        (spaces.Dict({"a": spaces.Dict({"b": spaces.Discrete(3)})}), r"'a\.b' of its observation is Discrete\(3\)"),
        (spaces.Dict({"grey": spaces.Box(0, 255, (64, 64, 1), np.uint8)}), r"'grey'.*uint8 \[64, 64, 1\]"),
        (spaces.Box(0.0, 1.0, (64, 64, 3), np.float32), r"its observation is float32 \[64, 64, 3\]"),
        (
            spaces.Dict({
                "pixels": spaces.Dict({"a": spaces.Box(0, 255, (32, 32, 3), np.uint8)}),
                "observation.images.a": spaces.Box(0, 255, (32, 32, 3), np.uint8),
            }),
            r"two pictures .* called 'a'",
        ),
    ],
)  # fmt: skip
def test_observations_that_cannot_be_read_are_refused(space: spaces.Space[Any], said: str) -> None:
    with pytest.raises(EnvironmentRefused, match=r"env\.id: .*" + said):
        ObservationReader(space)


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (spaces.Box(-np.inf, np.inf, (2,)), r"element 0 .*\[-inf, inf\].*RescaleAction"),
        (spaces.Box(np.array([-1, -1], np.float32), np.array([1, np.inf], np.float32)), r"element 1"),
        (spaces.MultiBinary(3), "only a Box of real numbers"),
        (spaces.Box(0, 3, (2,), np.int64), "only a Box of real numbers"),
    ],
)
def test_actions_that_cannot_be_scaled_are_refused(space: spaces.Space[Any], said: str) -> None:
    with pytest.raises(EnvironmentRefused, match=r"env\.id: .*" + said):
        ActionWriter(space, use_gripper=True, closed_at=0)


def test_pictures_alone_make_an_observation_too() -> None:
    reader = ObservationReader(spaces.Box(0, 255, (96, 96, 3), np.uint8))
    assert reader.pictures == {"camera": (96, 96)} and reader.names == ()


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(-1, 1)), min_size=1, max_size=6))
def test_every_executed_action_is_inside_the_space(elements: list[tuple[float, float, float]]) -> None:
    low = np.array([a for a, _, _ in elements], np.float32)
    high = np.maximum(low, np.array([a + b for a, b, _ in elements], np.float32))
    space = spaces.Box(low, high, dtype=np.float32)
    writer = ActionWriter(space, use_gripper=False, closed_at=0)
    assert space.contains(writer(np.array([unit for _, _, unit in elements], np.float32)))


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_scaling_keeps_order_and_leaves_no_finite_number_out_of_range(a: float, b: float) -> None:
    reader = ObservationReader(
        spaces.Box(np.array([-np.inf, -2.0]), np.array([np.inf, 5.0]), dtype=np.float64)
    )
    low, high = sorted((a, b))
    first, second = reader.scale(np.array([low, low])), reader.scale(np.array([high, high]))
    assert (first <= second).all()
    assert (np.abs(second) < [711.0, 3.01]).all()
