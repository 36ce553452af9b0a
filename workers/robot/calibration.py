"""Calibration of an arm in LeRobot's files: what an encoder's count means in degrees and percent.

    {"shoulder_pan": {"id": 1, "drive_mode": 0, "homing_offset": -1470, "range_min": 758, "range_max": 3292}, ...}

The files are read and written unchanged, where LeRobot keeps them, so that both work with one calibration.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from workers.robot.figures import GRIPPER, JOINT_NAMES, Floats

RESOLUTION: Final = 4095  # LeRobot's degrees: the greatest count is 360
_OFFSET_BITS: Final = 11  # and a sign
_ROBOTS: Final = ("so_follower", "so101_follower", "so100_follower", "so100_follower_end_effector")
_LEADERS: Final = ("so_leader", "so101_leader", "so100_leader")


class CalibrationError(Exception):
    """There is no calibration that can be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class MotorCalibration:
    """One servo's, as in the file. Counts of the servo, after its homing offset was taken off."""

    id: int
    drive_mode: int  # 1: percent run the other way; degrees know no such thing, as in LeRobot
    homing_offset: int  # Present_Position = what the encoder says - offset
    range_min: int
    range_max: int


class Calibration:
    """Of six servos, in motor order."""

    def __init__(self, motors: tuple[MotorCalibration, ...]) -> None:
        self.motors = motors
        mirrored = motors[GRIPPER].drive_mode != 0
        # Plain numbers: a servo's figures come one by one, and numpy costs more than it saves for six.
        self._zero = [0.5 * (m.range_min + m.range_max) for m in motors]
        self._counts_per_unit = [RESOLUTION / 360.0] * len(motors)
        jaw = motors[GRIPPER]
        self._zero[GRIPPER] = float(jaw.range_max if mirrored else jaw.range_min)
        span = jaw.range_max - jaw.range_min
        self._counts_per_unit[GRIPPER] = (-span if mirrored else span) / 100.0

    def public_of(self, joint: int, count: float) -> float:
        """Present_Position -> degrees of an arm joint from the middle of its range, percent of the gripper.

        A gripper a little beyond its range is at 0 or 100, as in LeRobot; an arm joint is where it is.
        """
        value = (count - self._zero[joint]) / self._counts_per_unit[joint]
        return min(max(value, 0.0), 100.0) if joint == GRIPPER else value

    def count_of(self, joint: int, public: float) -> int:
        """The inverse of a finite number, rounded to a whole count within the servo's range."""
        count = round(public * self._counts_per_unit[joint] + self._zero[joint])
        return min(max(count, self.motors[joint].range_min), self.motors[joint].range_max)

    def velocity_of(self, joint: int, counts_s: float) -> float:
        """Counts per second -> public units per second."""
        return counts_s / self._counts_per_unit[joint]

    def public(self, counts: Floats) -> Floats:
        """As `public_of`, of all joints [6]."""
        return np.array([self.public_of(joint, count) for joint, count in enumerate(counts.tolist())])

    def differences(self, other: "Calibration") -> list[str]:
        """A line for every figure in which two calibrations differ, this one first."""
        lines = []
        for name, mine, theirs in zip(JOINT_NAMES, self.motors, other.motors, strict=True):
            for key, value in asdict(mine).items():
                there = getattr(theirs, key)
                if key != "drive_mode" and value != there:  # that is nowhere in the servo
                    lines.append(f"{name}.{key}: {value} / {there}")
        return lines

    def to_json(self) -> str:
        """The file's text, to the byte as LeRobot writes it."""
        return json.dumps(
            {name: asdict(m) for name, m in zip(JOINT_NAMES, self.motors, strict=True)}, indent=4
        )


def calibration_path(arm_id: str, leader: bool = False, folder: str | None = None) -> Path:
    """Where the calibration of `arm_id` is; where it would be written, when there is none.

    `folder` overrides LeRobot's own, which its releases have called by different names.
    """
    name = f"{arm_id}.json"
    if folder is not None:
        return Path(folder).expanduser() / name
    root = _lerobot_root() / ("teleoperators" if leader else "robots")
    places = [root / kind / name for kind in (_LEADERS if leader else _ROBOTS)]
    return next((place for place in places if place.is_file()), places[0])


def owner_of(calibration: Calibration, folders: Iterable[Path]) -> str:
    """The file that holds just this calibration, among `folders` and where LeRobot keeps them; "" if none does."""
    root = _lerobot_root()
    places = [
        *folders,
        *(root / "robots" / kind for kind in _ROBOTS),
        *(root / "teleoperators" / kind for kind in _LEADERS),
    ]
    for path in (path for place in places for path in sorted(place.glob("*.json"))):
        try:
            if not load_calibration(path).differences(calibration):
                return str(path)
        except CalibrationError:
            continue  # of another kind of arm, or broken: not this one's
    return ""


def load_calibration(path: Path) -> Calibration:
    """Read a file. Raises CalibrationError."""
    try:
        table = json.loads(path.read_text())
    except FileNotFoundError:
        raise CalibrationError(
            f"no calibration {path}. Make one with hilserl-worker calibrate, or copy the arm's own there"
        ) from None
    except (OSError, ValueError) as error:
        raise CalibrationError(f"{path} cannot be read as a calibration ({error}); calibrate again") from None
    try:
        motors = tuple(
            MotorCalibration(**{key: _whole(table[name][key]) for key in MotorCalibration.__slots__})
            for name in JOINT_NAMES
        )
    except (KeyError, TypeError) as error:
        raise CalibrationError(
            f"{path} is no calibration of this arm: {error} is missing; calibrate again"
        ) from None
    _check(path, motors)
    return Calibration(motors)


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write the file, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".json.new")
    aside.write_text(calibration.to_json())
    aside.replace(path)


def _lerobot_root() -> Path:
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface"))
    home = Path(os.environ.get("HF_LEROBOT_HOME", home / "lerobot"))
    return Path(os.environ.get("HF_LEROBOT_CALIBRATION", home / "calibration")).expanduser()


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number instead of {value!r}")
    return value


def _check(path: Path, motors: tuple[MotorCalibration, ...]) -> None:
    wrong = [
        f"{name}: range {m.range_min} to {m.range_max}, offset {m.homing_offset}"
        for name, m in zip(JOINT_NAMES, motors, strict=True)
        if not (0 <= m.range_min < m.range_max <= RESOLUTION and abs(m.homing_offset) < 1 << _OFFSET_BITS)
    ]
    if len({m.id for m in motors}) < len(motors):
        wrong.append("two servos have one id")
    if wrong:
        raise CalibrationError(f"{path} cannot be right ({'; '.join(wrong)}): calibrate again")
