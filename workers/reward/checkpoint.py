"""A classifier on the disk: written at once, loaded by run and training alike, from a folder or the hub.

classifier.json                      architecture with preprocessing and cameras, threshold, where it comes from
classifier-<digest>.safetensors      weights that this JSON names; others are left over from a retraining

A folder of LeRobot's (`config.json` of type "reward_classifier") is loaded by the same function.
"""

import contextlib
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from workers.dataset.difference import Difference, as_table
from workers.dataset.durable import remove, write_whole
from workers.reward.architecture import Architecture, Size
from workers.reward.errors import ClassifierError, ClassifierMismatch
from workers.reward.hub import fetched
from workers.reward.model import RewardClassifier

FORMAT = 1
DESCRIPTION = "classifier.json"
LEROBOT = "config.json"


class Recommended(msgspec.Struct, frozen=True, kw_only=True):
    """The threshold that held-out episodes speak for."""

    success_threshold: float
    false_positive_rate: float
    """Of held-out frames without success, how many were at or above it."""
    asked_false_positive_rate: float
    true_positive_rate: float
    """Of held-out frames with success, how many were at or above it."""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset that it learned from."""

    dataset: str  # folder or hub id, as it was given
    digest: str  # of its pictures and rewards
    episodes: int
    frames: int
    positives: int


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of classifier.json."""

    format: int = FORMAT
    architecture: Architecture
    recommended: Recommended | None = None
    datasets: tuple[Trained, ...] = ()
    held_out: dict[str, float] = {}
    """Figures of the report: frame accuracy, precision, recall and so on."""
    versions: dict[str, str] = {}
    weights: str = ""
    """Name of the file of weights."""
    sha256: str = ""
    """Of that file, in hexadecimal."""


def save_classifier(
    folder: Path,
    classifier: RewardClassifier,
    recommended: Recommended | None = None,
    datasets: tuple[Trained, ...] = (),
    held_out: Mapping[str, float] | None = None,
) -> Description:
    """Write a classifier into `folder`; one that was there is replaced at once, by the change of its JSON.

    Raises ClassifierError where the disk refuses.
    """
    weights = save({name: part.detach().cpu().contiguous() for name, part in classifier.state_dict().items()})
    digest = sha256(weights).hexdigest()
    description = Description(
        architecture=classifier.architecture,
        recommended=recommended,
        datasets=datasets,
        held_out=dict(held_out or {}),
        versions={"hilserl-tui": version("hilserl-tui"), "torch": str(torch.__version__)},
        weights=f"classifier-{digest[:12]}.safetensors",
        sha256=digest,
    )
    try:
        write_whole(folder / description.weights, weights)
        write_whole(folder / DESCRIPTION, msgspec.json.format(msgspec.json.encode(description)))
    except OSError as error:
        raise ClassifierError(f"the classifier cannot be written to {folder}: {error.strerror}") from error
    remove(old for old in folder.glob("classifier-*.safetensors") if old.name != description.weights)
    return description


def load_classifier(
    path_or_hub_id: str | Path, cameras: Mapping[str, Size], device: torch.device | str = "cpu"
) -> RewardClassifier:
    """The classifier of a folder or of the hub, ours or LeRobot's, ready to judge.

    Args:
        cameras: names and sizes (height, width) of the pictures that it will be given; more than it looks at is fine.

    Raises ClassifierMismatch, whose text is a table, where these are not its cameras, ClassifierError for anything
    else.
    """
    folder = found(path_or_hub_id)
    classifier = read_classifier(folder)
    check_cameras(str(path_or_hub_id), classifier.architecture, cameras)
    classifier.to(device).eval().encoder.pack(*next(iter(classifier.architecture.cameras.values())))
    return classifier


def found(path_or_hub_id: str | Path) -> Path:
    """The folder of a classifier, fetched from the hub where it is none. Raises ClassifierError."""
    folder = Path(path_or_hub_id).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists() or not _may_be_hub_id(str(path_or_hub_id)):
        raise ClassifierError(
            f"there is no classifier in {folder}: it is no folder. `hilserl-worker train-classifier` makes one, in"
            " RUN/reward_classifier; or name one of the hub, user/name"
        )
    return fetched(str(path_or_hub_id))


def read_description(folder: Path) -> Description:
    """What is known of a classifier of ours. Raises ClassifierError."""
    path = folder / DESCRIPTION
    try:
        description = msgspec.json.decode(path.read_bytes(), type=Description)
    except FileNotFoundError as error:
        raise ClassifierError(
            f"there is no classifier in {folder}: it has neither {DESCRIPTION} nor a {LEROBOT} of LeRobot's reward"
            " classifier. Is the folder right, and was it copied to its end?"
        ) from error
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ClassifierError(f"{path} cannot be read: {error}") from error
    if description.format != FORMAT:
        raise ClassifierError(
            f"{path} has format {description.format}, this version reads {FORMAT}: train the classifier again, or"
            " install the hilserl-tui that made it"
        )
    return description


def is_lerobots(folder: Path) -> bool:
    """Whether a folder holds a classifier in LeRobot's layout, and none of ours."""
    with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
        settings = msgspec.json.decode((folder / LEROBOT).read_bytes())
        lerobots = isinstance(settings, dict) and settings.get("type") == "reward_classifier"
        return lerobots and not (folder / DESCRIPTION).exists()
    return False


def check_cameras(name: str, architecture: Architecture, cameras: Mapping[str, Size]) -> None:
    """Raises ClassifierMismatch where `cameras` are not those of the classifier `name`."""
    rows = []
    for camera, size in architecture.cameras.items():
        if camera not in cameras:
            others = ", ".join(cameras) or "none"
            advice = f"the cameras here are {others}: call one of them so, or train a classifier with these"
            rows.append(Difference(camera, "missing", _by(size), advice))
        elif tuple(cameras[camera]) != tuple(size):
            advice = "set env.processor.image_preprocessing as it was for the classifier, or train it with this one"
            rows.append(Difference(camera, _by(cameras[camera]), _by(size), advice))
    if rows:
        table = as_table(rows, "the classifier")
        raise ClassifierMismatch(
            f"the classifier {name} was trained with other pictures (height x width):\n{table}"
        )


def read_classifier(folder: Path) -> RewardClassifier:
    """The classifier of a folder, whatever its cameras. Raises ClassifierError."""
    if is_lerobots(folder):
        from workers.reward.lerobot_layout import import_lerobot

        return import_lerobot(folder)
    description = read_description(folder)
    path = folder / Path(description.weights).name  # never outside the folder, whatever the JSON says
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise ClassifierError(
            f"{path} cannot be read: {error.strerror}. Was {folder} copied to its end?"
        ) from error
    if sha256(weights).hexdigest() != description.sha256:
        raise ClassifierError(f"{path} is not what {DESCRIPTION} says: damaged, or exchanged. Copy it again")
    classifier = RewardClassifier(description.architecture)
    try:
        classifier.load_state_dict(load(weights))
    except (SafetensorError, RuntimeError, KeyError) as error:
        raise ClassifierError(
            f"{path} does not fit the network that {DESCRIPTION} describes: {error}"
        ) from error
    return classifier


def _may_be_hub_id(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith(("/", ".", "~"))


def _by(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
