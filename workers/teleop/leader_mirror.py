"""What the servos of a leader arm do: they follow the arm with little torque, and give way to a hand.

    limp -> resting -> ramp -> aligning -> mirroring          while the policy drives, or nobody
    any of these -> waiting for the hand -> limp              when the person takes over

Torque rises slowly and only on a leader at rest, the goal starts where the leader is and passes the safety gate,
and a hand that is felt on the way takes the torque off again. When the person takes over, the leader stands still
until it feels the hand: one that nobody holds must not fall, and the arm fall with it. Pure: readings in, wishes
out. Units: degrees (gripper: percent), seconds of the caller's clock.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from workers.robot.figures import Floats
from workers.robot.gate import Limits, ToolPosition, admit
from workers.teleop.leader_hand import Hand

LEAD = np.array(
    [8.0] * 5 + [25.0]
)  # of the goal over the measured leader: a weak pull, whatever the distance
ALIGN_SPEED = np.array([25.0] * 5 + [60.0])  # per second
MIRROR_SPEED = np.array([90.0] * 5 + [200.0])  # per second; faster than the arm itself may go
RAMP_S = 1.0
REST_S = 0.5  # at rest this long before torque comes back
REST_AFTER_HAND_S = 1.5
MANY_TRIES, PATIENT_S = 3, 10.0  # after so many hands in a row it asks what is wrong, and waits longer
STILL = np.array([1.0] * 5 + [3.0])
NEAR = np.array([4.0] * 5 + [12.0])
FAR = np.array([25.0] * 5 + [60.0])  # an arm does not get away so far from a leader that moves along
TAKEN_UP = np.array([2.0] * 5 + [8.0])  # how far a hand moves a leader that stands still, for it to let go


class Stance(StrEnum):
    """What the leader's servos are doing."""

    LIMP = "limp"  # torque off
    RAMP = "ramp"  # torque rises, goal where the leader is
    ALIGNING = "aligning"  # slowly to where the arm is
    MIRRORING = "mirroring"  # with the arm
    WAITING = "waiting"  # the person drives: torque on, goal as it was, until the hand is felt


@dataclass(frozen=True, slots=True)
class Pull:
    """What the servos are to do until the next tick."""

    stance: Stance
    goal_deg: Floats  # [6]; where the leader is while it is limp
    torque_pct: float  # 0: torque off

    @property
    def torque(self) -> bool:
        return self.torque_pct > 0.0


class Mirror:
    """A leader arm between its person and the arm it leads. Starts limp."""

    def __init__(self, limits: Limits, tool: ToolPosition, tick_s: float, torque_pct: float) -> None:
        """`limits`: where the arm's own goals may be. `torque_pct`: the most torque, of what the servos can give."""
        self._limits = replace(limits, box=None, lead_deg=LEAD, speed_deg_s=MIRROR_SPEED)
        self._slow = replace(self._limits, speed_deg_s=ALIGN_SPEED)
        self._tool, self._tick_s, self._torque_pct = tool, tick_s, torque_pct
        self._hand = Hand(LEAD, tick_s)
        self.restart()

    def restart(self) -> None:
        """Limp, and nothing known of where the leader is: at start-up, or after its bus was gone."""
        self.stance = Stance.LIMP
        self._still_at: Floats | None = None
        self._still_s, self._rest_s, self._tries = 0.0, REST_S, 0
        self._goal: Floats = np.zeros(6)
        self._velocity: Floats = np.zeros(6)
        self._ramp = 0.0  # share of the torque
        self.taken = False
        """A hand moved the mirroring leader in the newest tick: it may want the arm."""

    @property
    def trouble(self) -> str:
        """Why the leader does not come to the arm although it tried, "" while all is well."""
        if self._tries < MANY_TRIES:
            return ""
        return "it is held: let go, or check its calibration"

    def tick(self, leader_deg: Floats, arm_deg: Floats | None, follows: bool) -> Pull:
        """One period of a leader at `leader_deg` [6].

        `arm_deg` [6] is where the arm is, None while that is not known or nothing may move; `follows` is false
        while the person drives.
        """
        self.taken = False
        match self.stance:
            case Stance.LIMP:
                self._rest(leader_deg, follows and arm_deg is not None)
            case Stance.WAITING:
                self._wait_for_hand(leader_deg, follows)
            case _ if not follows:
                self.stance, self._still_at = Stance.WAITING, leader_deg
            case Stance.RAMP:
                self._raise_torque(leader_deg)
            case _:
                self._follow(leader_deg, arm_deg)
        goal = leader_deg if self.stance is Stance.LIMP else self._goal
        return Pull(self.stance, goal.copy(), self._torque_pct * self._ramp)

    def _rest(self, leader_deg: Floats, may_pull: bool) -> None:
        """Wait, limp, for a leader that lies still although it is the person's turn no more."""
        moved = self._still_at is None or bool((np.abs(leader_deg - self._still_at) > STILL).any())
        if moved or not may_pull:
            self._still_at, self._still_s = leader_deg, 0.0
        self._still_s += self._tick_s
        if self._still_s >= self._rest_s:
            self.stance, self._ramp = Stance.RAMP, self._tick_s / RAMP_S
            self._goal, self._velocity = leader_deg.copy(), np.zeros(6)

    def _raise_torque(self, leader_deg: Floats) -> None:
        if (np.abs(leader_deg - self._goal) > TAKEN_UP).any():
            self._give_way(leader_deg)
            return
        self._ramp = min(1.0, self._ramp + self._tick_s / RAMP_S)
        if self._ramp >= 1.0:
            self.stance = Stance.ALIGNING
            self._hand.forget()

    def _follow(self, leader_deg: Floats, arm_deg: Floats | None) -> None:
        pushed, held = self._hand.feel(leader_deg, self._goal)
        if pushed or held:
            self.taken = pushed and self.stance is Stance.MIRRORING
            self._give_way(leader_deg)
            return
        request = self._goal
        if arm_deg is not None:
            request = arm_deg
            self._judge_distance(np.abs(arm_deg - leader_deg))
        limits = self._limits if self.stance is Stance.MIRRORING else self._slow
        verdict = admit(request, self._goal, self._velocity, leader_deg, limits, self._tool, self._tick_s)
        self._goal, self._velocity = verdict.goal_deg, verdict.velocity_deg_s

    def _judge_distance(self, apart_deg: Floats) -> None:
        if (apart_deg > FAR).any():
            self.stance = Stance.ALIGNING
        elif (apart_deg < NEAR).all():
            self.stance, self._tries, self._rest_s = Stance.MIRRORING, 0, REST_S

    def _wait_for_hand(self, leader_deg: Floats, follows: bool) -> None:
        """Stand still in the person's turn, until the leader is moved."""
        if follows:
            self.stance = Stance.RAMP if self._ramp < 1.0 else Stance.ALIGNING
            self._velocity = np.zeros(6)
            self._hand.forget()
        elif self._still_at is None or (np.abs(leader_deg - self._still_at) > TAKEN_UP).any():
            self._let_go(leader_deg)

    def _give_way(self, leader_deg: Floats) -> None:
        """A hand is on the leader: limp, and no torque before it has rested."""
        self._tries += 1
        self._rest_s = PATIENT_S if self._tries >= MANY_TRIES else REST_AFTER_HAND_S
        self._let_go(leader_deg)

    def _let_go(self, leader_deg: Floats) -> None:
        self.stance, self._ramp = Stance.LIMP, 0.0
        self._still_at, self._still_s = leader_deg, 0.0
