"""Classifiers to and from stock LeRobot, whose backbone is a stand-in here: it would be downloaded."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import Tensor

from tests.reward.classifiers import classifier, images
from tests.reward.test_lerobot_layout import CAMERAS, FOR_LEROBOT, written
from workers.learner.backbones import ResNet10
from workers.reward.checkpoint import load_classifier
from workers.reward.lerobot_layout import lerobot_files
from workers.reward.model import RewardClassifier

lerobot = pytest.importorskip("lerobot", reason="lerobot is not installed")


def _policies_on_their_own() -> None:
    """`lerobot.policies` without its other policies, which want packages that only they need."""
    for name in ("lerobot.policies", "lerobot.policies.sac"):
        package = ModuleType(name)
        package.__path__ = [str(Path(lerobot.__file__).parents[1].joinpath(*name.split(".")))]
        sys.modules.setdefault(name, package)


try:  # its name since 0.6
    from lerobot.rewards.classifier.configuration_classifier import RewardClassifierConfig
    from lerobot.rewards.classifier.modeling_classifier import Classifier
    from lerobot.rewards.classifier.processor_classifier import make_classifier_processor
except ImportError:
    _policies_on_their_own()
    from lerobot.policies.sac.reward_model.configuration_classifier import RewardClassifierConfig
    from lerobot.policies.sac.reward_model.modeling_classifier import Classifier
    from lerobot.policies.sac.reward_model.processor_classifier import make_classifier_processor

from lerobot.configs.types import FeatureType, PolicyFeature  # noqa: E402
from lerobot.processor import PolicyProcessorPipeline  # noqa: E402


class PublishedResNet10(ResNet10):
    """What the hub's custom code builds: the same weights under the same names, and its way of giving the map."""

    config = SimpleNamespace(hidden_sizes=[64, 128, 256, 512])

    def __init__(self) -> None:
        super().__init__()
        for parameter in self.parameters():
            parameter.data = parameter.data.contiguous()

    def forward(self, pixels: Tensor) -> SimpleNamespace:  # type: ignore[override]
        return SimpleNamespace(last_hidden_state=self.maps(pixels))


@pytest.fixture(autouse=True)
def _backbone_without_a_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("transformers")
    module.AutoModel = SimpleNamespace(from_pretrained=lambda *_, **__: PublishedResNet10())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "transformers", module)


def as_floats(seen: dict[str, Tensor]) -> dict[str, Tensor]:
    """What LeRobot's dataset gives."""
    return {f"observation.images.{name}": of.permute(0, 3, 1, 2) / 255 for name, of in seen.items()}


def their_probabilities(model: Classifier, folder: Path, seen: dict[str, Tensor]) -> Tensor:
    """As its training computes them: through the processor that it saved."""
    processor = PolicyProcessorPipeline.from_pretrained(
        folder, config_filename="classifier_preprocessor.json"
    )
    batch = processor(as_floats(seen))
    with torch.no_grad():
        found: Tensor = model.predict([batch[key] for key in model.config.input_features]).probabilities
    return found


def made_there(folder: Path) -> tuple[Classifier, dict[str, Tensor]]:
    """One of its own, saved as its training saves it; and pictures."""
    torch.manual_seed(3)
    seen = images(4, CAMERAS)
    features = {key: PolicyFeature(FeatureType.VISUAL, (3, 128, 128)) for key in as_floats(seen)}
    rewards = {"next.reward": PolicyFeature(FeatureType.REWARD, (1,))}
    config = RewardClassifierConfig(
        hidden_dim=16,
        latent_dim=12,
        image_embedding_pooling_dim=3,
        input_features=features,
        output_features=rewards,
    )
    model = Classifier(config).eval()
    stats = {
        key: {
            "mean": torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1),
            "std": torch.tensor([0.2, 0.25, 0.3]).view(3, 1, 1),
        }
        for key in features
    }
    before, after = make_classifier_processor(config, dataset_stats=stats)
    model.save_pretrained(folder)
    before.save_pretrained(folder)
    after.save_pretrained(folder)
    return model, seen


def test_lerobot_loads_ours_whole_and_says_the_same(tmp_path: Path) -> None:
    ours, seen = classifier(FOR_LEROBOT, CAMERAS), images(4, CAMERAS)
    folder = written(tmp_path / "ours", lerobot_files(ours))
    theirs = Classifier.from_pretrained(folder, strict=True)
    expected = ours.success_probability(seen)
    torch.testing.assert_close(their_probabilities(theirs, folder, seen), expected, atol=1e-5, rtol=0)
    PolicyProcessorPipeline.from_pretrained(folder, config_filename="classifier_postprocessor.json")


def test_one_that_lerobot_saved_is_loaded_and_says_the_same(tmp_path: Path) -> None:
    model, seen = made_there(tmp_path / "theirs")
    loaded = load_classifier(tmp_path / "theirs", CAMERAS)
    expected = their_probabilities(model, tmp_path / "theirs", seen)
    assert expected.std() > 0
    torch.testing.assert_close(loaded.success_probability(seen), expected, atol=1e-5, rtol=0)


def test_there_and_back_through_lerobot_itself(tmp_path: Path) -> None:
    ours, seen = classifier(FOR_LEROBOT, CAMERAS), images(4, CAMERAS)
    folder = written(tmp_path / "ours", lerobot_files(ours))
    theirs = Classifier.from_pretrained(folder, strict=True)
    again = tmp_path / "again"
    theirs.save_pretrained(again)
    for name in ("classifier_preprocessor", "classifier_postprocessor"):
        PolicyProcessorPipeline.from_pretrained(folder, config_filename=f"{name}.json").save_pretrained(again)
    back: RewardClassifier = load_classifier(again, CAMERAS)
    torch.testing.assert_close(
        back.success_probability(seen), ours.success_probability(seen), atol=1e-6, rtol=0
    )
