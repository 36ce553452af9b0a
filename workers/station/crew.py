"""Which workers a run has, in which order they stop, and how patient the station is with each."""

from collections.abc import Mapping

from workers.actor.worker import main as actor_main
from workers.camera.worker import main as camera_main
from workers.config import Config
from workers.learner.worker import main as learner_main
from workers.robot.board import Board
from workers.robot.worker import main as robot_main
from workers.station.handle import WorkerHandle, WorkerSpec

LEARNER_NICE = 10  # on a small machine the control loop comes first
ACTOR_SILENT_S = 5.0
ENVIRONMENT_SILENT_S = 30.0  # a stranger's environment may take its time over a step or a reset


def crew(config: Config, board: Board) -> list[WorkerSpec]:
    """Specifications of every worker of a run; a Gymnasium environment lives in the actor, and only training learns."""
    learner = WorkerSpec("learner", learner_main, (config,), silent_limit_s=60.0, nice=LEARNER_NICE)
    if config.env.type == "gymnasium":
        actor = WorkerSpec("actor", actor_main, (config, board), silent_limit_s=ENVIRONMENT_SILENT_S)
        return [actor, learner]
    cameras = [
        WorkerSpec(f"camera-{name}", camera_main, (config, name, board), silent_limit_s=3.0)
        for name in config.env.cameras
    ]
    return [
        WorkerSpec("robot", robot_main, (config, board), silent_limit_s=1.0),
        *cameras,
        WorkerSpec("actor", actor_main, (config, board), silent_limit_s=ACTOR_SILENT_S),
        *([learner] if config.mode is None else []),
    ]


def stop_waves(handles: Mapping[str, WorkerHandle]) -> list[list[WorkerHandle]]:
    """Waves of an orderly stop: the actor completes its step; then the robot parks and the learner saves."""
    return [
        [handles["actor"]],
        [handle for name, handle in handles.items() if name != "actor"],
    ]
