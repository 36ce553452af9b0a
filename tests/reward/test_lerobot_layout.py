"""LeRobot's layout: its names, shapes and numbers, there and back, and what it cannot express."""

import json
from pathlib import Path

import msgspec
import pytest
import torch
from msgspec.structs import replace
from safetensors.torch import load, save_file

from tests.reward.classifiers import classifier, images
from tests.reward.lerobot_arithmetic import STATE, their_logits
from workers.config import ClassifierConfig
from workers.reward.checkpoint import is_lerobots, load_classifier, read_description
from workers.reward.errors import ClassifierError, ClassifierMismatch
from workers.reward.exporting import export
from workers.reward.lerobot_layout import lerobot_files, obstacles

CAMERAS = {"front": (128, 128), "wrist": (128, 128)}
FOR_LEROBOT = ClassifierConfig(
    model_name="resnet10", hidden_dim=16, latent_dim=12, image_embedding_pooling_dim=3
)


@pytest.fixture(scope="module")
def theirs() -> dict[str, bytes]:
    """A classifier's files as LeRobot has them."""
    return lerobot_files(classifier(FOR_LEROBOT, CAMERAS))


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_lerobots_arithmetic_gives_the_same_logits() -> None:
    made, seen = classifier(FOR_LEROBOT, CAMERAS).eval(), images(3, CAMERAS)
    with torch.no_grad():
        expected = made(seen)
    assert expected.std() > 0
    torch.testing.assert_close(their_logits(lerobot_files(made), seen), expected, atol=1e-5, rtol=1e-5)


def test_names_and_shapes_are_those_that_lerobot_saves() -> None:
    config = ClassifierConfig(model_name="resnet10")
    files = lerobot_files(classifier(config, CAMERAS))
    weights = load(files["model.safetensors"])
    shapes = {
        name: tuple(tensor.shape) for name, tensor in weights.items() if not name.startswith("encoder.")
    }
    expected: dict[str, tuple[int, ...]] = {}
    for camera in CAMERAS:
        at = f"encoders.observation_images_{camera}"
        expected |= {f"{at}.1.kernel": (512, 4, 4, 8), f"{at}.3.weight": (256, 4096), f"{at}.3.bias": (256,)}
        expected |= {f"{at}.4.weight": (256,), f"{at}.4.bias": (256,)}
    for layer, shape in ((0, (256, 512)), (2, (256,)), (4, (1, 256))):
        expected |= {f"classifier_head.{layer}.weight": shape, f"classifier_head.{layer}.bias": shape[:1]}
    assert shapes == expected
    settings = json.loads(files["config.json"])
    assert (settings["type"], settings["num_cameras"], settings["num_classes"]) == ("reward_classifier", 2, 2)
    assert settings["normalization_mapping"] == {"VISUAL": "MEAN_STD"}


@pytest.mark.parametrize("config", [FOR_LEROBOT, replace(FOR_LEROBOT, num_classes=3)])
def test_there_and_back_it_says_the_same(tmp_path: Path, config: ClassifierConfig) -> None:
    made, seen = classifier(config, CAMERAS), images(3, CAMERAS)
    folder = written(tmp_path / "theirs", lerobot_files(made))
    assert is_lerobots(folder)
    back = load_classifier(folder, CAMERAS)
    torch.testing.assert_close(
        back.success_probability(seen), made.success_probability(seen), atol=1e-6, rtol=0
    )


def test_one_of_theirs_keeps_the_normalisation_that_it_was_trained_with(
    tmp_path: Path, theirs: dict[str, bytes]
) -> None:
    """LeRobot's own run time leaves it out (L6)."""
    folder = written(tmp_path / "theirs", theirs)
    other = {
        f"observation.images.{camera}.{name}": torch.full((3, 1, 1), value)
        for camera in CAMERAS
        for name, value in (("mean", 0.3), ("std", 0.15))
    }
    save_file(other, folder / STATE)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    loaded, seen = load_classifier(folder, CAMERAS), images(2, CAMERAS)
    with torch.no_grad():
        torch.testing.assert_close(loaded(seen), their_logits(files, seen), atol=1e-5, rtol=1e-5)
    export(str(folder), tmp_path / "ours", "hilserl")
    ours = load_classifier(tmp_path / "ours", CAMERAS)
    torch.testing.assert_close(ours.success_probability(seen), loaded.success_probability(seen))
    assert read_description(tmp_path / "ours").recommended is None


def test_a_shared_encoder_may_be_saved_under_any_of_its_names(tmp_path: Path) -> None:
    made = classifier(FOR_LEROBOT, CAMERAS)
    folder = written(tmp_path / "theirs", lerobot_files(made))
    weights = load((folder / "model.safetensors").read_bytes())
    renamed = {
        (
            f"encoders.observation_images_front.0.{name.removeprefix('encoder.')}"
            if name.startswith("encoder.")
            else name
        ): of
        for name, of in weights.items()
    }
    save_file(renamed, folder / "model.safetensors")
    seen = images(2, CAMERAS)
    torch.testing.assert_close(
        load_classifier(folder, CAMERAS).success_probability(seen), made.success_probability(seen)
    )


def test_its_cameras_are_held_to_as_ours_are(tmp_path: Path, theirs: dict[str, bytes]) -> None:
    folder = written(tmp_path / "theirs", theirs)
    with pytest.raises(ClassifierMismatch, match="wrist"):
        load_classifier(folder, {"front": (128, 128)})


def test_what_lerobot_has_no_network_for_is_named_with_what_would_do(tmp_path: Path) -> None:
    small = classifier(replace(FOR_LEROBOT, model_name="cnn"), {"front": (64, 64)})
    assert obstacles(small) == [
        'reward_classifier.model_name = "resnet10"',
        "pictures of 97 to 128 pixels each way, not 64x64 of front",
    ]
    with pytest.raises(ClassifierError, match='model_name = "resnet10"'):
        lerobot_files(small)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b'{"type": "reward_classifier"}'),
        ("model.safetensors", b"nothing"),
        ("classifier_preprocessor.json", b"{}"),
        (STATE, None),
    ],
)
def test_a_damaged_one_is_an_error_for_people(
    tmp_path: Path, name: str, content: bytes | None, theirs: dict[str, bytes]
) -> None:
    folder = written(tmp_path / "theirs", theirs)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(ClassifierError, match="Was it copied to its end"):
        load_classifier(folder, CAMERAS)


def test_a_network_of_theirs_that_is_none_of_ours_is_refused(
    tmp_path: Path, theirs: dict[str, bytes]
) -> None:
    folder = written(tmp_path / "theirs", theirs)
    weights = load((folder / "model.safetensors").read_bytes())
    del weights["encoder.embedder.0.weight"]
    save_file(weights, folder / "model.safetensors")
    settings = msgspec.json.decode((folder / "config.json").read_bytes())
    settings["model_name"] = "microsoft/resnet-18"
    (folder / "config.json").write_bytes(msgspec.json.encode(settings))
    with pytest.raises(ClassifierError, match="microsoft/resnet-18, of which this program has no"):
        load_classifier(folder, CAMERAS)


def test_export_writes_over_nothing(tmp_path: Path, theirs: dict[str, bytes]) -> None:
    folder = written(tmp_path / "theirs", theirs)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    with pytest.raises(ClassifierError, match="is there already"):
        export(str(folder), tmp_path / "there", "hilserl")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["mine.txt"]
