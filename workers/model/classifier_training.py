"""A training of the reward classifier as a console sees it: its events, folded. Pure."""

import msgspec
from msgspec.structs import replace

from workers.model.classifier_events import (
    ClassifierEvent,
    ClassifierFailed,
    ClassifierProgress,
    ClassifierReported,
    ClassifierStarted,
)


class ClassifierTraining(msgspec.Struct, frozen=True):
    """What is known of the newest training; `report` or `failed` when it is over."""

    started: ClassifierStarted | None = None  # None while its data are looked at
    progress: ClassifierProgress | None = None
    curve: tuple[ClassifierProgress, ...] = ()  # one an epoch, oldest first
    report: ClassifierReported | None = None
    failed: str = ""

    @property
    def over(self) -> bool:
        return self.report is not None or bool(self.failed)


def followed(training: ClassifierTraining | None, event: ClassifierEvent) -> ClassifierTraining:
    """Fold one event; the first of a new training forgets the one before."""
    if training is None or training.over:
        training = ClassifierTraining()
    match event:
        case ClassifierStarted():
            return ClassifierTraining(started=event)
        case ClassifierProgress(epoch_ended=True):
            return replace(training, progress=event, curve=(*training.curve, event))
        case ClassifierProgress():
            return replace(training, progress=event)
        case ClassifierReported():
            return replace(training, report=event)
        case ClassifierFailed(reason):
            return replace(training, failed=reason)
