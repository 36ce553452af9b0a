"""ReplayPolicy: a recorded episode in the place of a policy, and how far from the recording the arm went."""

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from workers.config import Config
from workers.dataset.errors import DatasetError
from workers.dataset.layout import Info, dataset_folder, read_info
from workers.dataset.read import RecordedEpisode, read_episode
from workers.dataset.units import looks_scaled
from workers.model.events import REPLAYED
from workers.processors.features import STATE
from workers.processors.scaling import unscaled_joints
from workers.robot.build import kinematics_of
from workers.robot.figures import JOINT_NAMES, Floats
from workers.robot.kinematics import Kinematics
from workers.runtime.harness import WorkerFailure

_POSITIONS = tuple(f"{joint}.pos" for joint in JOINT_NAMES)
log = logging.getLogger(__name__)


class ReplayPolicy:
    """Gives the actions of `dataset.replay_episode`, one a step; nothing is learned, so that nothing is swapped.

    The episode's time limit is its number of actions (`workers.dataset.jobs`). After the last action it says how
    far the tool was from where it was recorded. Raises WorkerFailure when the dataset cannot be read.
    """

    version = 1  # it always has something to drive with

    def __init__(self, config: Config) -> None:
        folder, number = dataset_folder(config.dataset), config.dataset.replay_episode
        assert number is not None, "the configuration has it where there is something to replay"
        try:
            info = read_info(folder)
            if info is None:
                raise DatasetError(f"there is no dataset in {folder} any more")
            episode = read_episode(folder, info, number)
        except DatasetError as error:
            raise WorkerFailure(str(error)) from error
        self._actions = episode.actions
        self._kinematics = kinematics_of(config)
        self._way = ToolWay(self._kinematics, _recorded_joints(info, episode))
        self._next = 0
        self.pinned = False

    def offer(self, version: int) -> None:
        """Nothing is waited for."""

    def swap(self) -> None:
        """Between episodes: the next one begins at the first action."""
        self._next = 0
        self._way.begin()

    def act(self, observation: Mapping[str, Tensor], deterministic: bool) -> NDArray[np.float32]:
        """The next action, float32 [action_dim]. `observation` has `observation.state` float32 [1, N]."""
        action: NDArray[np.float32] = self._actions[self._next].copy()
        scaled = observation[STATE][0, : len(_POSITIONS)].cpu().numpy()
        self._way.reach(unscaled_joints(scaled.astype(np.float64), self._kinematics.joints))
        self._next += 1
        if self._next == len(self._actions):
            log.info("all %d %s%s", self._next, REPLAYED, self._way.report())
        return action


class ToolWay:
    """The way of the tool beside a recorded one, step by step."""

    def __init__(self, kinematics: Kinematics, recorded: NDArray[np.float32] | None) -> None:
        """`recorded` [n, 6]: joint positions in degrees, gripper in percent; None when there are none."""
        self._kinematics = kinematics
        self._recorded_m = None if recorded is None else [self._tool(joints) for joints in recorded]
        self._apart_m: list[float] = []

    def begin(self) -> None:
        """Start again at the first step."""
        self._apart_m.clear()

    def reach(self, joints: Floats) -> None:
        """Note the joint positions [6] of the next step, in degrees and percent."""
        if self._recorded_m is not None:
            recorded = self._recorded_m[len(self._apart_m)]
            self._apart_m.append(float(np.linalg.norm(self._tool(joints) - recorded)))

    def report(self) -> str:
        """How far apart the two are, in words."""
        if not self._apart_m:
            return "the dataset has no joint positions of this kind to compare the way of the tool with"
        mean, most = 1e3 * np.mean(self._apart_m), 1e3 * np.max(self._apart_m)
        return f"the tool was {mean:.1f} mm from the recorded way on average, {most:.1f} mm at most"

    def _tool(self, joints: NDArray[np.floating]) -> Floats:
        return self._kinematics.position(joints.astype(np.float64))


def _recorded_joints(info: Info, episode: RecordedEpisode) -> NDArray[np.float32] | None:
    """The recorded joint positions [n, 6] in degrees and percent, where the state begins with them."""
    names = info.features[STATE].names if STATE in info.features else None
    if episode.states is None or names is None or tuple(names)[: len(_POSITIONS)] != _POSITIONS:
        return None
    positions = episode.states[:, : len(_POSITIONS)]
    return None if looks_scaled(positions) else positions
