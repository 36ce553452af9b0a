"""A frozen encoder sees each frame a few times and no more; what is kept of it is never of something else."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.reward.scenes import Scene, config
from tests.reward.weights import resnet10_file
from workers.dataset.edit import relabel
from workers.reward import features
from workers.reward.architecture import architecture_of
from workers.reward.checkpoint import load_classifier, read_description
from workers.reward.features import FOLDER, VIEWS, features_of
from workers.reward.frames import Frames, read, spans_of
from workers.reward.job import train_classifier
from workers.reward.model import RewardClassifier
from workers.reward.sources import material

LITTLE = Scene(outcomes=(True, False, True, False), frames=8)


class Desk:
    """A dataset, and how often the encoder saw pictures of it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.root = folder, LITTLE.record(folder / "d")
        self.weights = resnet10_file(folder)
        self.encoded = 0
        before = RewardClassifier.features

        def counted(
            classifier: RewardClassifier, images: dict[str, torch.Tensor]
        ) -> tuple[torch.Tensor, ...]:
            self.encoded += len(images["front"])
            return before(classifier, images)

        monkeypatch.setattr(RewardClassifier, "features", counted)

    def made(self, **changes: object) -> tuple[RewardClassifier, Frames, features.Features]:
        settings = config(self.folder, model_name=self.weights, least_frames=2, **changes)
        found = material(settings, [str(self.root)])
        spans = spans_of(found, 0.25, settings.run.seed)
        frames = read(found, spans, self.folder, lambda *_: None)
        torch.manual_seed(0)
        classifier = RewardClassifier(
            architecture_of(settings.reward_classifier, found.cameras), pretrained=True
        )
        self.encoded = 0
        kept = features_of(
            classifier, frames, settings.reward_classifier, self.folder, settings.run.seed, lambda *_: None
        )
        return classifier, frames, kept


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    torch.set_num_threads(1)
    return Desk(tmp_path, monkeypatch)


def test_every_frame_is_encoded_once_a_view_and_never_again(desk: Desk) -> None:
    _, frames, kept = desk.made()
    once = desk.encoded
    assert once == VIEWS * len(frames) + 1, "and one to see the shape"
    for _ in range(5):
        kept(np.arange(len(frames)), altered=True)
    assert desk.encoded == once
    desk.made()
    assert desk.encoded == 1, "kept on the disk"


def test_what_is_kept_is_what_the_encoder_makes_of_a_frame(desk: Desk) -> None:
    classifier, frames, kept = desk.made()
    rows = np.array([3, 17, 30])
    for mine, expected in zip(
        kept(rows, altered=False), classifier.features(frames.images(rows)), strict=True
    ):
        torch.testing.assert_close(mine, expected, atol=2e-3, rtol=2e-3)
    altered = kept(rows, altered=True)
    assert (altered[0] - kept(rows, altered=False)[0]).abs().max() > 0.01


@pytest.mark.parametrize(
    ("change", "encoded_again"),
    [
        ({}, False),
        ({"learning_rate": 0.5, "label_smoothing": 0.0, "hidden_dim": 8}, False),
        ({"colour_jitter": 0.1}, True),
        ({"random_patches": 0.0}, True),
    ],
)
def test_it_is_encoded_again_where_anything_that_counts_has_changed(
    desk: Desk, change: dict[str, object], encoded_again: bool
) -> None:
    desk.made()
    desk.made(**change)
    assert (desk.encoded > 1) is encoded_again


def test_other_pictures_or_weights_are_encoded_and_the_old_ones_go(desk: Desk) -> None:
    desk.made()
    (before,) = (desk.folder / FOLDER).iterdir()
    desk.weights = resnet10_file(desk.folder, seed=1)
    desk.made()
    assert desk.encoded > 1
    (after,) = (desk.folder / FOLDER).iterdir()
    assert after != before
    desk.root = Scene(outcomes=(True, True, False), frames=12, seed=8).record(desk.folder / "e")
    desk.made()
    assert desk.encoded > 1


def test_new_labels_of_the_same_pictures_need_no_encoding(desk: Desk) -> None:
    desk.made()
    relabel(desk.root, [1], success=True, frames=(4, 8))
    _, frames, _ = desk.made()
    assert frames.classes[8 + 4 : 8 + 8].all()
    assert desk.encoded == 1


def test_half_a_file_is_not_taken_for_a_whole_one(desk: Desk) -> None:
    desk.made()
    (path,) = (desk.folder / FOLDER).iterdir()
    path.write_bytes(path.read_bytes()[:-2])
    desk.made()
    assert desk.encoded > 1


def test_a_frozen_resnet10_learns_and_its_weights_stay(tmp_path: Path) -> None:
    weights = resnet10_file(tmp_path)
    root = Scene(frames=16).record(tmp_path / "d")
    settings = config(tmp_path, model_name=weights, max_epochs=15)
    report = train_classifier(settings, [str(root)], tmp_path / "c", lambda _: None)
    assert report.recommended.frames.accuracy is not None
    assert report.recommended.frames.accuracy > 0.9
    loaded = load_classifier(tmp_path / "c", {"front": (32, 32), "side": (32, 32)})
    fresh = RewardClassifier(loaded.architecture, pretrained=True)
    for name, tensor in fresh.encoder.state_dict().items():
        torch.testing.assert_close(loaded.encoder.state_dict()[name], tensor)
    assert read_description(tmp_path / "c").architecture.model_name == weights
