"""The frames that fooled the classifier are a dataset like a recorded one, with reward 0."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.dataset.recorded import small
from workers.actor.hard_negatives import HardNegatives
from workers.config import Config
from workers.dataset.columns import columns_of
from workers.dataset.reader import Dataset
from workers.dataset.units import state_units
from workers.processors.build import pipelines_of
from workers.processors.features import IMAGES, STATE


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return small(tmp_path)


def frames(config: Config, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Observations as the run's environment gives them."""
    rng, stored = np.random.default_rng(seed), pipelines_of(config).stored
    return [
        {
            STATE: rng.normal(size=stored[STATE].shape).astype(np.float32),
            **{
                key: rng.integers(256, size=feature.shape, dtype=np.uint8)
                for key, feature in stored.items()
                if key.startswith(IMAGES)
            },
        }
        for _ in range(count)
    ]


def taker(config: Config) -> HardNegatives:
    return HardNegatives(config, pipelines_of(config).stored)


def test_they_are_a_dataset_of_their_own_with_reward_0_and_the_same_pictures(config: Config) -> None:
    negatives, seen = taker(config), frames(config, 3)
    negatives.take(seen)
    saved = negatives.save(episode=12)
    assert saved is not None
    assert (saved.episode, saved.frames, saved.total_frames) == (12, 3, 3)
    dataset = Dataset(Path(saved.root))
    stored = dataset.frames(0)
    assert not stored["next.reward"].any() and not stored["next.done"][:-1].any()
    for key in ("front", "side"):
        expected = np.stack([frame[IMAGES + key] for frame in seen])
        np.testing.assert_array_equal(stored[IMAGES + key], expected)
    in_file = np.stack([state_units(config).to_dataset(frame[STATE]) for frame in seen])
    np.testing.assert_allclose(stored[STATE], in_file, rtol=1e-6)


def test_its_columns_are_those_of_what_the_run_records(config: Config) -> None:
    negatives = taker(config)
    negatives.take(frames(config, 1))
    saved = negatives.save(1)
    assert saved is not None
    features = Dataset(Path(saved.root)).info.features
    for name, column in columns_of(pipelines_of(config).stored).items():
        assert features[name].shape == column.shape, name


def test_every_veto_is_an_episode_and_the_next_ones_are_added(config: Config) -> None:
    negatives = taker(config)
    negatives.take(frames(config, 3))
    negatives.take(frames(config, 4, seed=1))
    first = negatives.save(1)
    again = taker(config)  # the run was left, and goes on
    again.take(frames(config, 2, seed=2))
    second = again.save(9)
    assert first is not None and second is not None
    assert (first.frames, first.total_frames) == (7, 7)
    assert (second.frames, second.total_frames) == (2, 9)
    assert [episode.length for episode in Dataset(Path(second.root)).episodes] == [3, 4, 2]


def test_an_episode_without_a_veto_leaves_nothing(config: Config) -> None:
    negatives = taker(config)
    negatives.take([])
    assert negatives.save(1) is None and not negatives.root.exists()


def test_a_folder_that_is_no_dataset_is_told_and_the_run_goes_on(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    negatives = taker(config)
    negatives.root.parent.mkdir(parents=True, exist_ok=True)
    negatives.root.write_text("in the way")
    negatives.take(frames(config, 1))
    assert negatives.save(1) is None
    assert "the frames of 1 vetoes are lost" in caplog.text
