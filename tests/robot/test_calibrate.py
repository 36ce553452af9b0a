"""Calibration: whatever way the encoder was mounted and wherever the arm began, no range wraps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.robot.calibrate import WRIST_ROLL, Sweep, least_counts, offset_for
from workers.robot.drivers.sts3215 import HOMING_OFFSET, MAX_POSITION, MIN_POSITION, STEPS
from workers.robot.figures import JOINT_NAMES, SO101_RANGE

LEAST = np.full(6, 40.0)
TRAVELS = st.lists(st.floats(10.0, 359.0), min_size=6, max_size=6)
COUNTS = st.lists(st.integers(0, STEPS - 1), min_size=6, max_size=6)
SHARES = st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6)
OFFSETS = st.lists(st.integers(-2047, 2047), min_size=6, max_size=6)


def present(shaft: int, offset: int) -> int:
    """What a servo says: the encoder knows no turns."""
    return (shaft - offset) % STEPS


def swept(
    lowest: list[int], widths: list[int], starts: list[int], offsets: list[int], stride: int = 300
) -> Sweep:
    """Each joint from its start to its lower stop, to its upper one, and back to where it began."""
    sweep = Sweep(dict(enumerate(offsets)), LEAST)
    paths = [
        [
            *range(start, low, -stride),
            *range(low, low + width, stride),
            *range(low + width, start, -stride),
            start,
        ]
        for low, width, start in zip(lowest, widths, starts, strict=True)
    ]
    for moment in range(max(map(len, paths))):
        shafts = [path[min(moment, len(path) - 1)] for path in paths]
        positions = {joint: present(shaft, offsets[joint]) for joint, shaft in enumerate(shafts)}
        sweep.see(positions, moment * 0.02)
    return sweep


@settings(max_examples=400, deadline=None)
@given(COUNTS, TRAVELS, SHARES, OFFSETS)
def test_no_range_wraps_whatever_the_mounting_the_travel_and_the_start(
    lowest: list[int], travels: list[float], shares: list[float], offsets: list[int]
) -> None:
    widths = [int(travel / 360.0 * STEPS) for travel in travels]
    starts = [low + int(share * width) for low, width, share in zip(lowest, widths, shares, strict=True)]
    calibration = swept(lowest, widths, starts, offsets).calibration()
    for joint, motor in enumerate(calibration.motors):
        HOMING_OFFSET.encode(motor.homing_offset)
        MIN_POSITION.encode(motor.range_min)
        MAX_POSITION.encode(motor.range_max)
        assert 0 <= motor.range_min < motor.range_max < STEPS
        assert motor.range_max - motor.range_min == widths[joint]
        shafts = range(lowest[joint], lowest[joint] + widths[joint] + 1, 7)
        said = [present(shaft, motor.homing_offset) for shaft in shafts]
        assert said == sorted(said), "the encoder wraps within the travel"
        assert said[0] == motor.range_min
    places = np.linspace(0.0, 1.0, 50)
    told = np.array(
        [
            calibration.public(
                np.array(
                    [
                        present(low + int(place * width), motor.homing_offset)
                        for low, width, motor in zip(lowest, widths, calibration.motors, strict=True)
                    ],
                    float,
                )
            )
            for place in places
        ]
    )
    assert (np.diff(told, axis=0) >= 0.0).all()
    np.testing.assert_allclose(told[0, :5], -told[-1, :5], atol=0.2)
    np.testing.assert_allclose(told[[0, -1], 5], [0.0, 100.0], atol=1e-9)


@given(st.integers(-10 * STEPS, 10 * STEPS))
def test_every_offset_fits_the_register(middle: int) -> None:
    HOMING_OFFSET.encode(offset_for(middle))
    assert abs(present(middle, offset_for(middle)) - 2047) <= 1


def test_a_joint_that_was_not_moved_to_its_stops_is_named() -> None:
    sweep = swept([100] * 6, [1000, 1000, 20, 1000, 1000, 1000], [100] * 6, [0] * 6)
    (problem,) = sweep.problems()
    assert problem.startswith("elbow_flex moved 2 degrees")
    with pytest.raises(ValueError, match="elbow_flex"):
        sweep.calibration()
    assert [row.enough for row in sweep.rows()] == [True, True, False, True, True, True]


def test_a_joint_that_moved_while_nobody_looked_is_swept_again() -> None:
    sweep = swept([100] * 6, [1000] * 6, [100] * 6, [0] * 6)
    sweep.see({0: 100}, 10.0)
    assert not sweep.problems(), "it stood still meanwhile"
    sweep.see({0: 900}, 20.0)
    (problem,) = sweep.problems()
    assert problem.startswith("shoulder_pan did not answer while it moved")
    sweep.forget_faulty()
    assert sweep.rows()[0].travel_deg == 0.0
    for moment, shaft in enumerate([*range(900, 100, -200), *range(100, 1100, 200), 1100]):
        sweep.see({0: shaft}, 20.02 + moment * 0.02)
    assert not sweep.problems()


def test_a_joint_that_has_not_answered_is_said_to_be_silent() -> None:
    sweep = Sweep(dict.fromkeys(range(6), 0), LEAST)
    assert len(sweep.problems()) == 6
    assert "has not answered" in sweep.problems()[0]


def test_only_the_wrist_may_turn_round_and_round() -> None:
    widths = [1000] * 6
    widths[WRIST_ROLL] = 2 * STEPS
    sweep = swept([500] * 6, widths, [700] * 6, [0] * 6)
    motor = sweep.calibration().motors[WRIST_ROLL]
    assert (motor.range_min, motor.range_max) == (0, STEPS - 1)
    assert present(700, motor.homing_offset) == 2047, "zero is where it began"
    widths[0] = STEPS + 10
    sweep = swept([500] * 6, widths, [700] * 6, [0] * 6)
    assert "more than it can" in sweep.problems()[0]
    sweep.forget_faulty()
    assert sweep.rows()[0].travel_deg == 0.0


def test_the_sweep_that_is_wanted_is_most_of_what_the_arm_can() -> None:
    counts = least_counts(SO101_RANGE)
    assert counts.shape == (6,)
    for joint, name in enumerate(JOINT_NAMES[:5]):
        span = SO101_RANGE.upper_deg[joint] - SO101_RANGE.lower_deg[joint]
        assert counts[joint] * 360.0 / STEPS == pytest.approx(0.6 * span), name
