"""Steps, updates and minutes until the policy picks and lifts alone: the whole loop in one process.

The same environment, scripted person, log, replay and SAC as a real run, without real time: after each step
the learner does as many updates as it would have managed, so curves show steps and CPU seconds, not waiting.

Run: python -m benchmarks.learning --seed 1 --updates-per-step 1.5 --max-steps 4000
gym-hil's Panda, from 30 demonstrations: python -m benchmarks.learning --config configs/gym_hil_pick_cube.toml
    --set operator.demonstrations=30 --updates-per-step 2 --max-steps 15000 --alone --to-the-end
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.actor.chair import Chair
from workers.actor.environment import ArmEnv
from workers.actor.episode import EpisodeRunner
from workers.actor.gym_env import GymEnv, gym_env
from workers.actor.gym_truth import truth_of
from workers.actor.policy import Policy
from workers.actor.rules import EpisodeResult
from workers.actor.sim_env import InProcessArm, sim_env
from workers.config import Config, load
from workers.learner.memory import tune_allocator
from workers.learner.sac_state import policy_tensors
from workers.learner.session import LearnerSession
from workers.model.events import EndedBy, EpisodeKind
from workers.model.select import autonomous_success
from workers.model.state import Episode
from workers.processors.build import feature_spec
from workers.teleop.build import scripted_operator_of
from workers.transport.log import LogWriter
from workers.transport.record import Record

FIRST_ATTENDANCE, LEAST_ATTENDANCE = 0.8, 0.1
RECENT = 20  # episodes
SWAP_EVERY_STEPS = 20  # at 10 Hz two seconds, as policy_parameters_push_frequency has it


class SimulatedPeriod:
    """A period that passes when the environment's port is told to; the learner works meanwhile.

    A Gymnasium environment, which has no port, moves in its step.
    """

    def __init__(self, port: InProcessArm | None, work: Callable[[], None]) -> None:
        self._port, self._work = port, work
        self.stages_ms: dict[str, float] = {}

    def restart(self) -> None:
        return

    def pass_by(self, on_input: Callable[[], None]) -> None:
        if self._port is not None:
            self._port.wait_period()
        self._work()

    def interrupted(self) -> str:
        return ""


class PolicyAdapter:
    """The learner's own newest weights, taken over every `every` steps as the real actor does."""

    def __init__(self, config: Config, session: LearnerSession, every: int) -> None:
        self._policy = Policy(feature_spec(config), config.policy, config.algorithm)
        self._session, self._every, self._steps = session, every, 0
        self._generator = torch.Generator().manual_seed(config.run.seed)
        self.version = 0
        self.pinned = False

    def take(self) -> None:
        self.version += 1
        self._policy.load(policy_tensors(self._session.sac), self.version)

    def act(self, observation: Mapping[str, Tensor], deterministic: bool) -> NDArray[np.float32]:
        self._steps += 1
        if not self.pinned and self._steps % self._every == 0:
            self.take()
        return self._policy.act(observation, deterministic, self._generator)


def simulated(config: Config) -> tuple[ArmEnv | GymEnv, InProcessArm | None]:
    """The environment of the configuration, and the port that its periods pass on; None where they need not."""
    if config.env.type == "gymnasium":
        return gym_env(config, "cpu", truth=truth_of(config.env)), None
    return sim_env(config, device="cpu")


class Trial:
    """One run from demonstrations to the last evaluation."""

    def __init__(self, args: argparse.Namespace, config: Config) -> None:
        self.args, self.config = args, config
        config.run_dir.mkdir()
        self.session = LearnerSession(config)
        self.log = LogWriter(config.run_dir / "log", feature_spec(config))
        self.policy = PolicyAdapter(config, self.session, SWAP_EVERY_STEPS)
        script = scripted_operator_of(config, np.random.default_rng([args.seed, 7]))
        assert script is not None, "simulated arms have a scripted person, and so has gym-hil's"
        self.script = script
        self.env, self.port = simulated(config)
        chair, period = Chair(True, config.env.teleop.jog_step), SimulatedPeriod(self.port, self.learn)
        self.runner = EpisodeRunner(
            self.env, self.policy, chair, self.script, period, self.append, lambda event: None
        )
        self.clock = time.thread_time if args.threads == 1 else time.perf_counter
        self.kind = EpisodeKind.DEMONSTRATION
        self.episodes: list[Episode] = []
        self.episode = 0
        self.owed = 0.0
        self.learning_s = 0.0

    def close(self) -> None:
        self.env.close()
        self.log.close()
        self.session.close()

    def append(self, record: Record) -> None:
        self.log.append(record)

    def learn(self) -> None:
        """The updates of one environment step."""
        if self.kind is not EpisodeKind.TRAINING:
            return
        self.owed += self.args.updates_per_step
        started = self.clock()
        self.session.take_in()
        while self.owed >= 1 and self.session.replay.online_size:
            self.session.update()
            self.owed -= 1
        self.learning_s += self.clock() - started

    def run_episode(self, kind: EpisodeKind) -> EpisodeResult:
        self.kind = kind
        self.episode += 1
        stream = [self.args.seed, list(EpisodeKind).index(kind), self.episode]
        seed = int(np.random.SeedSequence(stream).generate_state(1)[0])
        return self.runner.run(kind, self.episode, seed % 2**31)

    def run(self) -> None:
        self.demonstrate()
        self.clone()
        head = f"{'steps':>6} {'updates':>8} {'learn s':>8} {'eval':>7} {'mean len':>8} {'auto20':>7}"
        print(f"{head} {'human20':>8} metrics", flush=True)
        self.report()
        next_report = self.args.evaluate_every
        while self.session.env_steps < self.args.max_steps:
            self.train()
            if self.session.env_steps >= next_report:
                next_report += self.args.evaluate_every
                if self.report() == self.args.trials and not self.args.to_the_end:
                    break

    def demonstrate(self) -> None:
        count = self.config.operator.demonstrations
        demos = [self.run_episode(EpisodeKind.DEMONSTRATION) for _ in range(count)]
        good = sum(demo.ended_by is EndedBy.SUCCESS for demo in demos)
        steps = sum(demo.steps for demo in demos)
        print(f"demonstrations: {good}/{len(demos)} succeeded, {steps} steps", flush=True)
        self.session.take_in()

    def clone(self) -> None:
        started = time.perf_counter()
        while self.session.pretrain_left:
            self.session.pretrain()
        took, done = time.perf_counter() - started, self.session.pretrain_done
        print(f"cloning: {done} updates in {took:.0f} s ({1e3 * took / max(1, done):.0f} ms each)")
        self.policy.take()

    def train(self) -> None:
        """One training episode; the better the policy does alone, the less often the person watches, if at all."""
        recent = self.episodes[-RECENT:]
        rate = autonomous_success(recent) if len(recent) >= RECENT // 2 else None
        watched = float(np.clip(1 - (rate or 0.0), LEAST_ATTENDANCE, FIRST_ATTENDANCE))
        self.script.attendance = 0.0 if self.args.alone else watched
        result = self.run_episode(EpisodeKind.TRAINING)
        self.episodes.append(training_episode(self.episode, result))

    def report(self) -> int:
        """Evaluate, print a row, and return how many trials succeeded."""
        good, length = self.evaluate(self.args.trials)
        recent = self.episodes[-RECENT:]
        human = sum(e.steps_by_human for e in recent) / max(1, sum(e.steps for e in recent))
        metrics = " ".join(f"{name}={value:.3g}" for name, value in self.session.take_metrics().items())
        print(
            f"{self.session.env_steps:6d} {self.session.updates:8d} {self.learning_s:8.0f}"
            f" {good:4d}/{self.args.trials} {length:8.1f} {autonomous_success(recent) or 0:7.2f}"
            f" {human:8.2f} {metrics}",
            flush=True,
        )
        return good

    def evaluate(self, trials: int) -> tuple[int, float]:
        """Successes of the newest policy alone, and the mean length of those episodes in steps."""
        self.policy.take()
        self.policy.pinned = True
        results = [self.run_episode(EpisodeKind.EVALUATION) for _ in range(trials)]
        self.policy.pinned = False
        good = [result.steps for result in results if result.ended_by is EndedBy.SUCCESS]
        return len(good), float(np.mean(good)) if good else 0.0


def main() -> None:
    args = arguments(__doc__ or "").parse_args()
    tune_allocator()
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(args, trial_config(args, Path(folder)))
        try:
            trial.run()
        finally:
            trial.close()


def arguments(description: str) -> argparse.ArgumentParser:
    """What may be said of a trial on the command line."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--config", default="configs/sim_pick_lift.toml")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--updates-per-step", type=float, default=1.5)
    parser.add_argument("--max-steps", type=int, default=4000)
    parser.add_argument("--evaluate-every", type=int, default=500)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="after the demonstrations nobody intervenes")
    parser.add_argument("--to-the-end", action="store_true", help="go on after a perfect evaluation")
    parser.add_argument("--set", action="append", default=[], help="a key, as in algorithm.bc_weight=0.1")
    return parser


def trial_config(args: argparse.Namespace, folder: Path) -> Config:
    """The configuration file with the command line's changes."""
    data = msgspec.to_builtins(load(Path(args.config)))
    for assignment in args.set:
        path, value = assignment.split("=", 1)
        *sections, key = path.split(".")
        table = data
        for section in sections:
            table = table[section]
        table[key] = json.loads(value)
    data["run"] |= {"seed": args.seed, "directory": str(folder), "name": "trial"}
    data["policy"]["torch_threads"] = args.threads
    return msgspec.convert(data, Config)


def training_episode(number: int, result: EpisodeResult) -> Episode:
    """The result as the console's figures take it; nothing here takes wall time."""
    return Episode(
        episode=number,
        kind=EpisodeKind.TRAINING,
        reward=result.reward,
        steps=result.steps,
        steps_by_human=result.steps_by_human,
        interventions=result.interventions,
        ended_by=result.ended_by,
        seconds=0.0,
        policy_version=0,
    )


if __name__ == "__main__":
    main()
