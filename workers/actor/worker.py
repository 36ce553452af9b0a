"""Actor worker: episodes in real time, as the station orders them."""

from workers.config import Config
from workers.robot.board import Board
from workers.runtime.harness import Desk, WorkerFailure


def main(desk: Desk, config: Config, board: Board) -> None:
    """Run episodes until told to quit.

    Raises WorkerFailure when the log belongs to another configuration, or the environment cannot be used.
    """
    from workers.actor.loop import ActorLoop
    from workers.processors.errors import EnvironmentRefused
    from workers.transport.log import LogError

    try:
        loop = ActorLoop(desk, config, board)
        try:
            loop.run()
        finally:
            loop.close()
    except (LogError, EnvironmentRefused) as error:
        raise WorkerFailure(str(error)) from error
