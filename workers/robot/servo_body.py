"""ServoBody: an arm of real servos under the robot worker's loop. It has no brakes, so its torque is never just cut.

    hold (torque on, goal = where it is) -> park (slowly, to the rest pose) -> limp (torque off)

What goes wrong latches: the arm is stopped until a person acknowledges. It goes limp only parked, by hand on
purpose, or too hot to hold itself.
"""

import contextlib
import time
from typing import Final

import numpy as np

from workers.config import Config
from workers.model.events import Level
from workers.robot.board import Board, Hand, fitting
from workers.robot.body import StateRecord
from workers.robot.controller import ArmController, JointTarget, Mode, Status
from workers.robot.drivers import ArmGone, ArmRefused, ServoArm
from workers.robot.figures import JOINT_NAMES, SO101_RANGE, Floats
from workers.robot.flapping import Flapping, Say
from workers.robot.gate import Limits
from workers.robot.health import ACKNOWLEDGE, Demand, Finding, Health, Thresholds
from workers.robot.lifeline import Lifeline
from workers.robot.sleep_watch import SleepWatch
from workers.runtime.harness import WorkerFailure
from workers.runtime.shared import Record

FIRST_SHARE: Final = 0.25  # of the speed limit, for the first motion
BACK: Final = "the arm was out of reach, and is back"
REOPEN_S: Final = 0.5
SETTLE_S: Final = 0.5  # after servos were silent: the actor sees that, and begins anew
LEAST_SUPPLY: Final = 0.75  # of the nominal voltage; below, no torque is switched on
LOOKS: Final = 3  # at a supply, before it is refused
STILL_POWERED: Final = "arm still powered: cut the supply if unsafe"
UNCONFIRMED: Final = "first motion: look at the arm, then ctrl+e and y let it move (slowly)"
BY_HAND: Final = "by hand: the torque is off; m puts it on again"
_UNDER_THE_TABLE: Final = (0.0, 0.0, -1.0)
_NO_CUBE: Final = (*_UNDER_THE_TABLE, 1.0, 0.0, 0.0, 0.0)


class ServoBody:
    """A body of six servos. Torque goes on with the first tick, where the joints are: nothing moves.

    Raises ArmGone where the arm does not answer.

    Args:
        predecessor: what became of the worker before this one, "" where there was none; the arm waits until somebody
            acknowledges that.
        found_stiff: the torque was on already: the arm may hang in the air.
    """

    park_within_s: float = 13.0
    park_limit_s: float = 15.0

    def __init__(
        self,
        arm: ServoArm,
        config: Config,
        limits: Limits,
        board: Board,
        lifeline: Lifeline,
        thresholds: Thresholds,
        say: Say,
        predecessor: str = "",
        found_stiff: bool = False,
        sleep: SleepWatch | None = None,
    ) -> None:
        safety = config.env.arm.safety
        self.arm = arm
        self.rest_pose = np.array(safety.rest_pose)
        self.park_speed_deg_s = safety.park_speed_deg_s
        self._start_pose = None if config.mode == "find-limits" else np.array(config.env.reset_pose)
        self._health, self._thresholds = Health(thresholds), thresholds
        self._caps: Floats | None = None
        self._lifeline, self._say, self._sleep = lifeline, say, sleep or SleepWatch()
        self._fault, self._hot, self._lost, self._refused = predecessor, "", "", ""
        self._in_the_way = False  # the fault is one that a way to the rest pose might make worse
        self._gives_way = False  # goals are to go where the joints are
        self._found_stiff = found_stiff
        self._confirmed = self._by_hand = False
        self._warm, self._laid = "", False  # what `publish` said last, and that it laid the table
        self._watched = any(camera.type == "sim" for camera in config.env.cameras.values())
        self._silence, self._unplugged = Flapping(say), Flapping(say)
        self._silent_until_s = self._reopen_s = self._cool_by_s = -np.inf
        word = board.word.read()  # what was asked of a predecessor is not this one's to do
        self._acknowledged = 0 if word is None else int(word[1]["acknowledged"])
        self._let_go = 0 if word is None else int(word[1]["let_go"])
        self._reading = arm.read()

    def take_hold(self) -> None:
        """Torque on where the joints are, at the start. Raises ArmGone, and WorkerFailure of a wrong supply."""
        self._refuse_supply()
        self._lifeline.tell(Hand.HOLDS)
        self.arm.set_torque(True)
        self._cap()

    @property
    def fault(self) -> str:
        """Why the arm must not move, "" where nothing keeps it. Heat parks it, but not into what it was stopped for."""
        return self._lost or ("" if self._hot and not self._in_the_way else self._fault)

    @property
    def waits(self) -> str:
        if self._hot or self._by_hand:
            return self._hot or BY_HAND
        if not self._confirmed:
            return UNCONFIRMED
        return self._health.silent or ("servos were silent" if self._settles else "")

    @property
    def unconfirmed(self) -> bool:
        return not self._confirmed

    @property
    def _settles(self) -> bool:
        return time.monotonic() < self._silent_until_s

    def start_pose(self, seed: int) -> Floats | None:
        """Where episodes start; where the arm is when limits are looked for: there only a person moves it."""
        return self._start_pose

    # what the station says

    def heed(self, word: Record, controller: ArmController) -> None:
        if not self._confirmed and word["confirmed"] > 0:
            self._confirmed = True
            controller.start_slowly(FIRST_SHARE)
        if word["acknowledged"] != self._acknowledged:
            self._acknowledged = word["acknowledged"]
            self._acknowledge(controller)
        let_go = word["let_go"]
        stopped = word["stops"] > word["clears"]
        if self._by_hand and (stopped or not let_go):
            self._by_hand = False
            self._health.acknowledge()  # what was only told while it was led stops the arm now, if it lasts
            self._stiffen(controller)
            controller.start_slowly()  # the hand may still be on it
            self._say(Level.INFO, "torque on again, where the arm is")
        elif let_go and let_go != self._let_go:
            self._let_go = let_go
            if self.fault or self._hot or stopped:
                self._say(Level.WARNING, f"the torque stays on: {self.fault or self._hot or 'stop key'}")
            else:
                self._go_limp(controller, BY_HAND)
                self._by_hand = True
                self._say(Level.WARNING, BY_HAND)
        self._let_go = let_go

    def _acknowledge(self, controller: ArmController) -> None:
        if self._lost:
            self._say(Level.WARNING, f"{self._lost}: it must come back first")
            return
        if self._hot and self._health.too_hot:
            self._say(Level.WARNING, f"{self._hot}: still too warm, let it cool down")
            return
        self._health.acknowledge()
        if self._hot and controller.mode is Mode.LIMP:
            self._stiffen(controller)
        elif self._fault:
            # A joint that was pushed away, or sank, must not snap back: the goals go first, then comes the torque.
            controller.give_way()
            controller.tick(None, time.monotonic())
            self.arm.set_torque(True)  # a servo that gave up by itself takes its torque back
            self._cap()
        self._fault = self._hot = ""
        self._in_the_way = False
        controller.start_slowly()

    # a period

    def tick(self, controller: ArmController, target: JointTarget | None, now_s: float) -> Status:
        if slept_s := self._sleep.slept_s():
            self._latch(f"the computer slept for {slept_s:.0f} s", f"the arm held meanwhile; {ACKNOWLEDGE}")
        self._silence.pass_time(now_s)
        self._unplugged.pass_time(now_s)
        if self._lost:
            self._lifeline.tell(Hand.LOST)
            return self._find_again(controller, now_s)
        self._lifeline.tell(Hand.HOLDS)
        try:
            self._obey(controller, now_s)
            status = controller.tick(target, now_s)
            if self._judge(status, now_s):
                self._obey(controller, now_s)  # in this very period
                status = controller.tick(None, now_s)
        except ArmGone as gone:
            status = self.lose(gone, controller)
        self._reading = status.reading
        return status

    def _judge(self, status: Status, now_s: float) -> bool:
        """Look at the servos' health; whether the arm must now do something else."""
        findings = self._health.take(status.reading, status.goal_deg, now_s)
        for finding in findings:
            self._take(finding, now_s)
        self._cap()
        if self._health.silent:
            self._silent_until_s = now_s + SETTLE_S
        if self._hot and status.mode is Mode.PARKING and (status.parked or now_s > self._cool_by_s):
            self._cool_by_s = -np.inf
            return True
        return any(finding.demand is not Demand.NOTHING or finding.comes for finding in findings)

    def _take(self, finding: Finding, now_s: float) -> None:
        text = f"{finding.what}. {_sentence(finding.advice)}"
        if finding.demand is Demand.STOP and not self._by_hand:
            self._latch(finding.what, finding.advice)
            self._in_the_way = self._gives_way = True
        elif finding.demand is Demand.PARK:
            self._hot = finding.what
            self._fault = self._fault if self._in_the_way else finding.what
            self._cool_by_s = np.inf
            self._say(Level.ERROR, text)
        elif finding.comes is None:
            self._say(Level.WARNING, text)
        elif finding.comes:
            self._silence.begins(Level.WARNING, text, now_s)
        else:
            self._silence.ends(Level.WARNING, text, now_s)

    def _latch(self, what: str, advice: str) -> None:
        self._say(Level.ERROR, f"{what}. {_sentence(advice)}")
        self._fault = self._fault or what

    def _obey(self, controller: ArmController, now_s: float) -> None:
        """Bring the controller to what faults, heat and silence ask for."""
        mode = controller.mode
        if mode is Mode.LIMP:
            return
        if self._hot:
            if self._cool_by_s == -np.inf and mode is not Mode.STOPPED:
                self._go_limp(controller, self._hot)
                self._say(Level.WARNING, f"{self._hot}: the torque is off, let it cool down")
            elif mode not in (Mode.PARKING, Mode.STOPPED):
                self._cool_by_s = now_s + self.park_limit_s
                controller.park(self.rest_pose, self.park_within_s)
        elif self._fault:
            controller.stop(self._fault)
            if self._gives_way:  # also an arm that was stopped already
                controller.give_way()
            self._gives_way = False
        elif self._health.silent and mode in (Mode.ENGAGED, Mode.APPROACH, Mode.PARKING):
            controller.hold(self._health.silent)

    # torque

    def _cap(self) -> None:
        caps = self._health.caps_pct
        if self._caps is not caps and (self._caps is None or (caps != self._caps).any()):
            self.arm.cap_torque(caps)
            self._caps = caps

    def _go_limp(self, controller: ArmController, reason: str) -> None:
        controller.limp(reason)
        self.arm.set_torque(False)

    def _stiffen(self, controller: ArmController) -> None:
        self.arm.set_torque(True)
        self._caps = None
        self._cap()
        controller.restart()

    def _refuse_supply(self) -> None:
        """Raises WorkerFailure where every look says that the supply is too weak: one may be a damaged packet."""
        nominal_v, weakest = self._thresholds.nominal_v, None
        for _ in range(LOOKS):
            health = self._reading.health
            if health is None:
                return
            if not any(health.misses):  # a weak supply makes servos silent too
                least_v = min(health.voltage_v)
                weakest = least_v, health.voltage_v.index(least_v)
                if weakest[0] >= LEAST_SUPPLY * nominal_v:
                    return
            self._reading = self.arm.read()
        if weakest is None:
            return
        least_v, joint = weakest
        raise WorkerFailure(
            f"{JOINT_NAMES[joint]} gets {least_v:.1f} V, the arm needs {nominal_v:g} V: no torque was switched on. "
            "Is the supply plugged in and switched on, and is it the one of this arm? Then start again"
        )

    # a port that is gone

    def lose(self, gone: ArmGone, controller: ArmController) -> Status:
        """Stopped, by what is known: the servos keep their last goal, which is near the arm."""
        self._lost = f"{str(gone).split('. ')[0]}; {STILL_POWERED}"
        self._by_hand = False
        self._reopen_s = -np.inf
        self._lifeline.tell(Hand.LOST)
        again = f"when the port is back the arm is taken again; then {ACKNOWLEDGE}"
        self._unplugged.begins(Level.ERROR, f"{self._lost}. {_sentence(again)}", time.monotonic())
        return self._unreachable(controller)

    def _unreachable(self, controller: ArmController) -> Status:
        with contextlib.suppress(ArmGone):  # stopped all the same; what it wants is the measured position
            controller.stop(self._lost)
        reading = self._reading
        return Status(Mode.STOPPED, self._lost, reading, reading.joints_deg, frozenset(), False)

    def _find_again(self, controller: ArmController, now_s: float) -> Status:
        if now_s - self._reopen_s < REOPEN_S:
            return self._unreachable(controller)
        self._reopen_s = now_s
        try:
            self.arm.reopen()
            self._stiffen(controller)
            controller.stop(BACK)
            status = controller.tick(None, now_s)
        except ArmRefused as refused:
            self._tell_refusal(str(refused))
            return self._unreachable(controller)
        except ArmGone:  # again, or at once
            return self._unreachable(controller)
        self._refused = ""
        self._lifeline.tell(Hand.HOLDS)
        self._fault, self._lost = BACK, ""
        self._unplugged.ends(Level.WARNING, f"{BACK}. {_sentence(ACKNOWLEDGE)}", now_s)
        if self.arm.slow:
            self._say(Level.WARNING, self.arm.slow)
        return status

    def _tell_refusal(self, why: str) -> None:
        """A port that is there again, with something on it that cannot be taken; said once, whatever its figures do."""
        words = "".join(each for each in why if not each.isdigit())
        if words != self._refused:
            self._refused = words
            self._lost = f"{why.split('. ')[0]}; {STILL_POWERED}"
            self._say(Level.ERROR, f"the port is back, but the arm cannot be taken again: {why}")

    # board and end

    def publish(self, state: StateRecord) -> None:
        """No verdict on the task. The scene is an empty table, for simulated cameras that look at an emulated arm."""
        if (warm := self._health.warmth) != self._warm:
            self._warm = warm
            state["warm"] = fitting(warm, 160)
        if not self._laid:  # what stays as it is
            self._laid = True
            state["object_m"] = state["goal_m"] = np.nan
            state["scene"][:-9] = _NO_CUBE
            state["scene"][-3:] = _UNDER_THE_TABLE
        if self._watched:
            state["scene"][-9:-3] = SO101_RANGE.radians(self._reading.joints_deg.tolist())

    def pass_time(self) -> None:
        """It passes by itself."""

    def end(self) -> str:
        if not self._confirmed:
            return "nobody let it move"
        if not self._in_the_way:
            self._fault = ""
        return ""

    def leave(self, status: Status) -> None:
        """Torque off where the arm rests by itself; else it stays as it is, and that is said."""
        if self._lost:
            self._say(Level.ERROR, f"not parked: {self._lost}")
        elif status.mode is Mode.LIMP:
            self._say(Level.WARNING, f"left limp, torque off: {status.reason}")
        elif status.parked or not (self._confirmed or self._found_stiff):
            how = "parked" if status.parked else "it never moved"
            try:
                self.arm.set_torque(False)
                self._say(Level.WARNING, f"{how}; torque off")
            except ArmGone as gone:
                self._say(Level.ERROR, f"{how}, but its torque may be on: {gone}")
        else:
            self._say(
                Level.WARNING,
                f"not parked ({status.reason or 'no time left'}): the arm is left holding, its torque is ON. "
                "Hold it and cut the supply, or start again: the end of a run parks it",
            )
        self._lifeline.tell(Hand.LEFT)
        self.arm.close()


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
