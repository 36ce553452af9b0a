"""LeRobot's calibration files: read and written unchanged, in its places, and counts as it reckons them."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.robot.calibration import (
    Calibration,
    CalibrationError,
    MotorCalibration,
    calibration_path,
    load_calibration,
    owner_of,
    save_calibration,
)
from workers.robot.figures import GRIPPER, JOINT_NAMES

RANGES = st.tuples(st.integers(0, 2000), st.integers(2050, 4095))
FILE = {
    name: {
        "id": number,
        "drive_mode": 0,
        "homing_offset": 17 * number - 60,
        "range_min": 700 + number,
        "range_max": 3300,
    }
    for number, name in enumerate(JOINT_NAMES, 1)
}


def calibration_with(ranges: list[tuple[int, int]], drive_mode: int = 0) -> Calibration:
    return Calibration(
        tuple(
            MotorCalibration(number, drive_mode, 0, low, high) for number, (low, high) in enumerate(ranges, 1)
        )
    )


def lerobots(counts: int, low: int, high: int, gripper: bool, drive_mode: int) -> float:
    """LeRobot's _normalize: DEGREES, which knows no drive mode, and RANGE_0_100."""
    if not gripper:
        return (counts - (low + high) / 2) * 360 / 4095
    percent = (min(high, max(low, counts)) - low) / (high - low) * 100
    return 100 - percent if drive_mode else percent


def lerobots_counts(value: float, low: int, high: int, gripper: bool, drive_mode: int) -> int:
    """LeRobot's _unnormalize."""
    if not gripper:
        return int(value * 4095 / 360 + (low + high) / 2)
    value = 100 - value if drive_mode else value
    return int(value / 100 * (high - low) + low)


@given(st.lists(RANGES, min_size=6, max_size=6), st.floats(0.0, 1.0), st.sampled_from([0, 1]))
def test_counts_mean_what_they_mean_in_lerobot(
    ranges: list[tuple[int, int]], share: float, mode: int
) -> None:
    calibration = calibration_with(ranges, mode)
    counts = [round(low + share * (high - low)) for low, high in ranges]
    values = calibration.public(np.array(counts, float))
    for joint, (value, (low, high)) in enumerate(zip(values, ranges, strict=True)):
        gripper = joint == GRIPPER
        assert value == pytest.approx(lerobots(counts[joint], low, high, gripper, mode), abs=1e-9)
        ours = calibration.count_of(joint, float(value))
        assert ours == counts[joint]
        assert abs(ours - lerobots_counts(float(value), low, high, gripper, mode)) <= 1  # it cuts, we round


@given(st.lists(RANGES, min_size=6, max_size=6), st.integers(0, 4095), st.sampled_from([0, 1]))
def test_joints_beyond_their_range_are_where_lerobot_says(
    ranges: list[tuple[int, int]], counts: int, mode: int
) -> None:
    values = calibration_with(ranges, mode).public(np.full(6, float(counts)))
    for joint, (value, (low, high)) in enumerate(zip(values, ranges, strict=True)):
        assert value == pytest.approx(lerobots(counts, low, high, joint == GRIPPER, mode), abs=1e-9)


@given(st.lists(RANGES, min_size=6, max_size=6))
def test_goals_beyond_the_range_end_at_it(ranges: list[tuple[int, int]]) -> None:
    calibration = calibration_with(ranges)
    assert [calibration.count_of(joint, -1e4) for joint in range(6)] == [low for low, _ in ranges]
    assert [calibration.count_of(joint, 1e4) for joint in range(6)] == [high for _, high in ranges]


def test_a_file_is_written_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "arm.json"
    path.write_text(json.dumps(FILE, indent=4))
    calibration = load_calibration(path)
    save_calibration(tmp_path / "deep" / "copy.json", calibration)
    assert (tmp_path / "deep" / "copy.json").read_bytes() == path.read_bytes()
    assert [each.name for each in (tmp_path / "deep").iterdir()] == ["copy.json"]


@pytest.mark.parametrize(
    ("leader", "old"),
    [
        (False, "robots/so101_follower"),
        (False, "robots/so100_follower"),
        (False, "robots/so100_follower_end_effector"),
        (False, "robots/so_follower"),
        (True, "teleoperators/so101_leader"),
        (True, "teleoperators/so100_leader"),
    ],
)
def test_files_are_found_where_lerobots_releases_keep_them(
    leader: bool, old: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path))
    newest = tmp_path / ("teleoperators/so_leader" if leader else "robots/so_follower") / "blue.json"
    assert calibration_path("blue", leader) == newest
    (tmp_path / old).mkdir(parents=True)
    (tmp_path / old / "blue.json").write_text("{}")
    assert calibration_path("blue", leader) == tmp_path / old / "blue.json"
    assert calibration_path("blue", leader, str(tmp_path / "own")) == tmp_path / "own" / "blue.json"


def test_lerobots_home_is_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_LEROBOT_CALIBRATION", raising=False)
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path / "lr"))
    assert calibration_path("blue") == tmp_path / "lr/calibration/robots/so_follower/blue.json"
    monkeypatch.delenv("HF_LEROBOT_HOME")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    assert calibration_path("blue") == tmp_path / "hf/lerobot/calibration/robots/so_follower/blue.json"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"range_min": 3300}, "elbow_flex: range 3300 to 3300"),
        ({"range_max": 5000}, "elbow_flex: range 703 to 5000"),
        ({"homing_offset": 2048}, "offset 2048"),
        ({"id": 4}, "two servos have one id"),
        ({"id": "3"}, "whole number"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused(change: dict[str, object], text: str, tmp_path: Path) -> None:
    path = tmp_path / "arm.json"
    path.write_text(json.dumps({**FILE, "elbow_flex": {**FILE["elbow_flex"], **change}}))
    with pytest.raises(CalibrationError, match=text):
        load_calibration(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"shoulder_pan": 3}', "\x00\xff"])
def test_what_is_no_calibration_is_refused_in_words(content: str, tmp_path: Path) -> None:
    path = tmp_path / "arm.json"
    path.write_text(content)
    with pytest.raises(CalibrationError, match="calibrate again"):
        load_calibration(path)


def test_no_file_has_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="hilserl-worker calibrate"):
        load_calibration(tmp_path / "none.json")


def test_the_owner_of_a_calibration_is_found_among_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path))
    mine, other = calibration_with([(10, 3000)] * 6), calibration_with([(11, 3000)] * 6)
    save_calibration(tmp_path / "teleoperators/so_leader/red.json", mine)
    (tmp_path / "teleoperators/so_leader/broken.json").write_text("{")
    save_calibration(tmp_path / "own/blue.json", other)
    assert owner_of(mine, []) == str(tmp_path / "teleoperators/so_leader/red.json")
    assert owner_of(other, []) == ""
    assert owner_of(other, [tmp_path / "own"]) == str(tmp_path / "own/blue.json")
