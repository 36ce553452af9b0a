"""Effects of [reward_classifier]: what is looked at, the network, a short training, its report."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from msgspec.structs import replace

from tests.config.effect_tools import Effect
from tests.reward.scenes import Scene
from tests.reward.weights import resnet10_file
from workers.config import Config
from workers.model.classifier_events import ClassifierProgress, ClassifierReported
from workers.reward.checkpoint import load_classifier
from workers.reward.errors import ClassifierError
from workers.reward.job import train_classifier
from workers.reward.model import RewardClassifier
from workers.reward.sources import material

SIZES = {"front": (32, 32), "side": (32, 32)}
LITTLE = {"reward_classifier.least_frames": 2, "reward_classifier.max_epochs": 2}
THREE = {**LITTLE, "reward_classifier.num_classes": 3}


@cache
def scene(classes: int = 2) -> str:
    """A small dataset, drawn once."""
    folder = Path(tempfile.mkdtemp(prefix="hilserl-scene-"))
    outcomes = (True, False, True, True, False, True)
    if classes == 2:
        return str(Scene(outcomes, frames=10).record(folder / "two"))
    return str(
        Scene(outcomes, frames=10, rewards=lambda h: 2.0 if h > 0.5 else float(h > 0.1)).record(
            folder / "three"
        )
    )


@cache
def weights() -> str:
    return resnet10_file(Path(tempfile.mkdtemp(prefix="hilserl-weights-")))


def looked_at(config: Config, folder: Path) -> Any:
    """What there is to learn from, or why it is refused."""
    classes = config.reward_classifier.num_classes
    names = config.reward_classifier.datasets or [scene(classes)]
    try:
        found = material(config, names)
    except ClassifierError as error:
        return str(error)
    return [list(found.cameras), found.success_class, [source.name for source in found.sources]]


def trained(config: Config, folder: Path) -> Any:
    """Its weights and its report, after a short training; or why there is none."""
    events: list[ClassifierProgress] = []
    torch.set_num_threads(1)
    config = replace(config, reward_classifier=replace(config.reward_classifier, torch_threads=1))
    scenes = [scene(config.reward_classifier.num_classes)]
    report = train_classifier(config, scenes, folder / "it", events.append)  # type: ignore[arg-type]
    made = load_classifier(folder / "it", SIZES)
    rounded = [round(float(tensor.double().sum()), 9) for tensor in made.state_dict().values()]
    return [made.architecture.outputs, rounded, _told(report)]


def report_only(config: Config, folder: Path) -> Any:
    return trained(config, folder)[2]


def _told(report: ClassifierReported) -> Any:
    errors = [len(report.false_positives), len(report.false_negatives)]
    counts = report.at_half.frames
    held_out = counts.right_positive + counts.wrong_positive + counts.right_negative + counts.wrong_negative
    return [report.success_threshold, report.epochs, held_out, errors, report.asked_false_positive_rate]


def network(config: Config, folder: Path) -> Any:
    """Shapes of what is trained."""
    from workers.reward.architecture import architecture_of

    try:
        made = RewardClassifier(architecture_of(config.reward_classifier, SIZES), pretrained=True)
    except ClassifierError as error:
        return str(error)[:80]
    return {name: list(of.shape) for name, of in made.named_parameters() if of.requires_grad}


def from_file(config: Config, folder: Path) -> Any:
    """The same of weights in a file."""
    settings = replace(config.reward_classifier, model_name=weights())
    return network(replace(config, reward_classifier=settings), folder)


def threads(config: Config, folder: Path) -> int:
    train_classifier(config, [scene()], folder / "it", lambda _: None)
    used = torch.get_num_threads()
    torch.set_num_threads(1)
    return used


def told_of_labels(config: Config, folder: Path) -> list[str]:
    """What is said of a single frame that was marked wrongly."""
    root = Scene((True, False) * 3, frames=10, flipped={(1, 3)}).record(folder / "flipped")
    report = train_classifier(config, [str(root)], folder / "it", lambda _: None)
    return [words for words in report.warnings if "changes back at once" in words]


def on_device(config: Config, folder: Path) -> str:
    """Where it was trained, or that there is no such device."""
    try:
        return str(train_classifier(config, [scene()], folder / "it", lambda _: None).epochs)
    except ClassifierError as error:
        return str(error)


def _of(key: str, first: Any, second: Any, observe: Any = trained, **also: Any) -> tuple[str, Effect]:
    others = {**LITTLE, **{f"reward_classifier.{name}": value for name, value in also.items()}}
    others.pop(f"reward_classifier.{key}", None)
    return f"reward_classifier.{key}", Effect((first, second), observe, others)


STILL = {"learning_rate": 1e-12, "dropout_rate": 0.0, "max_epochs": 9}
EFFECTS = dict(
    [
        _of("datasets", [scene(2)], [scene(3)], looked_at),
        _of("cameras", [], ["side"], looked_at),
        _of("num_cameras", 2, 3, looked_at),
        _of("num_classes", 2, 3),
        _of("success_class", 1, 2, looked_at, num_classes=3),
        _of("least_frames", 2, 60, looked_at),
        _of("model_type", "cnn", "transformer", from_file),
        _of("model_name", "cnn", weights(), network),
        _of("freeze_vision_encoder", True, False, from_file),
        _of("hidden_dim", 8, 16, network),
        _of("latent_dim", 8, 16, network),
        _of("image_embedding_pooling_dim", 2, 4, network),
        _of("dropout_rate", 0.0, 0.5),
        _of("learning_rate", 1e-3, 1e-4),
        _of("weight_decay", 0.0, 0.5),
        _of("grad_clip_norm", 1.0, 0.001),
        _of("use_amp", False, True),
        _of("device", "cpu", "cuda", on_device),
        _of("torch_threads", 1, 2, threads),
        _of("batch_size", 8, 32),
        _of("max_epochs", 1, 2, report_only),
        _of("patience", 1, 4, report_only, **STILL),
        _of("held_out", 0.25, 0.5, report_only),
        _of("label_smoothing", 0.0, 0.2),
        _of("cross_check", True, False, told_of_labels),
        _of("random_shift_px", 0, 4),
        _of("colour_jitter", 0.0, 0.5),
        _of("random_patches", 0.0, 1.0),
        _of("false_positive_rate", 0.01, 0.5, report_only),
        _of("worst_errors", 1, 30, report_only),
    ]
)
