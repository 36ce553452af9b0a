"""Episodes with a leader arm on the simulator: who moves whom, what is stored, and what a lost leader does."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.actor.test_device import Bench, Slices
from tests.teleop.leader_arms import TICK_S, LeaderArm, no_hand, towards
from workers.actor.environment import ArmEnv
from workers.actor.hand import Hand, hand_of
from workers.actor.sim_env import InProcessArm, sim_env, without_cameras
from workers.config import load
from workers.config.ready import ready_config
from workers.config.teleop import TeleopConfig
from workers.model.commands import Axis, Intervene, Jog, Mark, Verdict
from workers.model.events import Driver, DriverChanged, EndedBy, EpisodeKind
from workers.robot.build import kinematics_of, limits_of
from workers.robot.figures import GRIPPER, Floats
from workers.teleop.leader import ASKS_S, TORQUE_PCT
from workers.teleop.leader_mirror import Mirror, Stance

SIM = without_cameras(load(ready_config()))
CONFIG = replace(SIM, env=replace(SIM.env, teleop=TeleopConfig(type="so101_leader", port="port")))
KINEMATICS = kinematics_of(CONFIG)
STEP_DEG = CONFIG.env.arm.speed_limit_deg_s * TICK_S
HAND_DEG_S = 25.0


class LeaderBench(Bench):
    """The bench with a leader arm beside it, that moves in the same slices."""

    def sit(self, takes_over: bool = False) -> None:
        self.seat(asks_once=True)
        self.chair.device = "leader arm"
        self.takes_over = takes_over
        reset = np.array(CONFIG.env.reset_pose)
        self.leader = LeaderArm(reset)
        self.mirror = Mirror(limits_of(CONFIG), KINEMATICS, TICK_S, TORQUE_PCT)
        self.plugged, self.asks_until_ns = True, 0
        self.goals: list[Floats] = []
        self.stances: list[Stance] = []

    def drive(self, person: Callable[[int, int], None], hand: Hand | None = None, **how: Any) -> Any:
        """An episode in which `person(step, slice)` acts before every slice."""

        seen = set[tuple[int, int]]()

        def script(step: int, part: int) -> None:
            if (step, part) not in seen:  # the bench looks twice at the beginning of a step
                seen.add((step, part))
                person(step, part)
                self._lead()

        self.until = 30
        return self.run(script, hand=hand or hand_of(CONFIG, self.env, KINEMATICS), **{"until": 30, **how})

    def _lead(self) -> None:
        reading = self.port.read()
        self.goals.append(reading.goal_deg.copy())
        if not self.plugged:
            self.pad.gone("the port is gone")
            return
        pull = self.mirror.tick(self.leader.joints_deg, reading.joints_deg, not self.chair.has_person)
        self.stances.append(pull.stance)
        self.leader.cap_torque(np.full(6, pull.torque_pct))
        if pull.torque is not self.leader.on:
            self.leader.set_torque(pull.torque)
        self.leader.write(pull.goal_deg)
        self.leader.advance(TICK_S)
        if self.mirror.taken and self.takes_over:
            self.asks_until_ns = self.now_ns + int(ASKS_S * 1e9)
        asks = self.now_ns < self.asks_until_ns
        self.pad.write(asks, np.zeros(3), joints_deg=self.leader.joints_deg, reason=self.mirror.trouble)

    def at(self, when: tuple[int, int], now: tuple[int, int], what: Callable[[], None]) -> None:
        if when == now:
            what()

    def grip(self, pan_deg: float = 0.0, lift_deg: float = 0.0) -> None:
        """A hand takes the leader and moves it."""
        goes = self.leader.joints_deg + np.array([pan_deg, lift_deg, 0, 0, 0, 0])
        self.leader.hand = towards(goes, HAND_DEG_S)

    def let_go(self) -> None:
        self.leader.hand = no_hand

    def take(self) -> None:
        self.chair.take(Intervene(True))

    def give_back(self) -> None:
        self.chair.take(Intervene(False))


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[ArmEnv, InProcessArm]]:
    env, port = sim_env(SIM)
    port.__class__ = Slices
    yield env, port
    env.close()


@pytest.fixture
def bench(world: tuple[ArmEnv, InProcessArm]) -> LeaderBench:
    made = LeaderBench(*world)
    made.sit()
    return made


def policy_then_person(bench: LeaderBench) -> Callable[[int, int], None]:
    """The policy drives 10 steps; then space, the leader to the side, space and the hand away."""

    def person(step: int, part: int) -> None:
        now = (step, part)
        bench.at((10, 0), now, bench.take)
        bench.at((10, 1), now, lambda: bench.grip(pan_deg=12.0))
        bench.at((20, 0), now, bench.give_back)
        bench.at((21, 0), now, bench.let_go)

    return person


def test_intervene_and_resume_are_stored_step_for_step_and_alignment_is_none(bench: LeaderBench) -> None:
    result = bench.drive(policy_then_person(bench), until=39)
    assert [index for index, flag in enumerate(bench.flags) if flag] == [*range(10, 20)]
    assert result.interventions == 1
    drivers = [event.driver for event in bench.events if isinstance(event, DriverChanged)]
    assert drivers == [Driver.POLICY, Driver.HUMAN, Driver.POLICY, Driver.NOBODY]
    aligning = bench.stances[20 * 5 + 1 :]
    assert {Stance.LIMP, Stance.RAMP, Stance.ALIGNING} <= set(aligning), "while the policy drives"


def test_the_arm_follows_the_leader_and_never_jumps(bench: LeaderBench) -> None:
    bench.drive(policy_then_person(bench), until=30)
    pans = [goal[0] for goal in bench.goals]
    begun, ended = pans[10 * 5 + 1], pans[20 * 5]
    assert ended - begun == pytest.approx(12.0, abs=3.0)
    steps = np.abs(np.diff(np.array(bench.goals[1:])[:, :GRIPPER], axis=0))
    assert steps.max() <= STEP_DEG + 1e-6
    executed = np.array([step.action[:3] for step in bench.steps[10:20]])
    assert np.abs(executed[0]).max() < 0.05, "the first human action moves nothing"
    assert (np.abs(executed) <= 1.0).all() and np.abs(executed).max() > 0.2


def test_while_the_policy_drives_the_leader_moves_along(bench: LeaderBench) -> None:
    bench.drive(lambda step, part: None, until=35)
    assert bench.stances[-1] is Stance.MIRRORING
    apart = bench.leader.joints_deg - bench.port.read().joints_deg
    assert np.abs(apart[:GRIPPER]).max() < 4.0
    assert not any(bench.flags)


def test_at_hand_over_the_leader_waits_for_the_hand(bench: LeaderBench) -> None:
    def person(step: int, part: int) -> None:
        if (step, part) == (25, 0):
            assert bench.stances[-1] is Stance.MIRRORING
            bench.leader.sag_deg_s = np.array([0, 40.0, -30.0, 0, 0, 0])  # it falls wherever nothing holds it
        bench.at((28, 0), (step, part), bench.take)

    bench.drive(person, until=39)
    assert bench.stances[-1] is Stance.WAITING
    moved = np.abs(bench.goals[-1] - bench.goals[29 * 5])[:GRIPPER]
    assert moved.max() < 1.0, "nobody holds the leader, and the arm stays"


@pytest.mark.parametrize(
    ("verdict", "ended_by"), [(Verdict.SUCCESS, EndedBy.SUCCESS), (Verdict.FAILURE, EndedBy.FAILURE)]
)
def test_success_and_failure_end_an_episode_that_the_leader_drives(
    bench: LeaderBench, verdict: Verdict, ended_by: EndedBy
) -> None:
    def person(step: int, part: int) -> None:
        bench.at((3, 0), (step, part), bench.take)
        bench.at((3, 1), (step, part), lambda: bench.grip(pan_deg=8.0))
        bench.at((10, 3), (step, part), lambda: bench.chair.take(Mark(verdict)))

    result = bench.drive(person)
    assert (result.ended_by, result.steps) == (ended_by, 11)
    assert bench.steps[-1].reward == float(verdict is Verdict.SUCCESS)


def test_a_leader_moved_by_hand_takes_the_arm_where_that_is_wanted(bench: LeaderBench) -> None:
    for takes_over in (True, False):
        bench.sit(takes_over)

        def person(step: int, part: int) -> None:
            bench.at((25, 0), (step, part), lambda: bench.grip(pan_deg=15.0, lift_deg=10.0))
            bench.at((33, 0), (step, part), bench.give_back)

        bench.drive(person, until=39)
        human = [index for index, flag in enumerate(bench.flags) if flag]
        assert bool(human) is takes_over
        if takes_over:
            assert 25 <= human[0] <= 28 and human == list(range(human[0], 33)), "space gives it back"


def test_a_leader_lost_in_the_hand_stops_the_arm_and_the_episode_waits(bench: LeaderBench) -> None:
    def person(step: int, part: int) -> None:
        bench.at((3, 0), (step, part), bench.take)
        bench.at((3, 1), (step, part), lambda: bench.grip(pan_deg=40.0))
        if (step, part) == (8, 2):
            bench.plugged = False

    result = bench.drive(person)
    assert result.ended_by is EndedBy.STOP and result.steps == 9
    assert result.reason == "leader arm gone: the port is gone"
    assert bench.flags == [False] * 3 + [True] * 6
    assert bench.chair.holds, "until it is back, or space gives the arm to the policy"
    bench.give_back()
    bench.chair.feel(bench.reader.read())
    assert not bench.chair.holds


def test_a_leader_lost_while_the_policy_drives_is_told_and_the_policy_goes_on(bench: LeaderBench) -> None:
    def person(step: int, part: int) -> None:
        bench.plugged = not 5 <= step < 12

    result = bench.drive(person, until=20)
    assert result.steps == 20 and not any(bench.flags)
    told = [(e.driver, e.reason) for e in bench.events if isinstance(e, DriverChanged)]
    assert told[1:3] == [(Driver.POLICY, "leader arm gone: the port is gone"), (Driver.POLICY, "")]


def test_a_key_press_beside_the_leader_moves_the_arm_and_stays(bench: LeaderBench) -> None:
    def person(step: int, part: int) -> None:
        bench.at((3, 0), (step, part), bench.take)
        bench.at((5, 0), (step, part), lambda: bench.chair.take(Jog(Axis.Z, 1)))

    bench.drive(person, until=12)
    lifted = sum(float(step.action[2]) for step in bench.steps[3:])
    assert lifted == pytest.approx(0.5, abs=0.1), "the leader, which stands still, does not take it back"


def test_in_a_survey_the_arm_takes_on_the_leaders_posture(bench: LeaderBench) -> None:
    find_limits = replace(CONFIG, mode="find-limits")

    def person(step: int, part: int) -> None:
        bench.at((3, 0), (step, part), bench.take)
        bench.at((3, 1), (step, part), lambda: bench.grip(pan_deg=10.0, lift_deg=-10.0))
        if (step, part) == (3, 1):
            bench.leader.hand = towards(bench.leader.joints_deg + np.array([8, -8, 6, -10, 20, -30.0]), 30.0)

    bench.drive(person, hand_of(find_limits, bench.env, KINEMATICS), kind=EpisodeKind.SURVEY, until=25)
    turned = bench.goals[-1] - bench.goals[3 * 5]
    np.testing.assert_allclose(turned, [8, -8, 6, -10, 20, -30], atol=2.5)
    steps = np.abs(np.diff(np.array(bench.goals[1:])[:, :GRIPPER], axis=0))
    assert steps.max() <= STEP_DEG + 1e-6
    assert not bench.records, "nothing of it is stored"
