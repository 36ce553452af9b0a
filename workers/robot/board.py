"""What robot, camera, actor and station share in memory: record layouts and the board that holds them."""

from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.context import SpawnContext

import numpy as np

from workers.robot.scene import SCENE_LENGTH
from workers.runtime.shared import SharedNewest

ARM_STATE = np.dtype(
    [
        ("at_ns", "<i8"),  # when the joints were read
        ("joints", "<f8", (6,)),  # degrees x 5, gripper percent
        ("velocity", "<f8", (6,)),  # per second
        ("current", "<f8", (6,)),  # amperes
        ("goal", "<f8", (6,)),  # what the gate let through last
        ("moving_since_ns", "<i8"),  # when the goal began to change after it stood still, or only settled
        ("ee_m", "<f8", (3,)),
        ("mode", "S8"),  # a GateMode
        ("reason", "S160"),  # why the gate holds, "" while it does not
        ("barred", "?"),  # no episode can run, for that reason: unconfirmed, limp, silent servos
        ("warm", "S160"),  # servos above the warning temperature, with the trend, "" while there is none
        ("unconfirmed", "?"),  # a real arm waits for a person to confirm its first motion
        ("resetting", "<i8"),  # reset request that is being carried out
        ("clipped", "S64"),  # limits that narrowed the last goal, comma separated
        ("clipped_ticks", "<i8"),  # ticks in which the gate cut a goal short, since the worker started
        ("reset_done", "<i8"),  # newest reset request that was carried out
        # the simulator only: a TaskState, and what camera workers draw
        ("success", "?"),
        ("progress", "<f8"),
        ("reward", "<f8"),
        ("object_m", "<f8", (3,)),  # ground truth for the scripted person, as is the goal
        ("goal_m", "<f8", (3,)),
        ("scene", "<f8", (SCENE_LENGTH,)),
        ("look_seed", "<i8"),  # of the episode's light and camera jitter
    ]
)

JOINT_TARGET = np.dtype(
    [
        ("at_ns", "<i8"),  # freshness: the gate holds when this is older than 2 actor periods
        ("number", "<i8"),
        ("joints", "<f8", (6,)),
        ("moving", "?"),  # false: no target, hold
        ("human", "?"),  # a person drives: a leader arm is to be free in the hand
        ("reset_wanted", "<i8"),  # number of the newest reset request: carried out at once or never
        ("reset_seed", "<i8"),
        ("to_rest", "?"),  # what is asked for with that number is the rest pose, not an episode's start
    ]
)

STATION_WORD = np.dtype(
    [
        ("at_ns", "<i8"),  # the station's own sign of life; the gate holds without it
        ("stops", "<i8"),  # counts: a new number is a new request, whoever restarted meanwhile
        ("clears", "<i8"),
        ("acknowledged", "<i8"),  # counts every `ClearStop`: also faults that the robot worker found itself
        ("confirmed", "<i8"),  # counts: a person lets a real arm move
        ("let_go", "<i8"),  # number of the request to take the torque off, 0: torque on
        ("abandoned", "<i8"),  # counts: leave the arm where it is, torque on, without parking
    ]
)

LIFELINE = np.dtype(
    [
        ("at_ns", "<i8"),  # the robot worker's sign of life for the guardian
        ("pid", "<i8"),
        ("hand", "S8"),  # a Hand: what the worker has of the arm
    ]
)

GUARDED = np.dtype(
    [
        ("at_ns", "<i8"),
        ("ready", "?"),  # imported, and watching
        ("holding", "?"),  # has the port, and keeps the arm where it was
        ("pid", "<i8"),  # of the robot worker whose arm it took over
        ("taken_ns", "<i8"),  # when its goals were frozen
    ]
)

TELEOP_STATE = np.dtype(
    [
        ("at_ns", "<i8"),  # when the device was read; a person's command is valid for 150 ms
        ("number", "<i8"),
        ("source", "S16"),  # "gamepad", "leader", "display keys", "forwarded pad"
        ("connected", "?"),
        ("intervene", "?"),  # the person holds the arm: a trigger held, the leader moved by hand
        ("motion", "<f8", (3,)),  # dx, dy, dz as shares of one action unit, -1 to 1
        ("gripper", "<f8"),  # -1 closes, +1 opens, 0 stays
        ("joints", "<f8", (6,)),  # pose of a leader arm, degrees and gripper percent; NaN of other devices
        ("successes", "<i8"),  # counts of presses: a new number is a new press
        ("failures", "<i8"),
        ("rerecords", "<i8"),
        ("reason", "S64"),  # what is wrong with the device, "" while all is well
    ]
)


class Hand(StrEnum):
    """What a robot worker has of its arm, for the guardian."""

    WANTS = "wants"  # it is about to open the port: whoever holds it shall let go
    HOLDS = "holds"  # the port is open and the torque on: if the worker dies, somebody must hold the arm
    LOST = "lost"  # the port is gone
    LEFT = "left"  # it is done with the arm, and has said how it left it


def frame_dtype(height: int, width: int) -> np.dtype[np.void]:
    """A picture uint8 [H, W, 3] with when it was captured."""
    return np.dtype(
        [
            ("captured_ns", "<i8"),
            (
                "changed_ns",
                "<i8",
            ),  # when what it shows was first captured: earlier, of a camera that repeats itself
            ("number", "<i8"),
            ("flaw", "S8"),  # "black", "bright", "frozen", or "" while the picture is fine
            ("pixels", "u1", (height, width, 3)),
        ]
    )


@dataclass
class Board:
    """All shared memory of one arm and its cameras; made by the station, handed to workers at spawn."""

    arm: SharedNewest  # robot worker -> everybody
    target: SharedNewest  # actor -> robot worker
    word: SharedNewest  # station -> robot worker
    lifeline: SharedNewest  # robot worker -> guardian
    guarded: SharedNewest  # guardian -> robot worker
    teleop: SharedNewest  # worker of the person's device -> actor
    frames: dict[str, SharedNewest]  # camera worker -> actor

    @classmethod
    def create(cls, context: SpawnContext, cameras: dict[str, tuple[int, int]]) -> "Board":
        """Args: cameras: name -> (height, width) of the published pictures."""
        return cls(
            arm=SharedNewest(context, ARM_STATE),
            target=SharedNewest(context, JOINT_TARGET),
            word=SharedNewest(context, STATION_WORD),
            lifeline=SharedNewest(context, LIFELINE),
            guarded=SharedNewest(context, GUARDED),
            teleop=SharedNewest(context, TELEOP_STATE),
            frames={name: SharedNewest(context, frame_dtype(h, w)) for name, (h, w) in cameras.items()},
        )


def fitting(text: str, size: int) -> bytes:
    """`text` in a field of `size` bytes; no letter is cut in two."""
    return text.encode()[:size].decode(errors="ignore").encode()
