"""Fitting a classifier: balanced batches, smoothed labels, an end when held-out episodes gain no more.

Both classes are drawn equally often, however rare success is, and held-out figures weigh them alike. Labels are
smoothed: a frame that contradicts all others costs a bounded loss and is not worth learning by heart.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from workers.config import ClassifierConfig
from workers.model.classifier_events import ClassifierProgress
from workers.reward.averaging import AveragedWeights
from workers.reward.errors import ClassifierError
from workers.reward.features import Features
from workers.reward.frames import Frames, Rows
from workers.reward.model import RewardClassifier

_TOLD_EVERY_S = 0.2
_MEASURED_AT_ONCE = 128
_MEASURED_FRAMES = 800  # at most, after every epoch
_EPOCH_FRAMES = 2048
"""At most: a large dataset is not measured less often than a small one."""
_GAIN = 1e-3
"""Of the held-out error: less is no reason to go on."""


@dataclass(frozen=True)
class Fitted:
    """How it went."""

    epochs: int
    best_epoch: int


class Held(NamedTuple):
    """Of held-out frames with believed labels."""

    loss: float
    """Both classes alike."""
    accuracy: float
    error: float
    """How far the labels' classes are from certain, [0, 1], both classes alike. It decides which weights are kept: the
    loss of one episode that it is fooled by, or whose label is wrong, grows with certainty, and would keep those of the
    first epochs. A mean absolute error is bounded (Ghosh et al. 2017)."""


class Fitting:
    """Trains `classifier`, whose weights are those of the best epoch in the end.

    Args:
        told: hears how it goes.
        stopping: asked after every epoch; true ends it there.
    """

    def __init__(
        self,
        classifier: RewardClassifier,
        frames: Frames,
        features: Features,
        config: ClassifierConfig,
        seed: int,
        told: Callable[[ClassifierProgress], None],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._classifier, self._features, self._config = classifier, features, config
        self._told, self._stopping = told, stopping
        self._device = next(classifier.parameters()).device
        self._classes = torch.from_numpy(frames.classes).to(self._device)
        self._train, self._held_out = frames.rows(held_out=False), _spread(frames.rows(held_out=True))
        self._by_class = [
            self._train[frames.classes[self._train] == kind] for kind in range(config.num_classes)
        ]
        self._rng = np.random.default_rng(seed)
        trained = [parameter for parameter in classifier.parameters() if parameter.requires_grad]
        self._optimiser = torch.optim.AdamW(
            trained, lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self._trained, self._mean = trained, AveragedWeights(classifier)
        self._steps = math.ceil(min(len(self._train), _EPOCH_FRAMES) / config.batch_size)
        self._began_s = self._told_s = time.monotonic()
        self._best: dict[str, Tensor] = {}
        self._best_epoch = 0
        self._epoch = 0
        self._held: Held | None = None
        self._loss = self._right = self._seen = 0.0

    def run(self) -> Fitted:
        """Train to the end. Raises ClassifierError where the loss gets lost."""
        best = gained = math.inf
        gained_at = 0
        while self._epoch < self._config.max_epochs:
            self._epoch += 1
            self._one_epoch()
            with self._mean.in_place():
                self._held = self._measured()
                if self._held.error < best:
                    best, self._best_epoch = self._held.error, self._epoch
                    self._best = copy.deepcopy(self._classifier.state_dict())
            if not math.isfinite(self._held.loss):
                raise ClassifierError(
                    "training got lost: the loss is no number any more. Lower reward_classifier.learning_rate"
                )
            if best < gained - _GAIN:
                gained, gained_at = best, self._epoch
            self._tell(self._steps, epoch_ended=True)
            if self._stopping() or self._epoch - gained_at >= self._config.patience:
                break
        self._classifier.load_state_dict(self._best)
        self._classifier.eval()
        return Fitted(self._epoch, self._best_epoch)

    def _one_epoch(self) -> None:
        self._classifier.train()
        self._loss = self._right = self._seen = 0.0
        for step, rows in enumerate(self._batches(), 1):
            classes = self._classes[rows]
            with self._mixed_precision():
                logits = self._classifier.judge(self._features(rows, altered=True))
                loss = self._losses(logits, classes).mean()
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._trained, self._config.grad_clip_norm)
            self._optimiser.step()
            self._mean.follow()
            self._loss += float(loss.detach()) * len(rows)
            self._right += float((_guess(logits.detach()) == classes).sum())
            self._seen += len(rows)
            if time.monotonic() - self._told_s > _TOLD_EVERY_S:
                self._tell(step)

    def _batches(self) -> Iterator[Rows]:
        """Rows of an epoch, each class as often as the others."""
        kinds = len(self._by_class)
        each = math.ceil(self._steps * self._config.batch_size / kinds)
        drawn = np.stack([self._repeated(rows, each) for rows in self._by_class], 1).reshape(-1)
        for step in range(self._steps):
            yield drawn[step * self._config.batch_size : (step + 1) * self._config.batch_size]

    def _repeated(self, rows: Rows, count: int) -> Rows:
        """`count` of `rows` in random order, all of them equally often to within one."""
        rounds = math.ceil(count / len(rows))
        return np.concatenate([self._rng.permutation(rows) for _ in range(rounds)])[:count]

    def _measured(self) -> Held:
        self._classifier.eval()
        losses, errors, right = [], [], 0
        with torch.no_grad():
            for start in range(0, len(self._held_out), _MEASURED_AT_ONCE):
                rows = self._held_out[start : start + _MEASURED_AT_ONCE]
                logits = self._classifier.judge(self._features(rows, altered=False)).float()
                classes = self._classes[rows]
                losses.append(self._losses(logits, classes))
                errors.append(1 - _certainty(logits, classes))
                right += int((_guess(logits) == classes).sum())
        held = self._classes[self._held_out]
        loss, error = (_alike(torch.cat(values), held) for values in (losses, errors))
        return Held(loss, right / len(held), error)

    def _losses(self, logits: Tensor, classes: Tensor) -> Tensor:
        """Cross entropy [B] with smoothed labels: with probability `label_smoothing` it is another class."""
        wrong, kinds = self._config.label_smoothing, self._config.num_classes
        if kinds == 2:
            targets = classes * (1 - 2 * wrong) + wrong
            return F.binary_cross_entropy_with_logits(logits.float(), targets, reduction="none")
        spread = wrong * kinds / (kinds - 1)  # torch spreads it over all classes, the right one among them
        return F.cross_entropy(logits.float(), classes, reduction="none", label_smoothing=spread)

    def _mixed_precision(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._config.use_amp)

    def _tell(self, step: int, epoch_ended: bool = False) -> None:
        self._told_s = time.monotonic()
        done = self._epoch - 1 + step / self._steps
        used = (self._told_s - self._began_s) / done
        self._told(
            ClassifierProgress(
                "training",
                epoch=self._epoch,
                max_epochs=self._config.max_epochs,
                step=step,
                steps=self._steps,
                loss=self._loss / self._seen,
                accuracy=self._right / self._seen,
                held_out_loss=None if self._held is None else self._held.loss,
                held_out_accuracy=None if self._held is None else self._held.accuracy,
                best_epoch=self._best_epoch,
                left_s=used * (self._config.max_epochs - done),
                epoch_ended=epoch_ended,
            )
        )


def _certainty(logits: Tensor, classes: Tensor) -> Tensor:
    """The probability [B] of these classes."""
    if logits.ndim == 1:
        return torch.where(classes == 1, logits, -logits).sigmoid()
    return logits.softmax(dim=1).gather(1, classes[:, None]).squeeze(1)


def _alike(values: Tensor, classes: Tensor) -> float:
    """The mean over classes of their means."""
    return float(torch.stack([values[classes == kind].mean() for kind in torch.unique(classes)]).mean())


def _spread(rows: Rows) -> Rows:
    """Every second, third, ... of them, where there are many: neighbours are nearly the same picture."""
    return rows[:: math.ceil(len(rows) / _MEASURED_FRAMES)]


def _guess(logits: Tensor) -> Tensor:
    """The likeliest class [B]."""
    return (logits > 0).long() if logits.ndim == 1 else logits.argmax(dim=1)
