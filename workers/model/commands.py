"""Commands: what an operator asks for, as frozen types from a console to the station."""

from enum import StrEnum

import msgspec


class Axis(StrEnum):
    X = "x"
    Y = "y"
    Z = "z"
    GRIPPER = "gripper"


class Verdict(StrEnum):
    """What the person says of the running episode."""

    SUCCESS = "success"
    FAILURE = "failure"
    RERECORD = "rerecord"


class Command(msgspec.Struct, frozen=True, tag=True):
    """Base of all commands; the wire tag is the class name."""


class StartRun(Command, frozen=True):
    """Begin the recipe (Home screen); the station already has its workers up."""


class Intervene(Command, frozen=True):
    """Take over, or give back."""

    on: bool


class Jog(Command, frozen=True):
    """One bounded jog step: `direction` is -1 or +1 along `axis` (gripper: -1 close, +1 open).

    `pressed_s` is the console's monotonic time at the key press, for latency figures.
    """

    axis: Axis
    direction: int
    pressed_s: float = 0.0


class Drive(Command, frozen=True):
    """Keys are held: move for as long as this is said again. Valid for 150 ms from `at_s`, as a device's word is.

    Said by the console that holds the controls, on a connection of its own. All 0: the keys were let go.
    `at_s` is the console's monotonic time, of the machine that both run on, at which the keys were down.
    """

    motion: tuple[int, int, int]
    """-1, 0 or 1 along x, y and z."""
    gripper: int
    """-1 closes, 1 opens."""
    at_s: float

    @property
    def moves(self) -> bool:
        return any(self.motion) or self.gripper != 0


class Mark(Command, frozen=True):
    """End the running episode with the person's verdict."""

    verdict: Verdict


class Veto(Command, frozen=True):
    """The classifier is wrong: no reward, and the episode goes on."""


class Proceed(Command, frozen=True):
    """The scene is ready: the next episode need not wait for the rest of `reset_time_s`."""


class Pause(Command, frozen=True):
    on: bool


class UseScript(Command, frozen=True):
    """Hand the operator's chair to the scripted person (simulation only), or take it back."""

    on: bool


class Stop(Command, frozen=True):
    """Stop the arm now; latches. Anyone may send it, on the stop socket."""

    by: str = "console"


class ClearStop(Command, frozen=True):
    by: str = "console"


class ConfirmMotion(Command, frozen=True):
    """Let a real arm move: it was looked at, and nobody is in its way. Needed once a run."""

    by: str = "console"


class LetGo(Command, frozen=True):
    """Take the torque off a real arm so that a hand can move it, or put it on again where the arm is then."""

    on: bool


class TakeControl(Command, frozen=True):
    """Become the console that holds the controls."""

    console: str


class RenewLease(Command, frozen=True):
    """The operator's terminal answered: the lease of this console is fresh."""


class ShowCameras(Command, frozen=True):
    """Previews wanted by this console; width 0 stops them."""

    width: int
    height: int
    hz: float


class Look(Command, frozen=True):
    """A picture for the Crop screen, answered with `Looked`; who does not hold the controls may look too.

    Rectangles are (top, left, height, width) and sizes (height, width), in pixels.
    """

    number: int
    """Comes back in the answer."""
    camera: str
    part: tuple[int, int, int, int] | None
    """What is shown of the picture; None: all of it."""
    room: tuple[int, int]
    """The pixels that there are to show it with."""
    crop: tuple[int, int, int, int] | None
    """What the policy would see; None: all of the picture."""
    size: tuple[int, int] | None
    """What the policy's picture is resized to."""
    hold: bool = False
    """The live picture of the last answer again, in place of the newest."""
    episode: int = 0
    frame: int = 0
    """Of a dataset, where they are brought into its range; a live camera knows neither."""


class ShowFrame(Command, frozen=True):
    """A frame of a dataset with all its pictures, answered with `FrameShown`."""

    number: int
    """Comes back in the answer."""
    episode: int
    frame: int
    room: tuple[int, int]
    """Height and width in pixels that there are for each picture."""


class Relabel(Command, frozen=True):
    """Make an episode of a dataset a success, or a failure."""

    episode: int
    success: bool


class DeleteEpisode(Command, frozen=True):
    """Take an episode out of a dataset; `UndoEdit` brings it back."""

    episode: int


class UndoEdit(Command, frozen=True):
    """Take the last edit of a dataset back."""


class ReadSettings(Command, frozen=True):
    """Read the configuration file again and say what differs, with `SettingsRead`; nothing changes. Anybody may."""

    number: int
    """Comes back in the answer."""


class ApplySettings(Command, frozen=True):
    """Change what may change while the run goes on, as it was read. Anybody may."""

    digest: str


class EvaluateNow(Command, frozen=True):
    """Run the deterministic evaluation of the newest policy, then go on training."""


class SurveyStep(StrEnum):
    """What the person wants of a survey."""

    DONE = "done"  # what was seen is enough
    GO_ON = "go on"  # it was not
    START_OVER = "start over"
    WRITE = "write"  # into the configuration file; after DONE


class Survey(Command, frozen=True):
    step: SurveyStep


class SetMargin(Command, frozen=True):
    """How much wider than what was seen the workspace shall be, on every side."""

    margin_m: float


class MoveFace(Command, frozen=True):
    """Move one face of the box that was found; `end` is -1 for the least of an axis, +1 for the greatest."""

    axis: Axis
    end: int
    outwards_m: float  # by so much; negative: inwards


class ShutDown(Command, frozen=True):
    """End the run: hold, park, save, stop every worker."""


AnyCommand = (
    StartRun
    | Intervene
    | Jog
    | Drive
    | Mark
    | Veto
    | Proceed
    | Pause
    | UseScript
    | Stop
    | ClearStop
    | ConfirmMotion
    | LetGo
    | TakeControl
    | RenewLease
    | ShowCameras
    | Look
    | ShowFrame
    | Relabel
    | DeleteEpisode
    | UndoEdit
    | EvaluateNow
    | ReadSettings
    | ApplySettings
    | Survey
    | SetMargin
    | MoveFace
    | ShutDown
)
