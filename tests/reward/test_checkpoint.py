"""A classifier that is kept is the one that is loaded; what does not fit is said in a table."""

from pathlib import Path

import msgspec
import pytest
import torch
from msgspec.structs import replace

from tests.reward.classifiers import CAMERAS, SMALL, classifier, images
from workers.config import ClassifierConfig
from workers.reward.checkpoint import (
    DESCRIPTION,
    Recommended,
    load_classifier,
    read_description,
    save_classifier,
)
from workers.reward.errors import ClassifierError, ClassifierMismatch

THREE_CLASSES = replace(SMALL, num_classes=3, success_class=1)
RESNET = replace(SMALL, model_name="resnet10")


@pytest.mark.parametrize("config", [SMALL, THREE_CLASSES, RESNET], ids=["cnn", "three classes", "resnet10"])
def test_what_is_loaded_gives_the_same_probability(tmp_path: Path, config: ClassifierConfig) -> None:
    made, seen = classifier(config), images()
    save_classifier(tmp_path, made)
    loaded = load_classifier(tmp_path, CAMERAS)
    expected = made.success_probability(seen)
    assert expected.shape == (4,) and expected.std() > 0
    torch.testing.assert_close(loaded.success_probability(seen), expected, atol=1e-6, rtol=0)


def test_a_frozen_resnet_is_laid_out_for_judging_and_is_no_part_of_the_weights(tmp_path: Path) -> None:
    made = classifier(RESNET)
    save_classifier(tmp_path, made)
    loaded = load_classifier(tmp_path, CAMERAS)
    assert loaded.encoder.packed is not None
    assert loaded.state_dict().keys() == made.state_dict().keys()
    save_classifier(tmp_path, classifier(replace(RESNET, freeze_vision_encoder=False)))
    assert load_classifier(tmp_path, CAMERAS).encoder.packed is None


def test_one_picture_at_a_time_is_judged_as_in_a_batch(tmp_path: Path) -> None:
    save_classifier(tmp_path, classifier())
    loaded, seen = load_classifier(tmp_path, CAMERAS), images()
    alone = [
        loaded.success_probability({camera: of[[number]] for camera, of in seen.items()})
        for number in range(4)
    ]
    torch.testing.assert_close(torch.cat(alone), loaded.success_probability(seen), atol=1e-5, rtol=0)


def test_a_network_in_training_judges_without_dropout_and_goes_on_training() -> None:
    made, seen = classifier(replace(SMALL, dropout_rate=0.9)).train(), images()
    assert torch.equal(made.success_probability(seen), made.success_probability(seen))
    assert made.training


def test_success_of_several_classes_is_the_one_that_is_named() -> None:
    made, seen = classifier(THREE_CLASSES).eval(), images()
    logits = made(seen)
    assert logits.shape == (4, 3)
    torch.testing.assert_close(made.success_probability(seen), logits.softmax(1)[:, 1])
    assert classifier(replace(SMALL, num_classes=3)).architecture.success_class == 2


def test_other_cameras_are_refused_in_a_table(tmp_path: Path) -> None:
    save_classifier(tmp_path, classifier())
    with pytest.raises(ClassifierMismatch) as caught:
        load_classifier(tmp_path, {"front": (64, 48), "wrist": (32, 32)})
    lines = [line.split() for line in str(caught.value).splitlines()]
    assert ["front", "64x48", "32x32"] in lines
    assert ["side", "missing", "32x32"] in lines
    assert "front, wrist" in str(caught.value)


def test_a_camera_more_is_fine_and_changes_nothing(tmp_path: Path) -> None:
    made, seen = classifier(), images()
    save_classifier(tmp_path, made)
    loaded = load_classifier(tmp_path, {"wrist": (8, 8), **CAMERAS})
    more = {"wrist": torch.zeros(4, 8, 8, 3, dtype=torch.uint8), **seen}
    torch.testing.assert_close(loaded.success_probability(more), made.success_probability(seen))


def test_training_again_replaces_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    save_classifier(tmp_path, classifier(seed=1))
    second = classifier(seed=2)
    save_classifier(tmp_path, second)
    assert len(list(tmp_path.iterdir())) == 2
    seen = images()
    loaded = load_classifier(tmp_path, CAMERAS)
    torch.testing.assert_close(loaded.success_probability(seen), second.success_probability(seen))


def test_weights_without_their_json_are_those_of_before(tmp_path: Path) -> None:
    """As a kill between the two files leaves it."""
    first = classifier(seed=1)
    save_classifier(tmp_path, first)
    before = (tmp_path / DESCRIPTION).read_bytes()
    kept = {path: path.read_bytes() for path in tmp_path.glob("*.safetensors")}
    save_classifier(tmp_path, classifier(seed=2))
    (tmp_path / DESCRIPTION).write_bytes(before)
    for path, content in kept.items():
        path.write_bytes(content)
    seen = images()
    loaded = load_classifier(tmp_path, CAMERAS)
    torch.testing.assert_close(loaded.success_probability(seen), first.success_probability(seen))


def test_the_threshold_and_what_it_rests_on_are_kept(tmp_path: Path) -> None:
    chosen = Recommended(
        success_threshold=0.7,
        false_positive_rate=0.005,
        asked_false_positive_rate=0.01,
        true_positive_rate=0.99,
    )
    save_classifier(tmp_path, classifier(), chosen, held_out={"accuracy": 0.98})
    description = read_description(tmp_path)
    assert (description.recommended, description.held_out) == (chosen, {"accuracy": 0.98})
    assert description.architecture.cameras == CAMERAS


def test_damaged_weights_are_found_out(tmp_path: Path) -> None:
    description = save_classifier(tmp_path, classifier())
    path = tmp_path / description.weights
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ClassifierError, match="damaged, or exchanged"):
        load_classifier(tmp_path, CAMERAS)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"format": 1}', b"\xff", None])
def test_a_json_that_is_none_is_an_error_for_people(tmp_path: Path, content: bytes | None) -> None:
    save_classifier(tmp_path, classifier())
    if content is None:
        (tmp_path / DESCRIPTION).unlink()
    else:
        (tmp_path / DESCRIPTION).write_bytes(content)
    with pytest.raises(ClassifierError, match="classifier"):
        load_classifier(tmp_path, CAMERAS)


def test_another_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    description = save_classifier(tmp_path, classifier())
    later = replace(description, format=99)
    (tmp_path / DESCRIPTION).write_bytes(msgspec.json.encode(later))
    with pytest.raises(ClassifierError, match="format 99, this version reads 1"):
        load_classifier(tmp_path, CAMERAS)


def test_weights_of_another_folder_are_not_reached(tmp_path: Path) -> None:
    description = save_classifier(tmp_path / "there", classifier())
    (tmp_path / "here").mkdir()
    sneaky = replace(description, weights=f"../there/{description.weights}")
    (tmp_path / "here" / DESCRIPTION).write_bytes(msgspec.json.encode(sneaky))
    with pytest.raises(ClassifierError, match="cannot be read"):
        load_classifier(tmp_path / "here", CAMERAS)


def test_a_folder_that_is_not_there_is_told_and_a_hub_that_is_away_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ClassifierError, match="it is no folder"):
        load_classifier(tmp_path / "nothing", CAMERAS)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    def away(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr("workers.reward.hub.HfApi.snapshot_download", away)
    with pytest.raises(ClassifierError, match="Check the name, the network"):
        load_classifier("somebody/reward", CAMERAS)
