"""Events of a training of the reward classifier: what it learns from, how it goes, what came of it.

`hilserl-worker train-classifier --frames` writes them to its standard output as frames of `workers.model.wire`, each
a `Batch`: `ClassifierProgress` while it looks at its data, `ClassifierStarted`, `ClassifierProgress` again, at the end
`ClassifierReported` or `ClassifierFailed`. The report is also in `report.json` beside the classifier (`REPORT`), for
whoever looks later.

Probabilities and rates are from 0 to 1; a frame is positive where it shows success.
"""

import msgspec

from workers.model.event import Event

REPORT = "report.json"
"""The `ClassifierReported` of a classifier, in its folder."""


class Labelled(msgspec.Struct, frozen=True):
    """Frames and episodes, by what their labels say."""

    episodes: int
    successes: int
    """Episodes with a positive frame."""
    positives: int
    negatives: int
    """Frames without success."""


class LearntDataset(msgspec.Struct, frozen=True):
    """One dataset that it learns from."""

    dataset: str
    """As it was named: a folder, or user/name on the hub."""
    root: str
    """Its folder here."""
    train: Labelled
    held_out: Labelled
    """Episodes that it is measured on and never learns from."""


class ClassifierStarted(Event, frozen=True):
    """Everything was looked at and fits; training begins."""

    folder: str
    """Where the classifier will be."""
    model: str
    """Its encoder: cnn, resnet10, or as it is called on the hub."""
    cameras: dict[str, tuple[int, int]]
    """Height and width of each camera's pictures, in pixels."""
    datasets: tuple[LearntDataset, ...]
    max_epochs: int
    advice: tuple[str, ...] = ()
    """What more data would be worth having, in words."""


class ClassifierProgress(Event, frozen=True):
    """How it goes: several times an epoch, and at the end of each."""

    stage: str
    """What it does now, in words: reading pictures, encoding pictures, cross-checking labels, training, measuring."""
    epoch: int = 0
    """Counted from 1; 0 before the first."""
    max_epochs: int = 0
    step: int = 0
    """Done of `steps`: updates of this epoch, or frames while reading, encoding and measuring."""
    steps: int = 0
    loss: float | None = None
    """Of training, over this epoch so far."""
    accuracy: float | None = None
    """Of training, over this epoch so far; share of the frames, at a threshold of 0.5."""
    held_out_loss: float | None = None
    """Of the last whole epoch; None before there is one."""
    held_out_accuracy: float | None = None
    """Of the last whole epoch, share of the frames at a threshold of 0.5."""
    best_epoch: int = 0
    """Whose weights would be kept now: the lowest held-out error; 0 before there is one."""
    left_s: float | None = None
    """Seconds that it will take at most; it may end earlier."""
    epoch_ended: bool = False
    """True once an epoch: the point of a curve."""


class Scores(msgspec.Struct, frozen=True):
    """How often the classifier is right at one threshold. A rate with nothing to count is None."""

    right_positive: int
    wrong_positive: int
    right_negative: int
    wrong_negative: int
    accuracy: float | None
    precision: float | None
    """Of what it calls success, how much is one."""
    recall: float | None
    """Of the successes, how many it finds; the true-positive rate."""
    false_positive_rate: float | None
    """Of what is no success, how much it calls one."""


class SweepRow(msgspec.Struct, frozen=True):
    """What a threshold would mean, on held-out episodes."""

    threshold: float
    frames: Scores
    episodes: Scores
    """By `votes` of `window` frames: what ends an episode in a run. See `ClassifierReported.votes`."""
    early: int
    """Successful episodes that it would end more than `window` frames before their first positive frame; each is
    one of `episodes.wrong_positive`."""
    delay_frames: float | None
    """Median frames from the first positive one to the decision, of the episodes that it gets right."""


class RocPoint(msgspec.Struct, frozen=True):
    threshold: float
    false_positive_rate: float
    true_positive_rate: float


class ReliabilityBin(msgspec.Struct, frozen=True):
    """Held-out frames whose probability is from `low` to `high`."""

    low: float
    high: float
    frames: int
    mean_probability: float
    successes: float
    """Share of them that are positive; as large as `mean_probability` of a classifier that can be believed."""


class WrongFrame(msgspec.Struct, frozen=True):
    """A frame that the classifier sees otherwise than its label: it is wrong, or the label is."""

    dataset: str
    root: str
    """Folder of the dataset, as `workers.dataset.edit` takes it."""
    episode: int
    frame: int
    """Of the episode, counted from 0."""
    probability: float
    """Of success, by the classifier."""
    label: int
    """1 success and 0 none; of more than two classes, the class."""
    held_out: bool
    """False of a frame that it learnt from."""
    pictures: dict[str, str] = {}
    """PNG file of each camera's picture, as the classifier sees it."""


class ClassifierReported(Event, frozen=True):
    """It is trained and on the disk, and this is how good it is, all on held-out episodes."""

    folder: str
    success_threshold: float
    """Recommended for env.processor.reward_classifier.success_threshold."""
    asked_false_positive_rate: float
    """reward_classifier.false_positive_rate: what the threshold is chosen for."""
    votes: int
    """Of env.processor.reward_classifier, or its defaults: an episode ends when `votes` of its last `window` frames
    are at or above the threshold."""
    window: int
    recommended: SweepRow
    """At `success_threshold`."""
    at_half: SweepRow
    """At 0.5, for comparison."""
    auc: float | None
    """Area under the ROC curve; None where held-out frames are all of one class."""
    roc: tuple[RocPoint, ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float
    """Expected calibration error (ECE): mean distance of probability and success over the bins, by their frames."""
    sweep: tuple[SweepRow, ...]
    false_positives: tuple[WrongFrame, ...]
    """Worst first: labelled as no success, and seen as one. Of training episodes too: their labels may be wrong."""
    false_negatives: tuple[WrongFrame, ...]
    """Worst first: labelled as success, and not seen as one."""
    epochs: int
    best_epoch: int
    seconds: float
    """What the training took."""
    sha256: str
    """Of the weights, in hexadecimal."""
    warnings: tuple[str, ...] = ()
    """What makes these figures less than they seem, in words: few held-out episodes, none without success."""


class ClassifierFailed(Event, frozen=True):
    """There is no classifier, and one that was there before still is."""

    reason: str
    """What happened, the likely cause and what to do; may have several lines and a table."""


ClassifierEvent = ClassifierStarted | ClassifierProgress | ClassifierReported | ClassifierFailed
