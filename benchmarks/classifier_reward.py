"""A policy that only ever hears from a classifier: how often does it really succeed, and how often is it fooled?

The whole way in one process, on the simulator, without real time: the scripted person records episodes that go on
after a success, and attempts that fail; a classifier is trained from them; then a run of training as
`benchmarks.learning` makes one, in which the classifier alone gives rewards and ends episodes, demonstrations
included. The simulator's own verdict is only written down.

Run: python -m benchmarks.classifier_reward --seed 1
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from benchmarks.classifier_data import record
from benchmarks.learning import Trial, arguments, trial_config
from workers.actor.reward_model import load_reward_model
from workers.actor.rules import EpisodeResult
from workers.config import Config
from workers.dataset.reader import Dataset
from workers.dataset.recording import positives_in
from workers.learner.memory import tune_allocator
from workers.model.events import DecidedBy, EndedBy, EpisodeKind
from workers.reward.checkpoint import read_description
from workers.reward.job import train_classifier


class Judged(NamedTuple):
    """An episode as the classifier and as the simulator saw it."""

    kind: EpisodeKind
    claimed: bool
    """The classifier decided success."""
    true: bool
    """The cube was lifted at the last step."""


class JudgedTrial(Trial):
    """A run whose rewards come from the classifier alone."""

    def __init__(self, args: argparse.Namespace, config: Config) -> None:
        super().__init__(args, config)
        load_reward_model(config, self.env.pipelines)
        self.judged: list[Judged] = []
        self._lifted = False

    def learn(self) -> None:
        assert self.port is not None, "only the simulated arm tells whether the cube was lifted"
        self._lifted = self.port.task_state().success
        super().learn()

    def run_episode(self, kind: EpisodeKind) -> EpisodeResult:
        result = super().run_episode(kind)
        claimed = result.ended_by is EndedBy.SUCCESS
        assert not claimed or result.decided_by is DecidedBy.CLASSIFIER, "nobody else gives rewards"
        self.judged.append(Judged(kind, claimed, self._lifted))
        return result


def main(given: Sequence[str] | None = None) -> dict[str, float]:
    """The figures, printed and returned."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--episodes", type=int, default=20, help="recorded by the scripted person")
    parser.add_argument("--failures", type=int, default=40, help="recorded attempts that fail")
    args = parser.parse_args(given)
    tune_allocator()
    with tempfile.TemporaryDirectory() as folder:
        return measured(args, Path(folder))


def measured(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Collect, train the classifier, train the policy by it, and compare with the simulator."""
    started_s = time.monotonic()
    config, root = collect(args, folder)
    frames, positives = Dataset(root).info.total_frames, positives_in(root)
    _say(started_s, f"{positives} of {frames} frames recorded show success")
    judge = folder / "judge"
    train_classifier(config, [str(root)], judge, lambda event: None)
    description = read_description(judge)
    recommended = description.recommended
    threshold = 0.5 if recommended is None else recommended.success_threshold
    _say(started_s, f"classifier trained, threshold {threshold:.2f}, held out: {description.held_out}")
    trial = JudgedTrial(args, judged_config(args, folder, judge, threshold))
    try:
        trial.run()
        trial.evaluate(args.trials)
    finally:
        trial.close()
    found = figures(trial.judged, args.trials)
    for name, value in found.items():
        _say(started_s, f"{name:45} {value:.3f}")
    return found


def collect(args: argparse.Namespace, folder: Path) -> tuple[Config, Path]:
    """Record episodes that go on after success, and attempts that fail: the configuration, the dataset's folder."""
    root = folder / "collected"
    data = msgspec.to_builtins(trial_config(args, folder))
    data["mode"], data["run"]["name"] = "record", "collecting"
    count = args.episodes + args.failures
    data["dataset"] |= {"root": str(root), "repo_id": "benchmark/collected", "video": False}
    data["dataset"]["num_episodes_to_record"] = count
    data["operator"]["failures"] = args.failures / count
    data["env"]["processor"]["reset"]["terminate_on_success"] = False
    data["reward_classifier"]["torch_threads"] = args.threads
    config = msgspec.convert(data, Config)
    return config, record(config, args.seed)


def judged_config(args: argparse.Namespace, folder: Path, judge: Path, threshold: float) -> Config:
    """The run of training, with the classifier as its only source of reward."""
    data = msgspec.to_builtins(trial_config(args, folder))
    used = {"pretrained_path": str(judge), "success_threshold": threshold}
    data["env"]["processor"]["reward_classifier"] = used
    return msgspec.convert(data, Config)


def figures(judged: Sequence[Judged], trials: int) -> dict[str, float]:
    """Shares; of the last `trials` evaluation episodes, and of all episodes that the classifier could end."""
    last = [one for one in judged if one.kind is EpisodeKind.EVALUATION][-trials:]
    false = [one.claimed and not one.true for one in judged]
    missed = [one.true and not one.claimed for one in judged]
    return {
        "true success of the last evaluation": float(np.mean([one.claimed and one.true for one in last])),
        "false success of the last evaluation": float(
            np.mean([one.claimed and not one.true for one in last])
        ),
        "false success, share of all episodes": float(np.mean(false)),
        "success at the end that was not seen, share": float(np.mean(missed)),
        "episodes": len(judged),
    }


def _say(started_s: float, text: str) -> None:
    print(f"{time.monotonic() - started_s:5.0f} s  {text}", flush=True)


if __name__ == "__main__":
    main()
