"""What cannot be learned from is refused before anything starts, in a table."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.reward.scenes import Scene, config
from workers.dataset import fetch
from workers.dataset.errors import DatasetError
from workers.reward.errors import ClassifierError
from workers.reward.sources import advice, material


def refusal(folder: Path, *names: Path | str, **changes: Any) -> str:
    with pytest.raises(ClassifierError) as caught:
        material(config(folder, **changes), [str(name) for name in names])
    return str(caught.value)


def row(text: str, name: str) -> list[str]:
    """The cells of a table's row."""
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_labels_are_read_and_success_is_a_reward_above_nothing(tmp_path: Path) -> None:
    root = Scene(outcomes=(True, False, True), rewards=lambda height: 0.7 if height > 0.5 else -0.02).record(
        tmp_path / "d"
    )
    found = material(config(tmp_path, least_frames=2), [str(root)])
    assert [bool(of.classes.any()) for of in found.sources[0].episodes] == [True, False, True]
    assert found.cameras == {"front": (32, 32), "side": (32, 32)}


def test_where_no_dataset_is_named_at_all_it_says_where_one_is(tmp_path: Path) -> None:
    assert "reward_classifier.datasets or dataset.root" in refusal(tmp_path)


def test_without_a_name_it_is_the_dataset_of_the_configuration(tmp_path: Path) -> None:
    root = Scene(outcomes=(True, True)).record(tmp_path / "d")
    assert material(config(tmp_path, datasets=[str(root)])).sources[0].root == root


def test_one_class_only_is_refused_with_the_counts(tmp_path: Path) -> None:
    root = Scene(outcomes=(False, False)).record(tmp_path / "d")
    text = refusal(tmp_path, root)
    assert row(text, str(root)) == [str(root), "2", "48", "0"]
    assert "terminate_on_success = false" in text
    assert "0 of 2 episodes have a success" in text


def test_a_few_pictures_are_refused(tmp_path: Path) -> None:
    one, other = Scene(outcomes=(True,), frames=3), Scene(outcomes=(True,), frames=4)
    roots = one.record(tmp_path / "a"), other.record(tmp_path / "b")
    text = refusal(tmp_path, *roots)
    assert row(text, "all")[1] == "2"
    assert "20 frames of each class are the least" in text


def test_cameras_that_the_dataset_lacks_are_in_the_table(tmp_path: Path) -> None:
    root = Scene(outcomes=(True, True), cameras=("front", "wrist")).record(tmp_path / "d")
    text = refusal(tmp_path, root)
    assert row(text, "observation.images.side")[1:] == ["32x32", "picture", "missing"]
    assert "front, wrist" in text
    assert "observation.images.front" not in text.replace("it has", ""), "only what differs is listed"


def test_every_dataset_that_does_not_fit_has_its_table(tmp_path: Path) -> None:
    fine = Scene(outcomes=(True, True)).record(tmp_path / "fine")
    wrong = Scene(outcomes=(True, True), cameras=("wrist",)).record(tmp_path / "wrong")
    text = refusal(tmp_path, fine, wrong)
    assert f"{wrong} does not fit" in text and f"{fine} does not fit" not in text


def test_pictures_that_the_run_would_resize_are_resized(tmp_path: Path) -> None:
    root = Scene(outcomes=(True, True), size=48).record(tmp_path / "d")
    found = material(config(tmp_path, least_frames=2), [str(root)])
    picture = next(found.sources[0].dataset.pictures(0, "observation.images.front"))
    assert found.sources[0].fit("front", picture).shape == (32, 32, 3)


def test_cameras_and_their_number_are_those_of_the_configuration(tmp_path: Path) -> None:
    root = Scene(outcomes=(True, True)).record(tmp_path / "d")
    assert list(material(config(tmp_path, cameras=["side"]), [str(root)]).cameras) == ["side"]
    assert "which are front, side" in refusal(tmp_path, root, cameras=["wrist"])
    assert "num_cameras = 3, but it would look at 2: front, side" in refusal(tmp_path, root, num_cameras=3)


def test_a_dataset_without_rewards_is_refused(tmp_path: Path) -> None:
    root = Scene(outcomes=(True, True)).record(tmp_path / "d")
    path = root / "meta/info.json"
    path.write_text(path.read_text().replace('"next.reward"', '"next.other"'))
    assert row(refusal(tmp_path, root), "next.reward")[1:] == ["number", "missing"]


def test_the_number_of_a_class_must_be_one(tmp_path: Path) -> None:
    root = Scene(outcomes=(True, True), rewards=lambda height: 3.0 if height > 0.5 else 0.0).record(
        tmp_path / "d"
    )
    text = refusal(tmp_path, root, num_classes=3)
    assert "has the reward 3" in text and "0 to 2" in text


def test_of_three_classes_the_last_is_success(tmp_path: Path) -> None:
    rewards = lambda height: 2.0 if height > 0.5 else float(height > 0)  # noqa: E731
    root = Scene(outcomes=(True, True), rewards=rewards).record(tmp_path / "d")
    found = material(config(tmp_path, num_classes=3, least_frames=2), [str(root)])
    assert found.success_class == 2
    classes = np.concatenate([of.classes for of in found.sources[0].episodes])
    assert set(classes.tolist()) == {0, 1, 2}


def test_a_folder_that_is_none_and_a_hub_that_is_away_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there is no dataset in" in refusal(tmp_path, tmp_path / "nothing")
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))

    def away(name: str) -> Path:
        raise DatasetError(f"{name} could not be downloaded: no route to host")

    monkeypatch.setattr(fetch, "fetch", away)
    assert "no route to host" in refusal(tmp_path, "somebody/lift")


def test_it_says_what_more_would_be_worth_having(tmp_path: Path) -> None:
    root = Scene(outcomes=(True, True)).record(tmp_path / "d")
    words = advice(material(config(tmp_path, least_frames=2), [str(root)]))
    assert len(words) == 2 and "200 are better" in words[0] and "600 to 1,000" in words[1]
