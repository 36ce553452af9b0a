"""The trained classifier in the actor: the pictures exactly as the policy sees them, one inference a step.

It runs in the actor's one thread, within the period: two cameras of 128x128 take a few milliseconds.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.config import Config
from workers.config.lines import KeyPath
from workers.processors.build import Pipelines
from workers.processors.errors import EnvironmentRefused
from workers.processors.features import IMAGES, pictures
from workers.processors.transition import Transition

PLACE: KeyPath = ("env", "processor", "reward_classifier", "pretrained_path")


class Judging(Protocol):
    """What is needed of a classifier; `workers.reward.model.RewardClassifier` is one."""

    def success_probability(self, images: Mapping[str, Tensor]) -> Tensor:
        """float32 [B], of pictures uint8 [B, H, W, 3] by camera."""
        ...


class TrainedRewardModel:
    """A classifier as the pipeline asks it: one observation at a time."""

    def __init__(self, classifier: Judging, cameras: tuple[str, ...], device: str = "cpu") -> None:
        self._classifier, self._cameras, self._device = classifier, cameras, device

    def success_probability(self, transition: Transition) -> float:
        views = {camera: transition.observation[IMAGES + camera][None] for camera in self._cameras}
        return self.of(views)

    def of(self, views: Mapping[str, NDArray[np.uint8]]) -> float:
        """The probability of one observation's pictures, uint8 [1, H, W, 3] by camera."""
        images = {camera: torch.from_numpy(view).to(self._device) for camera, view in views.items()}
        return float(self._classifier.success_probability(images)[0])


def load_reward_model(config: Config, pipelines: Pipelines) -> None:
    """Give the pipelines the classifier that the configuration names; nothing where it names none.

    Raises EnvironmentRefused, with a table of what differs, where it cannot be had or does not fit.
    """
    settings, step = config.env.processor.reward_classifier, pipelines.classifier
    if settings is None or step is None or settings.is_stand_in:
        return
    from workers.reward.checkpoint import load_classifier
    from workers.reward.errors import ClassifierError

    torch.set_num_threads(1)  # the actor has one core for all it does
    views = {name: view.shape[:2] for name, view in pictures(pipelines.stored).items()}
    sizes = {name: (height, width) for name, (height, width) in views.items()}
    try:
        classifier = load_classifier(settings.pretrained_path, sizes, device=config.device)
    except ClassifierError as error:
        raise EnvironmentRefused(PLACE, str(error)) from error
    step.model = model = TrainedRewardModel(classifier, tuple(sizes), config.device)
    # The first inference allocates and chooses its kernels: not in the middle of an episode.
    model.of({name: np.zeros((1, *size, 3), np.uint8) for name, size in sizes.items()})
