"""The trained classifier in the actor says what it said in training, of the pictures that the policy sees."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.altered import altered
from tests.reward.classifiers import classifier
from workers.actor.reward_model import load_reward_model
from workers.actor.sim_env import sim_env
from workers.config import Config
from workers.processors.build import pipelines_of
from workers.processors.errors import EnvironmentRefused, ProcessorError
from workers.processors.features import IMAGES
from workers.processors.transition import Period, Transition
from workers.reward.checkpoint import save_classifier

SIZE = (32, 32)


def judged(folder: Path, **changes: object) -> Config:
    judge = {"pretrained_path": str(folder), "votes": 1, "window": 1}
    keys = {
        "env.processor.reward_classifier": judge,
        "env.processor.image_preprocessing.resize_size": list(SIZE),
        "env.processor.image_preprocessing.crop_params_dict": {"observation.images.side": [10, 20, 64, 64]},
    }
    return altered({**keys, **changes})


def test_the_probability_is_that_of_the_trainer_for_what_is_recorded(tmp_path: Path) -> None:
    trained = classifier(cameras={"front": SIZE, "side": SIZE})
    save_classifier(tmp_path, trained)
    env, port = sim_env(judged(tmp_path))
    try:
        load_reward_model(judged(tmp_path), env.pipelines)
        seen = [env.reset(seed=3)]
        for _ in range(3):
            env.begin_step(np.array([1, 0, -1, 0], np.float32))
            port.wait_period()
            observation, _, _, _, info = env.finish_step()
            seen.append((observation, info))
    finally:
        env.close()
    # As the training takes them from a dataset: uint8, cropped and resized, all frames in one batch.
    images = {
        camera: torch.from_numpy(np.stack([observation[IMAGES + camera] for observation, _ in seen]))
        for camera in ("front", "side")
    }
    expected = trained.success_probability(images).numpy()
    told = [info["success_probability"] for _, info in seen]
    np.testing.assert_allclose(told, expected, atol=1e-5, rtol=0)
    assert np.ptp(expected) > 1e-4, "pictures that differ"


def test_a_classifier_of_other_cameras_is_refused_in_a_table(tmp_path: Path) -> None:
    save_classifier(tmp_path, classifier(cameras={"front": (64, 64), "wrist": SIZE}))
    config = judged(tmp_path)
    with pytest.raises(EnvironmentRefused) as caught:
        load_reward_model(config, pipelines_of(config))
    rows = [line.split() for line in caught.value.text.splitlines()]
    assert ["front", "32x32", "64x64"] in rows and ["wrist", "missing", "32x32"] in rows
    assert caught.value.path == ("env", "processor", "reward_classifier", "pretrained_path")


def test_a_folder_without_a_classifier_is_refused(tmp_path: Path) -> None:
    config = judged(tmp_path / "nothing")
    with pytest.raises(EnvironmentRefused, match="no classifier"):
        load_reward_model(config, pipelines_of(config))


def test_a_process_that_did_not_load_it_never_makes_up_an_answer(tmp_path: Path) -> None:
    step = pipelines_of(judged(tmp_path)).classifier
    assert step is not None
    with pytest.raises(ProcessorError, match="not loaded"):
        step(Transition({}, Period(np.zeros(4, np.float32), np.zeros(6), 0.0, 0.0)))


def test_the_stand_in_is_left_as_it_is() -> None:
    config = altered({"env.processor.reward_classifier": {"pretrained_path": "simulated"}})
    pipelines = pipelines_of(config)
    assert pipelines.classifier is not None
    before = pipelines.classifier.model
    load_reward_model(config, pipelines)
    assert pipelines.classifier.model is before
