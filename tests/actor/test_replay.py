"""A replay sends the recorded actions, each once, through pipeline and gate; a person may always take over."""

import logging
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.actor.test_episode import ScriptedKeys
from tests.altered import altered
from workers.actor.chair import Chair
from workers.actor.episode import EpisodeRunner
from workers.actor.replay_policy import ReplayPolicy, ToolWay
from workers.actor.rules import EpisodeResult
from workers.actor.sim_env import sim_env, without_cameras
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.dataset.columns import columns_of, frame_of
from workers.dataset.jobs import prepared
from workers.dataset.units import state_units
from workers.dataset.writer import DatasetWriter
from workers.model.commands import Axis, Command, Intervene, Jog, Mark, Verdict
from workers.model.events import Driver, EndedBy, EpisodeKind, Event, StepTaken
from workers.processors.build import pipelines_of
from workers.processors.features import STATE
from workers.robot.build import kinematics_of
from workers.runtime.harness import WorkerFailure
from workers.transport.record import Record, Step

CONFIG = without_cameras(load(ready_config()))
WAY = [(1, 0, 0, 1), (1, 0.5, -0.5, 1), (0, 0.5, -1, 1), (-0.5, 0, -0.5, 0), (0, 0, 1, 0), (0, -1, 1, 2)]


@pytest.fixture(scope="module")
def driven() -> list[Step]:
    """An episode driven through the simulator, step by step."""
    env, _ = sim_env(CONFIG)
    steps = []
    observation, _ = env.reset(seed=4)
    for number, action in enumerate(WAY):
        state = observation["observation.state"]
        observation, _, _, _, info = env.step(np.array(action, np.float32))
        steps.append(
            Step(
                episode=0,
                step=number,
                state=state,
                images=np.empty((0, 0, 0, 3), np.uint8),
                action=info["executed_action"],
                reward=0.0,
                terminated=False,
                truncated=False,
            )
        )
    return steps


@pytest.fixture
def config(driven: list[Step], tmp_path: Path) -> Config:
    """A replay of that episode, as the station begins it."""
    write_dataset(tmp_path, driven)
    replay = {"mode": "replay", "dataset.root": str(tmp_path), "dataset.replay_episode": 0}
    return without_cameras(prepared(altered(replay)))


def write_dataset(root: Path, steps: list[Step]) -> None:
    stored = pipelines_of(CONFIG).stored
    writer = DatasetWriter.open(root, columns_of(stored), CONFIG.env.fps, None, video=False)
    units = state_units(CONFIG)
    for step in steps:
        frame = frame_of(step, stored)
        writer.add_frame({**frame, STATE: units.to_dataset(frame[STATE])})
    writer.save_episode("test")
    writer.close()


class Run:
    """One episode of a replay, with what came of it."""

    def __init__(self, config: Config, keys: dict[int, list[Command]] | None = None) -> None:
        env, port = sim_env(config, device="cpu")
        chair = Chair(scripted=True, jog_step=0.5)
        self.records: list[Record] = []
        self.events: list[Event] = []
        self.executed: list[np.ndarray] = []
        period = ScriptedKeys(port, chair, keys or {})
        finish = env.finish_step
        env.finish_step = lambda: self._noted(finish())  # type: ignore[method-assign]
        policy = ReplayPolicy(config)
        runner = EpisodeRunner(env, policy, chair, None, period, self.records.append, self.events.append)
        self.result: EpisodeResult = runner.run(EpisodeKind.REPLAY, 0, seed=4)

    def _noted(self, outcome):
        self.executed.append(outcome[-1]["executed_action"])
        return outcome

    @property
    def drivers(self) -> list[Driver]:
        return [event.driver for event in self.events if isinstance(event, StepTaken)]


def test_the_recorded_actions_are_executed_once_and_leave_nothing_in_the_log(
    config: Config, driven: list[Step], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        run = Run(config)
    assert np.allclose(run.executed, [step.action for step in driven], atol=1e-4)
    assert run.result.ended_by is EndedBy.TIME_LIMIT and run.result.steps == len(WAY)
    assert run.records == []
    (said,) = [record.getMessage() for record in caplog.records if "replayed" in record.getMessage()]
    mean, most = map(float, re.findall(r"([0-9.]+) mm", said))
    assert said.startswith("all 6 actions are replayed")
    assert 0.0 <= mean <= most < 1.0, "the same simulator, the same start"


def test_a_person_takes_over_at_once_and_the_replay_begins_again(config: Config) -> None:
    run = Run(config, {1: [Intervene(True)], 2: [Jog(Axis.Z, 1)], 3: [Intervene(False)]})
    assert run.drivers == [Driver.POLICY, Driver.POLICY, Driver.HUMAN, Driver.HUMAN]
    assert run.executed[2] == pytest.approx([0, 0, 0.5, 1])
    assert run.result.ended_by is EndedBy.STOP and "replayed again" in run.result.reason


def test_a_person_may_drop_the_episode(config: Config) -> None:
    run = Run(config, {2: [Mark(Verdict.RERECORD)]})
    assert run.result.ended_by is EndedBy.RERECORD and run.result.steps == 3


def test_the_next_episode_begins_at_the_first_action(config: Config, driven: list[Step]) -> None:
    policy = ReplayPolicy(config)
    observation = {"observation.state": torch.from_numpy(driven[0].state.copy())[None]}
    first = [policy.act(observation, False) for _ in range(3)]
    policy.swap()
    assert np.array_equal([policy.act(observation, False) for _ in range(3)], first)


def test_the_report_is_the_distance_of_the_tools_in_millimetres() -> None:
    kinematics = kinematics_of(CONFIG)
    joints = np.array([[0.0, -2.0, 0.4, 91.7, 2.8, 40.0], [10.0, 0.0, 0.0, 90.0, 0.0, 0.0]])
    way = ToolWay(kinematics, joints.astype(np.float32))
    way.reach(joints[0])
    moved = joints[1] + [5.0, 0, 0, 0, 0, 0]
    way.reach(moved)
    apart = 1e3 * np.linalg.norm(kinematics.position(moved) - kinematics.position(joints[1]))
    assert way.report().endswith(
        f"{apart / 2:.1f} mm from the recorded way on average, {apart:.1f} mm at most"
    )


def test_states_of_another_kind_are_not_compared(config: Config, tmp_path: Path) -> None:
    info = tmp_path / "meta/info.json"
    info.write_text(info.read_text().replace("shoulder_pan.pos", "joint_0"))
    policy = ReplayPolicy(config)
    assert "no joint positions of this kind" in policy._way.report()


def test_a_dataset_that_went_away_meanwhile_is_told(config: Config, tmp_path: Path) -> None:
    (tmp_path / "meta/info.json").unlink()
    with pytest.raises(WorkerFailure, match="no dataset in"):
        ReplayPolicy(config)
