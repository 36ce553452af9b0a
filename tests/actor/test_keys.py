"""Keys that are held: motion from the press to the release, of what is recorded too. On the simulator, in process."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests.actor.test_device import Slices
from tests.actor.test_episode import StillPolicy
from workers.actor.chair import Chair
from workers.actor.environment import ArmEnv
from workers.actor.episode import EpisodeRunner
from workers.actor.gym_env import GymEnv
from workers.actor.hand import Hand
from workers.actor.keys import Keys
from workers.actor.sim_env import sim_env, without_cameras
from workers.config import load
from workers.config.ready import ready_config
from workers.model.commands import Drive, Intervene
from workers.model.events import EpisodeKind
from workers.teleop.held_keys import HeldKeys
from workers.transport.record import FeatureSpec, Step

SLICE_S = 0.02
STEP_M = 0.02  # of the ready configuration, along every axis
RENEWED_S = 0.05


class Bench:
    """A person at a terminal: keys go down and up between slices of a period, and are said again while down."""

    def __init__(self, env: ArmEnv, port: Slices) -> None:
        self.env, self.port = env, port

    def run(self, script: dict[tuple[int, int], Drive | None], until: int = 8) -> None:
        """`script[(step, slice)]`: what is held from then on; None: the console says no more."""
        self.now_s, self.script, self.until, self.step = 50.0, script, until, -1
        self.held: Drive | None = None
        self.said_s = 0.0
        self.stages_ms: dict[str, float] = {}
        self.chair = Chair(scripted=False, jog_step=0.5, held_keys=HeldKeys(lambda: self.now_s))
        self.chair.take(Intervene(True))
        self.records: list[Step] = []
        self.way: dict[tuple[int, int], np.ndarray] = {}
        runner = EpisodeRunner(
            self.env, StillPolicy(7), self.chair, None, self, self.records.append, lambda event: None
        )
        runner.run(EpisodeKind.TRAINING, episode=3, seed=5)

    def restart(self) -> None:
        self.step = -1

    def pass_by(self, on_input: Callable[[], None]) -> None:
        self.step += 1
        for part in range(5):
            if (self.step, part) in self.script:
                self.held = self.script[self.step, part]
                self.said_s = self.said_s if self.held is None else 0.0
            if self.held is not None and self.now_s - self.said_s >= RENEWED_S:
                self.said_s = self.now_s
                self.chair.take(Drive(self.held.motion, self.held.gripper, self.now_s))
            on_input()
            self.port.advance(SLICE_S)
            self.now_s += SLICE_S
            self.way[self.step, part] = self.env._kinematics.position(self.port.read().goal_deg)

    def interrupted(self) -> str:
        return "told to end" if self.step + 1 >= self.until else ""

    @property
    def actions(self) -> list[np.ndarray]:
        return [record.action for record in self.records if isinstance(record, Step)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    env, port = sim_env(without_cameras(load(ready_config())))
    port.__class__ = Slices
    yield Bench(env, port)
    env.close()


UP = Drive((0, 0, 1), 0, 0.0)
LET_GO = Drive((0, 0, 0), 0, 0.0)


def test_a_held_key_moves_by_a_jog_step_in_every_period_and_is_what_is_recorded(bench: Bench) -> None:
    bench.run({(1, 0): UP, (5, 0): LET_GO})
    steps = [step for step in bench.records if isinstance(step, Step)]
    assert [step.action[2] for step in steps[1:5]] == pytest.approx([0.5] * 4, abs=1e-3)
    assert all(step.is_intervention for step in steps[1:5])
    assert bench.actions[5] == pytest.approx([0, 0, 0, 1], abs=1e-3)


def test_the_arm_stops_where_it_is_when_the_key_is_let_go(bench: Bench) -> None:
    bench.run({(1, 0): UP, (3, 2): LET_GO})
    assert 0.05 < bench.actions[3][2] < 0.45, "a part of the period, and of the way"
    rest = [bench.way[step, part][2] for step in range(4, 8) for part in range(5)]
    assert np.ptp([bench.way[3, 4][2], *rest]) < 2e-4
    assert bench.actions[4] == pytest.approx([0, 0, 0, 1], abs=1e-3)


def test_a_press_in_the_middle_of_a_period_moves_at_once(bench: Bench) -> None:
    bench.run({(2, 1): UP})
    assert bench.way[2, 2][2] - bench.way[2, 0][2] > 1e-4


def test_two_keys_at_once_are_a_diagonal_and_the_other_goes_on_alone(bench: Bench) -> None:
    diagonal = Drive((0, 1, 1), 0, 0.0)
    bench.run({(1, 0): UP, (3, 0): diagonal, (5, 0): Drive((0, 1, 0), 0, 0.0)})
    assert bench.actions[2][:3] == pytest.approx([0, 0, 0.5], abs=2e-3)
    assert bench.actions[4][:3] == pytest.approx([0, 0.5, 0.5], abs=2e-3)
    assert bench.actions[6][:3] == pytest.approx([0, 0.5, 0], abs=2e-3)


def test_a_held_gripper_key_is_a_command_in_every_period(bench: Bench) -> None:
    bench.run({(1, 0): Drive((0, 0, 0), -1, 0.0), (3, 2): LET_GO})
    assert [action[3] for action in bench.actions[:5]] == [1, 0, 0, 0, 1]


def test_a_console_that_says_no_more_moves_the_arm_for_150_ms_at_the_most(bench: Bench) -> None:
    bench.run({(1, 0): UP, (3, 0): None})
    silent_s = bench.said_s
    after = {key: at for key, at in bench.way.items() if _at_s(key) > silent_s + 0.15 + SLICE_S}
    still = np.ptp([at[2] for at in after.values()])
    moved = bench.way[3, 0][2] - bench.way[1, 0][2]
    assert moved > 0.01 and still < 2e-4


def _at_s(key: tuple[int, int]) -> float:
    """The end of a slice, by the bench's clock."""
    step, part = key
    return 50.0 + (5 * step + part + 1) * SLICE_S


def test_keys_that_are_held_while_the_arm_is_given_back_must_be_said_anew() -> None:
    chair = Chair(scripted=False, jog_step=0.5, held_keys=HeldKeys(lambda: 10.0))
    chair.take(Drive((0, 0, 1), 0, 9.9))
    assert not chair.held_keys.down, "nobody has the arm"
    chair.take(Intervene(True))
    chair.take(Drive((0, 0, 1), 0, 9.95))
    assert chair.held_keys.down and chair.moves
    chair.take(Intervene(False))
    chair.take(Drive((0, 0, 1), 0, 9.97))
    chair.take(Intervene(True))
    assert not chair.held_keys.down


class Recorded:
    """An environment that notes what it is told."""

    def __init__(self, moves_at_once: bool, dims: int = 3) -> None:
        self.person = FeatureSpec(
            state_dim=1, cameras=(), height=0, width=0, motion_dim=dims, gripper=dims == 3
        )
        self.moves_at_once = moves_at_once
        self.told: list[object] = []

    def nudge(self, action: np.ndarray) -> None:
        self.told.append([round(float(share), 3) for share in action])

    def halt(self) -> dict[str, object]:
        self.told.append("halt")
        return {}


def keys_of(env: Recorded) -> tuple[Chair, Keys]:
    chair = Chair(scripted=False, jog_step=0.5, held_keys=HeldKeys(lambda: 10.0))
    chair.take(Intervene(True))
    return chair, Keys(env, chair, Hand(env.person))  # type: ignore[arg-type]


def test_a_short_press_is_a_step_where_nothing_moves_before_the_period_ends() -> None:
    env = Recorded(moves_at_once=GymEnv.moves_at_once)
    chair, keys = keys_of(env)
    for drive in (Drive((1, 0, 0), 0, 9.9), Drive((0, 0, 0), 0, 9.95)):
        chair.take(drive)
        keys.apply()
    assert env.told == [[0.5, 0.0, 0.0, 1.0]]


def test_letting_one_of_two_keys_go_halts_and_goes_on_with_the_other() -> None:
    env = Recorded(moves_at_once=True)
    chair, keys = keys_of(env)
    for drive in (Drive((1, 1, 0), 0, 9.9), Drive((1, 1, 0), 0, 9.95), Drive((1, 0, 0), 0, 9.96)):
        chair.take(drive)
        keys.apply()
    assert env.told == [[0.5, 0.5, 0.0, 1.0], "halt", [0.5, 0.0, 0.0, 1.0]]


def test_a_second_key_adds_its_axis_only() -> None:
    env = Recorded(moves_at_once=True)
    chair, keys = keys_of(env)
    for drive in (Drive((1, 0, 0), 0, 9.9), Drive((1, 0, -1), 1, 9.95)):
        chair.take(drive)
        keys.apply()
    assert env.told == [[0.5, 0.0, 0.0, 1.0], [0.0, 0.0, -0.5, 2.0]]


def test_an_axis_that_is_not_there_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    env = Recorded(moves_at_once=True, dims=1)
    chair, keys = keys_of(env)
    for _ in range(3):
        chair.take(Drive((0, 0, 1), 0, 10.0))
        keys.begin_period()
        keys.apply()
    assert env.told == []
    assert [record.message for record in caplog.records] == [
        "this environment's action has no z: its keys do nothing"
    ]
