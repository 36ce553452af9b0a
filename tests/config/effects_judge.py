"""Effects of [env.processor.reward_classifier]: what it says, what it takes to decide, and who may object."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.config.effect_tools import Effect
from tests.reward.classifiers import classifier
from workers.actor.chair import Chair
from workers.actor.reward_model import load_reward_model
from workers.actor.sim_env import without_cameras
from workers.actor.veto import Finished, VetoRules, VetoWindow
from workers.config import Config
from workers.processors.build import pipelines_of
from workers.processors.features import IMAGES
from workers.processors.reward_classifier import RewardClassifierProcessor
from workers.processors.transition import Period, Transition
from workers.reward.checkpoint import save_classifier

JUDGE = "env.processor.reward_classifier"
JUDGED = {f"{JUDGE}.pretrained_path": "simulated"}


def processor(config: Config) -> tuple[RewardClassifierProcessor, Any]:
    pipelines = pipelines_of(config)
    assert pipelines.classifier is not None
    return pipelines.classifier, pipelines


def transition(**seen: Any) -> Transition:
    return Transition(seen, Period(np.zeros(4, np.float32), np.zeros(6), 0.0, 0.0))


def classified(config: Config, folder: Path) -> Any:
    """Reward and end of steps that the simulator calls a success or not, by the classifier's votes."""
    decide, _ = processor(without_cameras(config))
    rows = []
    for success in (True, False, True, True, True, False, True):
        item = transition()
        item.info["task_success"] = success
        decide(item)
        rows.append([item.reward, item.terminated])
    return rows


def said(config: Config, folder: Path) -> float:
    """What it says of black pictures."""
    size = (32, 32)
    save_classifier(folder / "judge", classifier(cameras={"front": size, "side": size}))
    decide, pipelines = processor(config)
    load_reward_model(config, pipelines)
    black = {IMAGES + camera: np.zeros((*size, 3), np.uint8) for camera in ("front", "side")}
    item = transition(**black)
    decide(item)
    return float(item.info["success_probability"])


class Stands:
    """An arm that holds, periods that pass, and nobody who says a word."""

    held = 0

    def halt(self) -> Any:
        self.held += 1

    def look(self) -> Any:
        raise AssertionError("nobody objects")

    def pass_by(self, on_input: Any) -> None: ...

    def interrupted(self) -> str:
        return ""


def held(config: Config, folder: Path) -> int:
    """Periods for which the arm holds after a decision."""
    stands = Stands()
    window = VetoWindow(stands, Chair(False, 0.5), stands, lambda event: None, VetoRules.of(config))
    outcome = {
        "decided_by": "classifier",
        "success_vote": True,
        "success_votes": 3,
        "success_probability": 0.9,
    }
    window.settle(1, 5, Finished({}, 1.0, True, False, outcome, outcome))
    return stands.held


EFFECTS: dict[str, Effect] = {
    f"{JUDGE}.pretrained_path": Effect(("simulated", "{folder}/judge"), said),
    f"{JUDGE}.success_threshold": Effect((0.5, 0.99), classified, JUDGED),
    f"{JUDGE}.success_reward": Effect((1.0, 5.0), classified, JUDGED),
    f"{JUDGE}.votes": Effect((1, 3), classified, JUDGED),
    f"{JUDGE}.window": Effect((3, 2), classified, {**JUDGED, f"{JUDGE}.votes": 2}),
    f"{JUDGE}.decides": Effect((True, False), classified, JUDGED),
    f"{JUDGE}.veto_s": Effect((0.5, 2.0), held, JUDGED),
}
