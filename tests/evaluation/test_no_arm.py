"""A policy of a Gymnasium environment, tried in it."""

import multiprocessing
from pathlib import Path

import torch

from tests.altered import altered
from tests.config.effect_tools import NO_ARM, FakeDesk, lasting, small
from workers.actor.loop import ActorLoop
from workers.evaluation.chosen import lay_ready
from workers.evaluation.schedule import schedule
from workers.learner.session import LearnerSession
from workers.model.events import Collected, EpisodeKind, EvaluationProgress, TrialEnded
from workers.model.orders import Collect
from workers.robot.board import Board
from workers.station.crew import crew


def test_a_gymnasium_environment_is_evaluated_too(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    trains = small(tmp_path, NO_ARM)
    session = LearnerSession(trains)
    session.publish()
    session.close()
    config = altered({"mode": "evaluate", "run.name": "it-evaluate", "env.fps": 50.0}, trains)
    assert not list(config.problems())
    config.run_dir.mkdir()
    (contestant,) = lay_ready(config)
    plan = schedule(1, 1, 0)[0]
    board = Board.create(multiprocessing.get_context("spawn"), {})
    desk = FakeDesk([Collect(EpisodeKind.EVALUATION, 1, trial=plan)], lasting(6.0))
    loop = ActorLoop(desk, config, board)  # type: ignore[arg-type]
    desk._going = lambda: not desk.mailbox.of(TrialEnded)
    loop.run()
    loop.close()
    (trial,) = desk.mailbox.of(TrialEnded)
    assert (trial.number, trial.seed, trial.digest) == (0, plan.seed, contestant.digest)
    assert not desk.mailbox.of(EvaluationProgress), "nobody waits for a learner's evaluation"
    assert desk.mailbox.of(Collected)[0].total == 1
    assert [spec.name for spec in crew(config, board)] == ["actor"]
