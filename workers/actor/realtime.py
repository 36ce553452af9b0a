"""RealtimeArm: the arm as the actor reaches it, through shared memory, in real time."""

import time
from collections.abc import Callable

import numpy as np

from workers.actor.environment import ArmUnavailable
from workers.model.events import GateMode
from workers.model.orders import Preview
from workers.processors.transition import Picture
from workers.robot.board import JOINT_TARGET, Board
from workers.robot.drivers import ArmReading
from workers.robot.figures import Floats
from workers.robot.tasks import TaskState

STALE_S = 0.3  # arm state older than this is no observation; nor are pictures, unless the camera is slower
SILENT_S = 0.15  # without arm state: a robot worker that lives gives one every 0.02 s
STALE_FRAMES = 3.0
BLIND = {
    b"black": "black: is it covered, or the light off?",
    b"bright": "all white: too much light, or too long an exposure?",
}
"""What keeps an episode from beginning, and does not end one: a hand may pass before the camera."""
RESET_LIMIT_S = 10.0
RESET_WAY_S = 60.0  # a real arm that is on its way may take longer
RENEW_S = 0.02  # an arm on its way holds when nobody asks for it any more
POLL_S = 0.002


class RealtimeArm:
    """ArmPort over the board that robot and camera workers write.

    Args:
        cameras_hz: rate of each camera.
        heartbeat: called while this waits, so that the station sees a living actor; false ends the wait.
    """

    def __init__(
        self,
        board: Board,
        shapes: dict[str, tuple[int, int]],
        cameras_hz: dict[str, float],
        heartbeat: Callable[[], bool],
    ) -> None:
        self.picture_shapes = shapes
        self._stale_s = {name: max(STALE_S, STALE_FRAMES / hz) for name, hz in cameras_hz.items()}
        self._used_ns = dict.fromkeys(shapes, 0)
        self._board = board
        self._heartbeat = heartbeat
        self._target = np.zeros((), JOINT_TARGET)
        newest = board.target.read()
        if newest is not None:  # a restarted actor goes on counting where its predecessor was killed
            self._target["number"] = newest[1]["number"]
            self._target["reset_wanted"] = newest[1]["reset_wanted"]

    def reset(self, seed: int) -> None:
        """Ask for a reset and wait until it is done and every picture shows the scene after it.

        Raises ArmUnavailable when that does not happen within 10 s, or 60 s of a real arm on its way there.
        """
        self._go(seed, to_rest=False)
        deadline = time.monotonic() + RESET_LIMIT_S
        done_ns = time.monotonic_ns()
        while min(self._captured_ns(name) for name in self.picture_shapes) < done_ns:
            self._wait(deadline, f"no picture after the reset from {', '.join(self.picture_shapes)}")

    def rest(self) -> None:
        """Bring the arm to its rest pose, and hold it there. Raises ArmUnavailable as `reset` does."""
        self._go(0, to_rest=True)
        self.hold()

    def _go(self, seed: int, to_rest: bool) -> None:
        """Ask for the start or the rest pose, and wait until the arm is there."""
        self._target["moving"] = False
        self._target["reset_wanted"] += 1
        self._target["reset_seed"], self._target["to_rest"] = seed, to_rest
        self._send()
        asked_s = time.monotonic()
        while (state := self._state())["reset_done"] != self._target["reset_wanted"]:
            on_its_way = state["resetting"] == self._target["reset_wanted"]
            deadline = asked_s + (RESET_WAY_S if on_its_way else RESET_LIMIT_S)
            self._wait(deadline, "the robot worker did not reset the arm")
            if time.monotonic_ns() - int(self._target["at_ns"]) > RENEW_S * 1e9:
                self._send()

    def read(self) -> ArmReading:
        state = self._state()
        return ArmReading(
            state["joints"].copy(),
            state["velocity"].copy(),
            float(state["at_ns"]) / 1e9,
            state["current"].copy(),
            state["goal"].copy(),
            int(state["clipped_ticks"]),
        )

    def frames(self) -> dict[str, Picture]:
        """The newest pictures, none of which was given before: no picture is two observations.

        Waits for a camera that is late. Raises ArmUnavailable when it is lost or frozen.
        """
        try:
            return {name: self._unused(name) for name in self._board.frames}
        except ArmUnavailable:
            self.hold()  # now, not when the last target is stale
            raise

    def _unused(self, name: str) -> Picture:
        """A camera's newest picture, as soon as it is another than the last one given. Raises ArmUnavailable."""
        while (frame := self._newest(name))["changed_ns"] == self._used_ns[name]:
            if not self._heartbeat():
                raise ArmUnavailable("the run is stopping")
            time.sleep(POLL_S)
        self._used_ns[name] = int(frame["changed_ns"])
        picture: Picture = frame["pixels"]
        return picture

    def _newest(self, name: str) -> np.void:
        """A camera's newest frame. Raises ArmUnavailable when it is too old, or what it shows is."""
        read, limit_s = self._board.frames[name].read(), self._stale_s[name]
        if read is None or time.monotonic_ns() - int(read[1]["captured_ns"]) > limit_s * 1e9:
            self._state(SILENT_S)  # cameras of the simulator stand still with it: then that is the cause
            raise ArmUnavailable(f"camera {name}: no frame for more than {limit_s:.1f} s")
        frame: np.void = read[1]
        if frame["flaw"] == b"frozen":
            raise ArmUnavailable(f"camera {name}: frozen, it shows the same picture again and again")
        return frame

    def task_state(self) -> TaskState:
        state = self._state()
        return TaskState(
            bool(state["success"]),
            float(state["progress"]),
            float(state["reward"]),
            state["object_m"].copy(),
            state["goal_m"].copy(),
        )

    def send(self, target_deg: Floats) -> None:
        self._target["joints"] = target_deg
        self._target["moving"] = True
        self._target["number"] += 1
        self._send()

    def hold(self) -> None:
        """Take the target away, and the wish for a reset: the gate holds the arm where its goal is, at once."""
        self._target["moving"] = False
        self._target["at_ns"] = 0  # what is old is no wish any more
        self._board.target.write(self._target)

    def seat(self, human: bool) -> None:
        """Tell a leader arm's worker whether a person drives: the leader is then free in the hand."""
        if bool(self._target["human"]) != human:
            self._target["human"] = human
            self._board.target.write(self._target)  # what else it says is no newer by that

    def preview(self, wanted: Preview) -> None:
        """Camera workers show their pictures themselves."""

    def wait_period(self) -> None:
        """The episode loop waits itself, listening to the operator meanwhile."""

    def close(self) -> None:
        self.hold()

    def problem(self) -> str:
        """Why the arm cannot be driven now, "" when it can."""
        try:
            self._state()
            flaws = {name: self._newest(name)["flaw"] for name in self._board.frames}
        except ArmUnavailable as reason:
            return str(reason)
        blind = (f"camera {name}: {BLIND[flaw]}" for name, flaw in flaws.items() if flaw in BLIND)
        return ", ".join(blind)

    def warmth(self) -> str:
        """Which servos are above the warning temperature, "" while none is."""
        read = self._board.arm.read()
        return "" if read is None else str(read[1]["warm"].decode())

    def _send(self) -> None:
        self._target["at_ns"] = time.monotonic_ns()
        self._board.target.write(self._target)

    def _state(self, limit_s: float = STALE_S) -> np.void:
        read = self._board.arm.read()
        if read is None or time.monotonic_ns() - int(read[1]["at_ns"]) > limit_s * 1e9:
            raise ArmUnavailable(f"the robot worker gave no arm state for more than {limit_s} s")
        state: np.void = read[1]
        if state["mode"].decode() == GateMode.STOPPED:
            raise ArmUnavailable(f"stopped: {state['reason'].decode()}")
        if state["barred"]:
            raise ArmUnavailable(state["reason"].decode())
        return state

    def _captured_ns(self, camera: str) -> int:
        read = self._board.frames[camera].read()
        return 0 if read is None else int(read[1]["captured_ns"])

    def _wait(self, deadline_s: float, why: str) -> None:
        if not self._heartbeat():
            self.hold()
            raise ArmUnavailable("the reset was broken off")
        if time.monotonic() > deadline_s:
            raise ArmUnavailable(why)
        time.sleep(POLL_S)
