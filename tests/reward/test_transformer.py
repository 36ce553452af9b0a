"""A vision transformer as the encoder: a small one of chance, as Hugging Face's package writes it on the disk."""

import sys
from pathlib import Path

import pytest
import torch

from tests.reward.classifiers import CAMERAS, images
from tests.reward.scenes import Scene
from tests.reward.test_job import Training, pictures_of
from workers.config import ClassifierConfig
from workers.reward.architecture import architecture_of
from workers.reward.checkpoint import load_classifier, read_description, save_classifier
from workers.reward.errors import ClassifierError
from workers.reward.model import RewardClassifier

MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def test_without_the_package_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    config = ClassifierConfig(model_type="transformer", model_name="me/vit")
    with pytest.raises(ClassifierError, match=r'pip install "hilserl-tui\[transformer\]"'):
        RewardClassifier(architecture_of(config, CAMERAS), pretrained=True)


class TestWithThePackage:
    @pytest.fixture(scope="class")
    def published(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A model as the hub has them: description, weights, and what is done to pictures first."""
        transformers = pytest.importorskip("transformers", reason="transformers is not installed")
        torch.manual_seed(0)
        shape = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
        config = transformers.ViTConfig(image_size=48, patch_size=8, **shape)
        folder = tmp_path_factory.mktemp("vit")
        transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
        transformers.ViTImageProcessor(image_mean=MEAN, image_std=STD).save_pretrained(folder)
        return folder

    def config(self, published: Path, frozen: bool = True) -> ClassifierConfig:
        return ClassifierConfig(
            model_type="transformer", model_name=str(published), freeze_vision_encoder=frozen, hidden_dim=16
        )

    def test_what_it_says_is_the_same_after_it_was_saved_and_without_what_was_published(
        self, published: Path, tmp_path: Path
    ) -> None:
        made = RewardClassifier(architecture_of(self.config(published), CAMERAS), pretrained=True)
        assert made.architecture.input_size == (48, 48)
        assert made.architecture.image_mean["side"] == tuple(MEAN)
        assert made.architecture.image_std["front"] == tuple(STD)
        save_classifier(tmp_path / "saved", made)
        published.joinpath("model.safetensors").rename(tmp_path / "away")
        try:
            loaded = load_classifier(tmp_path / "saved", CAMERAS)
        finally:
            (tmp_path / "away").rename(published / "model.safetensors")
        seen = images()
        expected = made.success_probability(seen)
        assert expected.std() > 0
        torch.testing.assert_close(loaded.success_probability(seen), expected, atol=1e-5, rtol=0)

    @pytest.mark.parametrize("frozen", [True, False])
    def test_one_that_was_trained_and_loaded_says_the_same_of_one_picture_as_in_a_batch(
        self, published: Path, tmp_path: Path, frozen: bool
    ) -> None:
        root = Scene().record(tmp_path / "lift")
        changes = {"model_type": "transformer", "model_name": str(published), "freeze_vision_encoder": frozen}
        done = Training(tmp_path, root, latent_dim=256, max_epochs=15, **changes)
        loaded = done.classifier()
        known = read_description(done.folder).architecture
        assert known.transformer is not None and known.freeze_vision_encoder is frozen
        seen, _ = pictures_of(root)
        for row in range(0, 192, 48):
            one = {name: of[row : row + 1] for name, of in seen.items()}
            many = {name: of[row : row + 8] for name, of in seen.items()}
            torch.testing.assert_close(
                loaded.success_probability(one), loaded.success_probability(many)[:1], atol=1e-5, rtol=0
            )
        if not frozen:  # the tokens of one that knows nothing say little
            assert done.report.auc is not None and done.report.auc > 0.75

    def test_a_folder_without_a_model_is_told(self, published: Path, tmp_path: Path) -> None:
        with pytest.raises(ClassifierError, match="could not be fetched as a transformer"):
            RewardClassifier(architecture_of(self.config(tmp_path), CAMERAS), pretrained=True)
