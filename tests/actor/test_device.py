"""A person's device in an episode: what it says is executed and stored; nothing moves by it when it is gone."""

import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.actor.test_episode import StillPolicy
from workers.actor.chair import Chair
from workers.actor.environment import ArmEnv
from workers.actor.episode import EpisodeRunner
from workers.actor.hand import Hand
from workers.actor.rules import EpisodeResult
from workers.actor.sim_env import InProcessArm, sim_env, without_cameras
from workers.config import load
from workers.config.ready import ready_config
from workers.model.commands import Intervene, Verdict
from workers.model.events import Driver, EndedBy, EpisodeKind, Event, StepTaken
from workers.robot.board import TELEOP_STATE
from workers.runtime.shared import SharedNewest
from workers.teleop.device import DeviceReader, DeviceWriter
from workers.transport.record import EpisodeEnd, Step

CONTEXT = multiprocessing.get_context("spawn")
SPEED = np.array([0.5, -0.25, 0.25])
STAY = [0.0, 0.0, 0.0, 1.0]


class PushingPolicy(StillPolicy):
    """Always the same way, unlike any person of these tests."""

    def act(self, observation: Any, deterministic: bool) -> np.ndarray:
        return np.array([-0.125, 0, 0, 1], np.float32)


class Bench:
    """An episode on the simulator with a device on a real board, on a clock of its own: 100 ms a step."""

    def __init__(self, env: ArmEnv, port: InProcessArm) -> None:
        self.env, self.port = env, port

    def seat(self, **chair: Any) -> None:
        self.now_ns = 10**9
        block = SharedNewest(CONTEXT, TELEOP_STATE)
        self.pad = DeviceWriter(block, "gamepad", lambda: self.now_ns)
        self.reader = DeviceReader(block, lambda: self.now_ns)
        self.chair = Chair(scripted=False, jog_step=0.5, device="gamepad", **chair)
        self.chair.hold("nothing", False)
        self.step = -1
        self.stages_ms: dict[str, float] = {}

    def run(
        self,
        script: Callable[[int, int], None],
        kind: EpisodeKind = EpisodeKind.TRAINING,
        until: int = 10,
        hand: Hand | None = None,
    ) -> EpisodeResult:
        """`script(step, slice)` plays the device before each of the five slices of every step."""
        self.script, self.until = script, until
        self.records: list[Step | EpisodeEnd] = []
        self.events: list[Event] = []
        self._act(0, 0)
        runner = EpisodeRunner(
            self.env,
            PushingPolicy(7),
            self.chair,
            None,
            self,
            self.records.append,
            self.events.append,
            hand=hand,
        )
        return runner.run(kind, episode=3, seed=5)

    # the period that the runner knows

    def restart(self) -> None:
        self.step = -1

    def pass_by(self, on_input: Callable[[], None]) -> None:
        self.step += 1
        for part in range(5):
            self._act(self.step, part)
            on_input()
            self.port.advance(0.02)
            self.now_ns += 20_000_000

    def interrupted(self) -> str:
        if self.step + 1 >= self.until:
            return "told to end"
        self._act(self.step + 1, 0)
        return ", ".join(sorted(self.chair.holds))

    def _act(self, step: int, part: int) -> None:
        self.script(step, part)
        self.chair.feel(self.reader.read())

    @property
    def steps(self) -> list[Step]:
        return [record for record in self.records if isinstance(record, Step)]

    @property
    def flags(self) -> list[bool]:
        return [step.is_intervention for step in self.steps]


class Slices(InProcessArm):
    """The simulated arm, a fifth of a period at a time."""

    def advance(self, seconds: float) -> None:
        ticks, self._ticks_per_period = self._ticks_per_period, round(seconds / self._tick_s)
        self.wait_period()
        self._ticks_per_period = ticks


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[ArmEnv, InProcessArm]]:
    env, port = sim_env(without_cameras(load(ready_config())))
    port.__class__ = Slices
    yield env, port
    env.close()


@pytest.fixture
def bench(world: tuple[ArmEnv, InProcessArm]) -> Bench:
    made = Bench(*world)
    made.seat()
    return made


def test_flags_and_actions_in_the_log_are_the_script_step_for_step(bench: Bench) -> None:
    intervals = [*range(3, 8), *range(12, 13), *range(15, 22)]

    def script(step: int, part: int) -> None:
        bench.pad.write(step in intervals, SPEED * (step in intervals))

    result = bench.run(script, until=25)
    assert [index for index, flag in enumerate(bench.flags) if flag] == intervals
    drivers = [event.driver for event in bench.events if isinstance(event, StepTaken)]
    assert [index for index, driver in enumerate(drivers) if driver is Driver.HUMAN] == intervals
    assert (result.steps_by_human, result.interventions) == (len(intervals), 3)


def test_what_the_stick_asks_for_is_what_is_executed_and_stored(bench: Bench) -> None:
    bench.run(
        lambda step, part: bench.pad.write(step >= 2, SPEED, gripper=-1.0 if step == 3 else 0.0), until=6
    )
    assert bench.steps[2].action == pytest.approx([*SPEED, 1.0], abs=0.02)
    assert bench.steps[3].action[3] == 0.0, "closes"
    assert bench.steps[4].action[3] == 1.0, "stays"


@pytest.mark.parametrize("how", ["unplugged", "silent"])
def test_a_device_that_goes_while_it_moves_the_arm_stops_it_at_once(bench: Bench, how: str) -> None:
    goals: list[np.ndarray] = []

    def script(step: int, part: int) -> None:
        goals.append(bench.port.read().goal_deg)
        if (step, part) < (5, 2):
            bench.pad.write(True, np.array([0.0, 0.0, 1.0]))
        elif how == "unplugged" and (step, part) == (5, 2):
            bench.pad.gone("unplugged")

    result = bench.run(script, until=30)
    assert all(bench.flags), "the policy never takes the arm because a plug came out"
    lasts = {"unplugged": 6, "silent": 9}[how]  # so much silence is no lateness any more
    assert result.steps == lasts and "gamepad gone: " in result.reason
    assert any("gamepad gone" in reason for reason in bench.chair.holds)
    stopped = 5 * 5 + 2 + 1 + (8 if how == "silent" else 0)  # slices, the first before the first step
    still = np.abs(np.diff(np.array(goals[stopped + 6 :])[:, :5], axis=0))
    assert still.size == 0 or still.max() < 0.05, "nothing moves after 150 ms, and the time to brake"
    assert bench.steps[5].action[2] < 1.0, "the rest of the period was not executed, and is not stored"


def test_a_late_word_moves_nothing_and_keeps_the_arm_with_the_person(bench: Bench) -> None:
    def script(step: int, part: int) -> None:
        if step < 3 or step >= 6:
            bench.pad.write(True, SPEED)

    bench.run(script, until=9)
    assert all(bench.flags) and len(bench.flags) == 9
    assert bench.steps[5].action == pytest.approx(STAY, abs=0.01)
    assert bench.steps[7].action == pytest.approx([*SPEED, 1.0], abs=0.1), "and it goes on when it is back"


def test_letting_go_in_the_middle_of_a_step_stops_there(bench: Bench) -> None:
    bench.run(lambda step, part: bench.pad.write((step, part) < (2, 1), np.array([0.0, 0.0, 0.5])), until=4)
    assert bench.flags == [True, True, True, False]
    assert 0.0 < bench.steps[2].action[2] < 0.35, "a fifth of the period, and the time to brake"


@pytest.mark.parametrize(
    ("verdict", "ended_by"),
    [
        (Verdict.SUCCESS, EndedBy.SUCCESS),
        (Verdict.FAILURE, EndedBy.FAILURE),
        (Verdict.RERECORD, EndedBy.RERECORD),
    ],
)
def test_a_press_is_a_verdict_once(bench: Bench, verdict: Verdict, ended_by: EndedBy) -> None:
    bench.pad.press(verdict)  # before the actor looked first: of another time

    def script(step: int, part: int) -> None:
        if (step, part) == (4, 2):
            bench.pad.press(verdict)
        bench.pad.write(False, np.zeros(3))

    result = bench.run(script)
    assert (result.ended_by, result.steps) == (ended_by, 5)
    again = bench.run(lambda step, part: bench.pad.write(False, np.zeros(3)))
    assert again.steps == 10, "it does not end the next episode too"


def test_a_demonstration_goes_on_while_the_person_rests(bench: Bench) -> None:
    def script(step: int, part: int) -> None:
        held = step < 3 or step > 5
        bench.pad.write(held, SPEED * held)
        if (step, part) == (8, 0):
            bench.pad.press(Verdict.SUCCESS)

    result = bench.run(script, EpisodeKind.DEMONSTRATION)
    assert (result.ended_by, result.steps, result.steps_by_human) == (EndedBy.SUCCESS, 9, 9)
    assert bench.steps[4].action == pytest.approx(STAY, abs=0.01)
    assert all(step.is_demonstration for step in bench.steps)


def test_the_intervene_key_ends_a_demonstration_by_device_too(bench: Bench) -> None:
    def script(step: int, part: int) -> None:
        bench.pad.write(step < 3, np.zeros(3))
        if (step, part) == (5, 0):
            bench.chair.take(Intervene(False))

    result = bench.run(script, EpisodeKind.DEMONSTRATION)
    assert result.ended_by is EndedBy.STOP and "let go" in result.reason


def test_a_leader_arm_drives_by_its_pose(bench: Bench) -> None:
    seen: list[tuple[float, float]] = []

    class Leader:
        def action(self, leader_deg: np.ndarray, target_m: np.ndarray) -> np.ndarray:
            seen.append((float(leader_deg[0]), float(target_m[2])))
            return np.array([0, 0, leader_deg[0], 1], np.float32)

        def release(self) -> None:
            seen.append((0.0, 0.0))

    bench.seat(asks_once=True)
    pose = np.full(6, 0.25)
    bench.run(
        lambda step, part: bench.pad.write((step, part) == (2, 0), np.zeros(3), joints_deg=pose),
        until=6,
        hand=Hand(bench.env.features, Leader()),
    )
    assert bench.flags == [False, False, True, True, True, True], "a moment's asking takes the arm"
    assert bench.steps[4].action[2] == pytest.approx(0.25, abs=0.02)
    assert seen[:2] == [(0.0, 0.0)] * 2 and seen[2][0] == 0.25 and seen[2][1] > 0.0
