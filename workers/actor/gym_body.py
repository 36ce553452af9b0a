"""GymBody: a Gymnasium environment as the actor's loop sees it, and its pictures as the consoles do."""

import logging
import time
from collections.abc import Callable, Mapping

from workers.actor.gym_env import gym_env
from workers.actor.gym_truth import truth_of
from workers.camera.previews import shrink
from workers.config import Config
from workers.model.events import Event, FramePreview
from workers.model.orders import Preview
from workers.processors.transition import Picture
from workers.robot.board import Board

BUSY_SHARE = 0.25  # of the actor's time that pictures for the consoles may take
log = logging.getLogger(__name__)


class GymBody:
    """The environment, the stop key that it must heed, and a window for whoever drives it.

    Raises EnvironmentRefused where the environment cannot be made, or does not fit the configuration.
    """

    def __init__(self, config: Config, board: Board, emit: Callable[[Event], None]) -> None:
        logging.getLogger().addFilter(_ours)
        self.env = gym_env(config, config.device, self.problem, truth_of(config.env))
        self._board = board
        self._window = Window(emit)
        self.env.on_observation = lambda: self._window.show(self.env.pictures, time.monotonic)

    def problem(self) -> str:
        """Why no step can be taken now, "" when one can."""
        read = self._board.word.read()
        stopped = read is not None and read[1]["stops"] > read[1]["clears"]
        return "stopped: stop key" if stopped else ""

    def preview(self, wanted: Preview) -> None:
        """Show the consoles small pictures from now on, as they want them."""
        self._window.wanted = wanted

    def warmth(self) -> str:
        """It has no servos of ours."""
        return ""

    def rest(self) -> None:
        """It has no rest pose."""

    def hold(self) -> None:
        """Nothing moves between two steps."""

    def seat(self, human: bool) -> None:
        """No device of an environment needs to know."""

    def close(self) -> None:
        self.env.close()


class Window:
    """Small pictures at the rate and size the consoles asked for, as long as they cost little time."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self.wanted = Preview(0, 0, 0.0)
        self._emit = emit
        self._next_s = 0.0
        self._broken = False

    def show(self, pictures: Callable[[], Mapping[str, Picture]], clock: Callable[[], float]) -> None:
        """Send the pictures if they are due; taking them may mean rendering them."""
        wanted, began_s = self.wanted, clock()
        if self._broken or wanted.width <= 0 or wanted.hz <= 0 or began_s < self._next_s:
            return
        try:
            for name, pixels in pictures().items():
                small = shrink(pixels, wanted.height, wanted.width)
                self._emit(FramePreview(name, small.shape[1], small.shape[0], small.tobytes(), began_s))
        except Exception as error:  # whatever a stranger's renderer raises: the run goes on without pictures
            self._broken = True
            log.warning("no pictures for the console, the environment cannot render: %s", error)
        self._next_s = began_s + max(1.0 / wanted.hz, (clock() - began_s) / BUSY_SHARE)


def _ours(record: logging.LogRecord) -> bool:
    """gym-hil tells the root logger of every reset; a stranger's warnings are let through, its chatter is not."""
    return record.levelno >= logging.WARNING
