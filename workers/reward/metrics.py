"""Metrics of a training: JSON lines beside the classifier, complete; Weights & Biases beside them when enabled."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from workers.config import Config
from workers.dataset.durable import remove
from workers.learner.metric_names import CLASSIFIER_AXIS, CLASSIFIER_PREFIX
from workers.learner.metrics import METRICS_NAME, MetricLines
from workers.learner.wandb_sink import WandbSink
from workers.model.classifier_events import ClassifierProgress


class ClassifierMetrics:
    """One line an epoch and one of the report, in `metrics.jsonl`; those of the training before are gone.

    In wandb, they are in a run of the same name as the policy's, as `classifier/...`.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        remove([folder / METRICS_NAME])
        self._lines = MetricLines(folder / METRICS_NAME)
        self._wandb = None
        if config.wandb.enable:
            config.run_dir.mkdir(parents=True, exist_ok=True)
            self._wandb = WandbSink(config)
        self._epochs = 0

    def __enter__(self) -> "ClassifierMetrics":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._lines.close()
        if self._wandb is not None:
            self._wandb.close()

    def progress(self, event: ClassifierProgress) -> None:
        """A line where an epoch has ended."""
        if not event.epoch_ended:
            return
        self._epochs = event.epoch
        given = {
            "loss": event.loss,
            "accuracy": event.accuracy,
            "held_out_loss": event.held_out_loss,
            "held_out_accuracy": event.held_out_accuracy,
        }
        self._write({name: value for name, value in given.items() if value is not None})

    def report(self, figures: Mapping[str, float]) -> None:
        """The figures of the finished classifier."""
        self._write({f"report_{name}": value for name, value in figures.items()})

    def _write(self, figures: Mapping[str, float]) -> None:
        line = {CLASSIFIER_AXIS.removeprefix(CLASSIFIER_PREFIX): self._epochs, **figures}
        self._lines.append(line)
        if self._wandb is not None:
            self._wandb.put({CLASSIFIER_PREFIX + name: value for name, value in line.items()})
