"""A classifier that finds no success is told so, and the reward is not handed over to it."""

from pathlib import Path

import numpy as np
import pytest

from tests.reward.scenes import Scene
from tests.reward.test_job import Training
from workers.model.classifier_events import ClassifierReported
from workers.reward.errors import ClassifierError
from workers.reward.figures import Judged, Rule, sweep_row
from workers.reward.handing_over import hand_over
from workers.reward.report import found_in_words

VOTES = Rule(2, 3)


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> ClassifierReported:
    """Of a network that learns nothing."""
    folder = tmp_path_factory.mktemp("blind")
    root = Scene().record(folder / "lift")
    return Training(
        folder, root, max_epochs=1, learning_rate=1e-12, dropout_rate=0.0, cross_check=False
    ).report


def said_of(*probabilities: list[float]) -> list[str]:
    """Of episodes whose second half shows success."""
    episodes = [Judged(np.array(of), np.arange(len(of)) >= len(of) // 2) for of in probabilities]
    return found_in_words(episodes, sweep_row(episodes, 0.5, VOTES))


def test_a_classifier_that_finds_no_success_says_so(blind: ClassifierReported) -> None:
    assert blind.recommended.episodes.right_positive == 0
    (words,) = (words for words in blind.warnings if "held-out successes" in words)
    assert words.startswith("it finds none of the") and "cannot stand in for a person" in words


def test_the_reward_is_not_handed_over_to_it(blind: ClassifierReported, tmp_path: Path) -> None:
    file = tmp_path / "it.toml"
    file.write_text('[run]\nname = "it"\n')
    with pytest.raises(ClassifierError, match="finds none of the held-out successes"):
        hand_over(file, blind)
    assert file.read_text() == '[run]\nname = "it"\n'


def test_successes_that_it_misses_are_counted() -> None:
    shown, missed = [0.1, 0.1, 0.9, 0.9], [0.1, 0.1, 0.2, 0.2]
    assert said_of(shown, shown) == []
    (words,) = said_of(shown, missed)
    assert words.startswith("it finds 1 of the 2 held-out successes at 0.5")
