"""Effects of the rest: the run's files and seed, what a mode orders, who drives, what the consoles are shown."""

import asyncio
import multiprocessing
import sys
import time
import types
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import numpy as np
import torch

from tests.altered import altered
from tests.config.effect_tools import NO_ARM, Effect, FakeDesk, Only, lasting, plain, rounds
from tests.config.effects_learning import fingerprint, session
from tests.dataset.recorded import Recording, save
from tests.dataset.recorded import small as recording_run
from tests.evaluation.made import result, trial
from tests.station.test_recipe import FakeStation
from workers.actor.loop import ActorLoop
from workers.actor.replay_policy import ReplayPolicy
from workers.actor.rules import Rules
from workers.camera.worker import main as camera_main
from workers.config import Config
from workers.dataset import hub
from workers.dataset.jobs import finished
from workers.dataset.layout import dataset_folder
from workers.evaluation.chosen import lay_ready
from workers.evaluation.keeper import write
from workers.learner.metrics import MetricsLog
from workers.learner.session import LearnerSession
from workers.model import commands as c
from workers.model import events as e
from workers.model.orders import AnyOrder, Collect, Hold, Operate
from workers.robot.board import ARM_STATE, Board
from workers.robot.drivers.sim import SimArm
from workers.station.recipes import recipe_of
from workers.station.recipes.evaluate import begun
from workers.station.station import Station
from workers.teleop.build import scripted_operator_of
from workers.teleop.scripts import TaskView

CONTEXT = multiprocessing.get_context("spawn")


# the run


def files(config: Config, folder: Path) -> Any:
    """Where a learner's files go."""
    session(config).close()
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def first_weights(config: Config, folder: Path) -> Any:
    made = session(config)
    made.close()
    return fingerprint(made.sac)


def goes_on(config: Config, folder: Path) -> object:
    """How many trials an evaluation begins with where one was cut off after its first."""
    kept = folder / "kept"
    before = result(trial(0), folder=str(kept / "evaluations" / "cut"), ended="cut off after 1 of 10 trials")
    write(Path(before.folder), before, {})
    run = msgspec.structs.replace(config.run, directory=str(folder), name="kept-evaluate")
    return len(begun(msgspec.structs.replace(config, run=run), before.contestants).trials)


def tried(config: Config, folder: Path) -> Any:
    """Which policies an evaluation tries, of a run with checkpoints of steps 1 and 2."""
    made = LearnerSession(altered({"mode": None}, config))
    for updates in (1, 2):
        made.sac.critic_updates = updates
        with torch.no_grad():
            made.sac.actor.mean.bias.fill_(updates / 10)
        made.sac.average.follow()
        made.publish()
        made.save_checkpoint(wait=True)
    made.close()
    return [(one.label, one.digest) for one in lay_ready(config)]


# recipes


def ordered(*, successes: int = 0, failures: int = 0) -> Any:
    """Observe what a run's recipe orders: at first, and after so many episodes of training of 10 steps each."""

    def observe(config: Config, folder: Path) -> Any:
        return asyncio.run(_ordered(config, successes, failures))

    return observe


async def _ordered(config: Config, successes: int, failures: int) -> Any:
    station = FakeStation(config, 0.9)
    station.task.cancel()
    station.recipe = recipe_of(station, config, 0.9)  # type: ignore[assignment]
    station.task = asyncio.create_task(station.recipe.run())
    await station.start()
    wanted = station.collecting().episodes
    if config.mode is None:
        await station.collected(e.EpisodeKind.DEMONSTRATION, wanted, wanted)
        await station.train(0, successes, success=True)
        await station.train(successes, failures, success=False)
    orders = [repr(order) for _, order in station.orders]
    ended = [station.task.result().reason] if station.task.done() else []
    station.task.cancel()
    return orders + ended


# the actor


def acting(*orders: AnyOrder, for_s: float = 0.8) -> Any:
    """Observe what an actor tells and does in a while with these orders; the environment is a point on a plane."""

    def observe(config: Config, folder: Path) -> Any:
        from tests.actor.worlds import Point

        Point.made.clear()  # one more is made to look at its spaces, once
        desk = FakeDesk(orders, lasting(for_s))
        loop = ActorLoop(desk, config, Board.create(CONTEXT, {}))  # type: ignore[arg-type]
        loop.run()
        loop.close()
        started = len(desk.mailbox.of(e.EpisodeStarted))
        actions = [action.tolist() for point in Point.made for action in point.actions]
        return [started > 1, actions[:1]]

    return observe


def waits_for(config: Config, folder: Path) -> Any:
    """Why an actor without an arm does not begin a demonstration."""
    desk = FakeDesk([Collect(e.EpisodeKind.DEMONSTRATION, 1)], rounds(20))
    shapes = {name: (camera.height, camera.width) for name, camera in config.env.cameras.items()}
    loop = ActorLoop(desk, config, Board.create(CONTEXT, shapes))  # type: ignore[arg-type]
    loop.run()
    loop.close()
    return [event.reason for event in desk.mailbox.of(e.DriverChanged)]


def patience(config: Config, folder: Path) -> int:
    """Steps that the scripted person looks on while nothing moves."""
    person = scripted_operator_of(config, np.random.default_rng(0))
    assert person is not None
    person.begin_episode(e.EpisodeKind.TRAINING)
    still = TaskView(np.array([0.25, 0.0, 0.01]), np.zeros(3), np.array([0.22, 0.0, 0.1]), 40.0)
    steps = 0
    while not person.wants_control(still):
        steps += 1
    return steps


def with_empty_jaws(config: Config, folder: Path) -> float:
    """Gripper command of the scripted person after its jaws closed on nothing, in its second demonstration."""
    person = scripted_operator_of(config, np.random.default_rng(0))
    assert person is not None
    for _ in range(2):
        person.begin_episode(e.EpisodeKind.DEMONSTRATION)
    closed = TaskView(np.array([0.25, 0.0, 0.0125]), np.zeros(3), np.array([0.234, 0.0, 0.014]), 1.0)
    return float(person.action(closed)[3])


def frames_in_time(config: Config, folder: Path) -> bool:
    """Whether a camera delivers more than eight pictures in half a second."""
    arm = SimArm()
    arm.reset(0)
    board = Board.create(CONTEXT, {"front": (64, 64)})
    record = np.zeros((), ARM_STATE)
    record["at_ns"], record["scene"] = time.monotonic_ns(), arm.scene()
    board.arm.write(record)
    camera_main(FakeDesk([], lasting(0.5)), config, "front", board)  # type: ignore[arg-type]
    frame = board.frames["front"].read()
    assert frame is not None
    return int(frame[1]["number"]) > 8


# the station


def unattended(config: Config, folder: Path) -> Any:
    """What the station has the actor do when nobody holds the controls."""
    station, given = _station(config)
    station._start_asked.set()
    station._watch_lease(None)
    return [isinstance(order, Hold) and order.on for order in given]


def shown(config: Config, folder: Path) -> bool:
    """Whether consoles are told that they will see pictures."""
    return _station(config)[0].state.run.previews


def _station(config: Config) -> tuple[Station, list[Any]]:
    station = Station(config, Path("c.toml"), None, wait_for_start=False)
    given: list[Any] = []
    station._handles["actor"] = types.SimpleNamespace(give=given.append)  # type: ignore[assignment]
    station._fold(e.WorkerChanged("actor", e.WorkerState.RUNNING))
    return station, given


# datasets and metrics


def exported(config: Config, folder: Path) -> Any:
    """Files of the dataset that a recording leaves, and its tasks; what would go to the hub is only noted."""
    changes = {
        key: getattr(config.dataset, key) for key in ("task", "video", "root", "repo_id", "push_to_hub")
    }
    run = recording_run(folder, **changes)
    with Recording(run) as made:
        made.episode(0, 4)
    save(run)
    pushed: list[str] = []
    push, hub.push = hub.push, lambda root, repo_id: pushed.append(repo_id)  # type: ignore[assignment]
    try:
        finished(run)
    finally:
        hub.push = push
    import pyarrow.parquet as parquet

    tasks = parquet.read_table(next(dataset_folder(run.dataset).glob("meta/tasks.parquet"))).to_pylist()
    root = dataset_folder(run.dataset)
    return [str(root), pushed, [str(row) for row in tasks], len(list(root.glob("videos/*/*/*.mp4")))]


def replayed(config: Config, folder: Path) -> Any:
    """Actions of the episode that is replayed."""
    run = recording_run(folder)
    with Recording(run) as made:
        made.episode(0, 3)
        made.episode(1, 5)
    save(run)
    config = altered({"mode": "replay", "dataset.replay_episode": config.dataset.replay_episode}, run)
    return plain(ReplayPolicy(config)._actions)


def sent_to_wandb(config: Config, folder: Path) -> Any:
    """What Weights & Biases is opened with."""
    calls: list[dict[str, Any]] = []

    def init(**given: Any) -> Mock:
        calls.append(given)
        return Mock()

    fake = types.SimpleNamespace(init=init, Settings=dict)
    real = sys.modules.get("wandb")
    sys.modules["wandb"] = fake  # type: ignore[assignment]
    try:
        MetricsLog(config).close()
    finally:
        if real is None:
            del sys.modules["wandb"]
        else:
            sys.modules["wandb"] = real
    return [{key: value for key, value in call.items() if key != "config"} for call in calls]


WANDB = {"wandb.enable": True}
POINT = {
    **NO_ARM,
    "env.fps": 100.0,
    "env.processor.reset.control_time_s": 0.02,
    "env.processor.reset.reset_time_s": 0.0,
}
PERSON = (Operate(c.Intervene(on=True)), Collect(e.EpisodeKind.DEMONSTRATION, 0))
JOG = (*PERSON, None, Operate(c.Jog(c.Axis.X, 1)))
FAST_CAMERA = {"env.robot.cameras": {"front": {"type": "sim", "width": 64, "height": 64}}}
RECORD = {"mode": "record", "dataset.root": "{folder}/set", "dataset.repo_id": "kim/lift"}

EFFECTS: dict[str, Effect | Only] = {
    "schema_version": Only(2, 3),
    "run.name": Effect(("one", "two"), files),
    "run.directory": Effect(("{folder}/a", "{folder}/b"), files),
    "run.seed": Effect((1, 2), first_weights),
    "env.robot.cameras.<name>.fps": Effect((60.0, 10.0), frames_in_time, FAST_CAMERA),
    "env.teleop.jog_step": Effect((0.5, 0.25), acting(*JOG), POINT),  # type: ignore[arg-type]
    "env.processor.observation.display_cameras": Effect((True, False), shown),
    "env.processor.reset.reset_time_s": Effect((0.0, 60.0), acting(*PERSON), POINT),
    "mode": Effect((None, "record"), ordered(), {"dataset.repo_id": "kim/lift"}),
    "dataset.repo_id": Effect(("kim/lift", "kim/push"), exported, {**RECORD, "dataset.push_to_hub": True}),
    "dataset.task": Effect(("lift it", "push it"), exported, RECORD),
    "dataset.video": Effect((False, True), exported, RECORD),
    "dataset.root": Effect(("{folder}/set", "{folder}/other"), exported, RECORD),
    "dataset.num_episodes_to_record": Effect((5, 7), ordered(), RECORD),
    "dataset.start_on_motion": Effect((False, True), lambda config, _: repr(Rules.of(config)), RECORD),
    "dataset.replay_episode": Effect((0, 1), replayed, {**RECORD, "mode": "replay"}),
    "dataset.push_to_hub": Effect((False, True), exported, RECORD),
    "operator.scripted": Effect((True, False), waits_for),
    "operator.demonstrations": Effect((3, 4), ordered()),
    "operator.patience_steps": Effect((6, 9), patience),
    "operator.failures": Effect((0.0, 0.5), with_empty_jaws, RECORD),
    "operator.lost": Effect(("hold", "continue"), unattended),
    "policy.online_steps": Effect((1_000_000, 30), ordered(successes=5)),
    "wandb.enable": Effect((False, True), sent_to_wandb),
    "wandb.project": Effect(("one", "two"), sent_to_wandb, WANDB),
    "wandb.entity": Effect((None, "us"), sent_to_wandb, WANDB),
    "wandb.notes": Effect((None, "first try"), sent_to_wandb, WANDB),
    "wandb.run_id": Effect((None, "abc"), sent_to_wandb, WANDB),
    "wandb.mode": Effect(("online", "offline"), sent_to_wandb, WANDB),
    "evaluation.episodes": Effect((50, 20), ordered(successes=20), {"evaluation.start_at_success": 0.5}),
    "evaluation.checkpoint": Effect(("1", "2"), tried, {"mode": "evaluate"}),
    "evaluation.against": Effect((None, "2"), tried, {"mode": "evaluate", "evaluation.checkpoint": "1"}),
    "evaluation.go_on": Effect((False, True), goes_on, {"mode": "evaluate"}),
    "evaluation.start_at_success": Effect((0.5, 0.9), ordered(successes=14, failures=6)),
    "evaluation.start_after_episodes": Effect((0, 12), ordered(failures=14)),
}
