"""Before a run: what the classifier says of reset frames is counted, written down, and shown in pictures."""

import json
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.altered import altered
from tests.config.effect_tools import NO_ARM, FakeDesk, rounds, small
from workers.actor import examination
from workers.actor.examination import examine
from workers.actor.loop import ActorLoop
from workers.actor.seeds import episode_seed, examination_seed
from workers.dataset.pictures import picture_of
from workers.model.events import ClassifierExamined, EpisodeKind, EpisodeStarted
from workers.model.orders import Collect, Examine
from workers.robot.board import Board

CONTEXT = multiprocessing.get_context("spawn")

JUDGE = {"env.processor.reward_classifier": {"pretrained_path": "me/judge", "success_threshold": 0.6}}


class Resets:
    """An environment of which only resets are asked: one probability each, and pictures of its number."""

    def __init__(self, probabilities: list[float]) -> None:
        self._probabilities = iter(probabilities)
        self.seeds: list[int] = []

    def reset(self, *, seed: int | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        assert seed is not None
        self.seeds.append(seed)
        views = {
            f"observation.images.{camera}": np.full((8, 6, 3), number, np.uint8)
            for number, camera in ((len(self.seeds), "front"), (200, "side"))
        }
        return views, {"success_probability": next(self._probabilities)}


def examined(tmp_path: Path, probabilities: list[float], env: Resets | None = None) -> Any:
    config = altered({**JUDGE, "run.directory": str(tmp_path), "run.name": "it"})
    env = env or Resets(probabilities)
    return examine(config, env, len(probabilities), lambda number: 100 + number)  # type: ignore[arg-type]


def test_a_classifier_that_is_calm_leaves_its_numbers(tmp_path: Path) -> None:
    env = Resets([0.1, 0.3, 0.2])
    said = examined(tmp_path, [0.1, 0.3, 0.2], env)
    assert (said.fired, said.highest, said.threshold) == (0, 0.3, 0.6)
    assert env.seeds == [100, 101, 102]
    written = json.loads((tmp_path / "it/classifier_check/scores.json").read_text())
    assert written == {
        "classifier": "me/judge", "success_threshold": 0.6, "probabilities": [0.1, 0.3, 0.2], "pictures": [],
    }  # fmt: skip
    assert said.folder == str(tmp_path / "it/classifier_check")


def test_the_pictures_in_which_it_fires_are_there_the_worst_first(tmp_path: Path) -> None:
    said = examined(tmp_path, [0.1, 0.61, 0.95, 0.6])
    assert said.fired == 3, "at the threshold counts, as it does in a run"
    folder = Path(said.folder)
    names = json.loads((folder / "scores.json").read_text())["pictures"]
    assert names == ["reset-02-p0.95.png", "reset-01-p0.61.png", "reset-03-p0.60.png"]
    seen = picture_of((folder / names[0]).read_bytes())
    assert seen.shape == (8, 12, 3), "the cameras side by side"
    assert (seen[:, :6] == 3).all() and (seen[:, 6:] == 200).all()


def test_only_the_worst_are_kept_and_those_of_before_are_gone(tmp_path: Path) -> None:
    examined(tmp_path, [0.9] * 9)
    folder = tmp_path / "it/classifier_check"
    assert len(list(folder.glob("*.png"))) == examination.MOST_PICTURES
    examined(tmp_path, [0.1] * 3)
    assert [path.name for path in folder.iterdir()] == ["scores.json"]


def test_a_disk_that_refuses_does_not_hide_the_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "it").mkdir()
    (tmp_path / "it/classifier_check").write_text("in the way")
    assert examined(tmp_path, [0.9]).fired == 1
    assert "cannot be kept" in caplog.text


def test_its_scenes_are_none_of_the_run_s() -> None:
    asked = {examination_seed(1000, number) for number in range(20)}
    run = {episode_seed(1000, kind, number) for kind in EpisodeKind for number in range(200)}
    assert len(asked) == 20 and not asked & run


def test_an_actor_asks_before_it_collects_and_tells_what_it_heard(tmp_path: Path) -> None:
    judge = {**NO_ARM, "env.processor.reward_classifier": {"pretrained_path": "simulated"}}
    orders = [Examine(4), Collect(EpisodeKind.SURVEY, 1)]
    desk = FakeDesk(orders, rounds(40))
    loop = ActorLoop(desk, small(tmp_path, judge), Board.create(CONTEXT, {}))  # type: ignore[arg-type]
    loop.run()
    loop.close()
    told = [event for event in desk.mailbox.events if isinstance(event, ClassifierExamined | EpisodeStarted)]
    assert isinstance(told[0], ClassifierExamined) and told[0].probabilities == (0.05,) * 4
    assert all(isinstance(event, EpisodeStarted) for event in told[1:]), "asked once"
