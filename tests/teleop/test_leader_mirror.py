"""The leader arm's own torque: slow to come, never against a hand, gone only in one."""

import numpy as np

from tests.teleop.leader_arms import KINEMATICS, TICK_S, LeaderArm, no_hand, towards
from workers.robot.figures import Floats
from workers.robot.gate import Limits
from workers.teleop.leader_mirror import ALIGN_SPEED, LEAD, MANY_TRIES, MIRROR_SPEED, Mirror, Pull, Stance

ARM = np.array([10.0, -20.0, 30.0, 40.0, 5.0, 60.0])
ELSEWHERE = np.array([-30.0, 20.0, 0.0, 0.0, -40.0, 10.0])
TORQUE_PCT = 20.0


class Bench:
    """A leader arm, its mirror, and an arm to follow."""

    def __init__(self, leader_deg: Floats = ELSEWHERE) -> None:
        self.leader = LeaderArm(leader_deg)
        self.mirror = Mirror(Limits(), KINEMATICS, TICK_S, TORQUE_PCT)
        self.arm_deg: Floats | None = ARM.copy()
        self.follows = True
        self.pulls: list[Pull] = []
        self.measured: list[Floats] = []

    def tick(self) -> Pull:
        self.measured.append(self.leader.joints_deg.copy())
        pull = self.mirror.tick(self.measured[-1], self.arm_deg, self.follows)
        self.leader.cap_torque(np.full(6, pull.torque_pct))
        if pull.torque is not self.leader.on:
            self.leader.set_torque(pull.torque)
        if pull.torque:
            self.leader.write(pull.goal_deg)
        self.leader.advance(TICK_S)
        self.pulls.append(pull)
        return pull

    def run(self, seconds: float) -> Pull:
        for _ in range(round(seconds / TICK_S)):
            pull = self.tick()
        return pull

    def until(self, stance: Stance, limit_s: float = 20.0) -> float:
        """Seconds until it is in that stance."""
        for tick in range(round(limit_s / TICK_S)):
            if self.tick().stance is stance:
                return tick * TICK_S
        raise AssertionError(f"never {stance.value}, but {self.mirror.stance.value}")


def mirroring() -> Bench:
    bench = Bench()
    bench.until(Stance.MIRRORING)
    bench.run(1.0)
    return bench


def test_a_leader_at_rest_comes_slowly_to_the_arm_and_then_moves_with_it() -> None:
    bench = Bench()
    bench.until(Stance.MIRRORING)
    bench.run(1.0)
    assert np.abs(bench.leader.joints_deg - ARM).max() < 1.0
    bench.arm_deg = ARM + 15.0
    assert bench.run(2.0).stance is Stance.MIRRORING
    assert np.abs(bench.leader.joints_deg - bench.arm_deg).max() < 1.0


def test_torque_rises_from_nothing_and_never_above_its_cap() -> None:
    bench = mirroring()
    torques = [pull.torque_pct for pull in bench.pulls]
    first = next(i for i, torque in enumerate(torques) if torque)
    assert max(torques) == TORQUE_PCT
    assert np.diff([0.0, *torques[first:]]).max() <= TORQUE_PCT * TICK_S + 1e-9
    assert bench.pulls[first].goal_deg.tolist() == ELSEWHERE.tolist()


def test_goals_of_the_leader_are_rate_limited_and_never_far_ahead_of_it() -> None:
    bench = mirroring()
    bench.arm_deg = ELSEWHERE.copy()  # the arm is suddenly somewhere else
    bench.run(1.0)
    assert bench.mirror.stance is Stance.ALIGNING, "and the leader goes there slowly"
    bench.run(3.0)
    goals = [pull.goal_deg for pull in bench.pulls if pull.torque]
    steps = np.abs(np.diff(goals, axis=0))
    assert (steps <= MIRROR_SPEED * TICK_S + 1e-9).all()
    pairs = zip(bench.pulls, bench.pulls[1:], strict=False)
    slow = [after.goal_deg - before.goal_deg for before, after in pairs if after.stance is Stance.ALIGNING]
    assert (np.abs(slow[1:]) <= ALIGN_SPEED * TICK_S + 1e-9).all()
    ahead = np.array([pull.goal_deg for pull in bench.pulls]) - np.array(bench.measured)
    assert (np.abs(ahead) <= LEAD + 1e-9).all()


def test_a_hand_that_moves_the_leader_while_torque_returns_stops_it() -> None:
    bench = Bench()
    bench.until(Stance.RAMP)
    bench.leader.hand = towards(ELSEWHERE + 20.0, 30.0)
    bench.until(Stance.LIMP, limit_s=0.5)
    bench.run(0.6)
    assert not bench.leader.on


def test_a_hand_that_holds_the_leader_away_from_the_arm_makes_it_limp() -> None:
    bench = Bench()
    bench.leader.hand = towards(ELSEWHERE, 0.0)
    bench.until(Stance.ALIGNING)
    bench.until(Stance.LIMP, limit_s=2.0)
    assert not bench.mirror.taken


def test_a_leader_held_again_and_again_says_so_and_tries_less_often() -> None:
    bench = Bench()
    bench.leader.hand = towards(ELSEWHERE, 0.0)
    for _ in range(MANY_TRIES):
        assert not bench.mirror.trouble
        bench.until(Stance.ALIGNING)
        bench.until(Stance.LIMP)
    assert "held" in bench.mirror.trouble
    assert bench.until(Stance.RAMP) > 5.0
    bench.leader.hand = no_hand
    bench.until(Stance.MIRRORING)
    assert not bench.mirror.trouble


def test_a_hand_that_moves_the_mirroring_leader_is_felt_at_once() -> None:
    bench = mirroring()
    bench.leader.hand = towards(ARM + np.array([0, 0, 15.0, 0, 0, 0]), 60.0)
    bench.until(Stance.LIMP, limit_s=0.4)
    assert bench.mirror.taken


def test_the_weight_of_the_arm_is_no_hand() -> None:
    bench = mirroring()
    bench.leader.sag_deg_s = np.array([0, 30.0, -20.0, 10.0, 0, 0])  # speeds it would fall at
    assert bench.run(5.0).stance is Stance.MIRRORING
    assert not any(pull.stance is Stance.LIMP for pull in bench.pulls[-200:])


def test_following_a_fast_arm_to_and_fro_is_no_hand() -> None:
    bench = mirroring()
    for tick in range(1000):
        bench.arm_deg = ARM + 25.0 * np.sin(2.0 * TICK_S * tick)  # 50 degrees/s at most
        assert bench.tick().stance is Stance.MIRRORING


def test_in_the_persons_turn_the_leader_stands_still_until_it_is_in_the_hand() -> None:
    bench = mirroring()
    bench.leader.sag_deg_s = np.array([0, 30.0, -20.0, 10.0, 0, 0])
    bench.run(2.0)
    at = bench.leader.joints_deg.copy()
    bench.follows = False
    assert bench.run(5.0).stance is Stance.WAITING
    assert np.abs(bench.leader.joints_deg - at).max() < 0.5, "nobody holds it, and it does not fall"
    bench.leader.hand = towards(at + np.array([5.0, 0, 0, 0, 0, 0]), 30.0)
    bench.until(Stance.LIMP, limit_s=0.5)
    assert bench.run(2.0).stance is Stance.LIMP


def test_given_back_at_once_it_goes_on_mirroring() -> None:
    bench = mirroring()
    bench.follows = False
    bench.run(0.5)
    bench.follows = True
    bench.arm_deg = ARM + 10.0
    bench.run(2.0)
    assert bench.mirror.stance is Stance.MIRRORING and all(pull.torque for pull in bench.pulls[-100:])


def test_given_back_by_a_hand_that_stays_the_leader_never_pulls_hard() -> None:
    bench = Bench(ELSEWHERE)
    bench.follows = False
    bench.leader.hand = towards(ELSEWHERE, 0.0)
    bench.run(1.0)
    bench.follows = True
    bench.run(20.0)
    lead = [np.abs(pull.goal_deg - ELSEWHERE) for pull in bench.pulls if pull.torque]
    assert lead and (np.array(lead) <= LEAD + 2.0).all()


def test_while_the_arm_is_unknown_or_stopped_a_limp_leader_stays_limp_and_another_stands_still() -> None:
    bench = Bench()
    bench.arm_deg = None
    assert bench.run(5.0).stance is Stance.LIMP
    bench = mirroring()
    bench.arm_deg = None
    goals = {tuple(bench.tick().goal_deg) for _ in range(100)}
    assert len(goals) == 1


def test_a_leader_whose_bus_was_gone_begins_limp() -> None:
    bench = mirroring()
    bench.mirror.restart()
    assert bench.tick().stance is Stance.LIMP and bench.tick().torque_pct == 0.0
