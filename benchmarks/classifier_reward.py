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

from benchmarks.learning import SimulatedPeriod, Trial, arguments, trial_config
from workers.actor.chair import Chair
from workers.actor.episode import EpisodeRunner
from workers.actor.no_policy import NoPolicy
from workers.actor.reward_model import load_reward_model
from workers.actor.rules import EpisodeResult, Rules
from workers.actor.sim_env import sim_env
from workers.config import Config
from workers.dataset.reader import Dataset
from workers.dataset.recording import Recording, positives_in
from workers.learner.memory import tune_allocator
from workers.model.events import DecidedBy, EndedBy, EpisodeKind
from workers.processors.build import feature_spec
from workers.processors.transition import Action, GripperCommand
from workers.reward.checkpoint import read_description
from workers.reward.job import train_classifier
from workers.teleop.build import SCRIPT_NOISE, scripted_operator_of
from workers.teleop.scripted_operator import ScriptedOperator
from workers.teleop.scripts import Hand, PickLiftScript, Script, TaskView
from workers.transport.log import LogWriter
from workers.transport.record import Record

ASIDE_M = (0.010, 0.050)  # how far beside the cube's middle jaws close that miss it
LETS_GO_M = (0.018, 0.040)  # how high the cube is then: well below where it would count
OPENING_STEPS = 2
RISING_STEPS = (4, 30)  # with empty jaws, before the next attempt
EMPTY_PCT = 10.0  # a jaw closed further than this holds nothing
UP_M = np.array([0.0, 0.0, 0.02])


class Clumsy:
    """Fails as people and policies do, and goes up with empty jaws: closes beside the cube, or lets go of it on the
    way, again and again.
    """

    def __init__(self, hand: Hand, rng: np.random.Generator) -> None:
        self._hand, self._rng = hand, rng
        self._script: Script = PickLiftScript(hand)
        self._attempts = 0
        self.begin()

    def begin(self) -> None:
        """Another attempt."""
        self._attempts += 1
        self._failed, self._opening = False, OPENING_STEPS
        self._rising = int(self._rng.integers(*RISING_STEPS))
        angle, far_m = self._rng.uniform(0.0, 2.0 * np.pi), self._rng.uniform(*ASIDE_M)
        lets_go = self._attempts % 2 == 0
        self._lets_go_m = self._rng.uniform(*LETS_GO_M) if lets_go else np.inf
        self._aside_m = far_m * np.array([np.cos(angle), np.sin(angle), 0.0]) * (not lets_go)

    def action(self, scene: TaskView) -> Action:
        empty = scene.gripper_pct < EMPTY_PCT and not self._failed
        self._failed |= empty or scene.object_position_m[2] > self._lets_go_m
        if not self._failed:
            return self._script.action(self._shifted(scene))
        if np.isfinite(self._lets_go_m) and self._opening:
            self._opening -= 1
            return self._hand.action(UP_M, GripperCommand.OPEN)
        self._rising -= 1
        if self._rising < 0:
            self.begin()
            return self._hand.action(UP_M, GripperCommand.OPEN)
        return self._hand.action(UP_M, GripperCommand.CLOSE)

    def remaining_m(self, scene: TaskView) -> float:
        return self._script.remaining_m(self._shifted(scene))

    def nearly_done(self, scene: TaskView) -> bool:
        return False

    def _shifted(self, scene: TaskView) -> TaskView:
        place = scene.object_position_m + self._aside_m
        return TaskView(place, scene.goal_position_m, scene.ee_position_m, scene.gripper_pct)


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
    data["dataset"] |= {"root": str(root), "repo_id": "benchmark/collected", "video": False}
    data["env"]["processor"]["reset"]["terminate_on_success"] = False
    data["reward_classifier"]["torch_threads"] = args.threads
    config = msgspec.convert(data, Config)
    config.run_dir.mkdir()
    rng = np.random.default_rng([args.seed, 11])
    hand = Hand(max_gripper_pos=config.env.processor.max_gripper_pos, noise=SCRIPT_NOISE, rng=rng)
    clumsy = Clumsy(hand, rng)
    skilled = scripted_operator_of(config, rng)
    fails = ScriptedOperator(config.operator.patience_steps, clumsy, rng)
    env, port = sim_env(config)
    with LogWriter(config.run_dir / "log", feature_spec(config)) as log:

        def keep(record: Record) -> None:
            log.append(record)

        for number in range(args.episodes + args.failures):
            person = skilled if number < args.episodes else fails
            clumsy.begin()
            period = SimulatedPeriod(port, lambda: None)
            runner = EpisodeRunner(
                env, NoPolicy(), Chair(True, 0.5), person, period, keep, lambda event: None, Rules.of(config)
            )  # fmt: skip
            seed = int(np.random.SeedSequence([args.seed, 12, number]).generate_state(1)[0]) % 2**31
            runner.run(EpisodeKind.DEMONSTRATION, number, seed)
    env.close()
    recording = Recording(config, lambda event: None)
    while recording.take_in():
        pass
    recording.close()
    return config, root


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
