"""How many steps, updates and minutes until the policy picks and lifts alone: the whole loop in one process.

The same environment, scripted person, log, replay and SAC as a real run, without real time: after each step the
learner does as many updates as it would have managed, so curves show steps and CPU seconds, not waiting.

    python benchmarks/learning.py --seed 1 --updates-per-step 1.5 --max-steps 4000
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import msgspec
import numpy as np
import torch

from workers.actor.chair import Chair
from workers.actor.episode import EpisodeRunner
from workers.actor.policy import Policy
from workers.config import Config, load
from workers.learner.memory import tune_allocator
from workers.learner.session import LearnerSession
from workers.learner.settings import policy_settings
from workers.model.events import EndedBy, EpisodeEnded, EpisodeKind
from workers.model.select import autonomous_success
from workers.model.state import Episode
from workers.processors.build import feature_spec
from workers.teleop.scripted_operator import ScriptedOperator
from workers.transport.log import LogWriter

FIRST_ATTENDANCE, LEAST_ATTENDANCE = 0.8, 0.1


class SimulatedPeriod:
    """A period that passes when the environment's port is told to; the learner works meanwhile."""

    def __init__(self, port, work) -> None:
        self._port, self._work = port, work

    def restart(self) -> None:
        return

    def pass_by(self, on_input) -> None:
        self._port.wait_period()
        self._work()

    def interrupted(self) -> str:
        return ""


class PolicyAdapter:
    """The learner's own newest weights, taken over every `every` steps as the real actor does."""

    def __init__(self, config: Config, session: LearnerSession, every: int) -> None:
        self._policy = Policy(feature_spec(config), policy_settings(config))
        self._session, self._every, self._steps = session, every, 0
        self._generator = torch.Generator().manual_seed(config.run.seed)
        self.version = 0
        self.pinned = False

    def take(self) -> None:
        self.version += 1
        self._policy.load(self._session.sac.policy_tensors(), self.version)

    def act(self, observation, deterministic: bool):
        self._steps += 1
        if not self.pinned and self._steps % self._every == 0:
            self.take()
        return self._policy.act(observation, deterministic, self._generator)


def override(config: Config, assignments: list[str]) -> Config:
    """Set keys such as algorithm.bc_weight=0.1."""
    data = msgspec.to_builtins(config)
    for assignment in assignments:
        path, value = assignment.split("=", 1)
        *sections, key = path.split(".")
        table = data
        for section in sections:
            table = table[section]
        table[key] = json.loads(value)
    return msgspec.convert(data, Config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default="configs/sim_pick_lift.toml")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--updates-per-step", type=float, default=1.5)
    parser.add_argument("--max-steps", type=int, default=4000)
    parser.add_argument("--evaluate-every", type=int, default=500)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    tune_allocator()
    with tempfile.TemporaryDirectory() as folder:
        Trial(args, Path(folder)).run()


class Trial:
    def __init__(self, args, folder: Path) -> None:
        from workers.actor.build import sim_env

        config = override(load(Path(args.config)), args.set)
        run = msgspec.structs.replace(config.run, seed=args.seed, directory=str(folder), name="trial")
        policy = msgspec.structs.replace(config.policy, torch_threads=args.threads)
        self.config = config = msgspec.structs.replace(config, run=run, policy=policy)
        self.args = args
        config.run_dir.mkdir()
        self.session = LearnerSession(config)
        self.log = LogWriter(config.run_dir / "log", feature_spec(config))
        self.policy = PolicyAdapter(config, self.session, every=20)
        steps = config.env.processor.inverse_kinematics.end_effector_step_sizes
        self.script = ScriptedOperator(
            config.operator.patience_steps,
            (steps.x, steps.y, steps.z),
            config.env.processor.max_gripper_pos,
            0.15,
            np.random.default_rng([args.seed, 7]),
        )
        self.kind = EpisodeKind.DEMONSTRATION
        self.env, port = sim_env(config)
        self.owed = 0.0
        self.learning_s = 0.0
        self.runner = EpisodeRunner(
            self.env, self.policy, Chair(True, 0.5), self.script, SimulatedPeriod(port, self.learn), self.log.append,
            lambda event: None,
        )  # fmt: skip
        self.episodes: list[Episode] = []
        self.episode = 0

    def learn(self) -> None:
        if self.kind is not EpisodeKind.TRAINING:
            return
        self.owed += self.args.updates_per_step
        started = time.thread_time() if self.args.threads == 1 else time.perf_counter()
        self.session.take_in()
        while self.owed >= 1 and self.session.replay.online_size:
            self.session.update()
            self.owed -= 1
        self.learning_s += (time.thread_time() if self.args.threads == 1 else time.perf_counter()) - started

    def run_episode(self, kind: EpisodeKind):
        self.kind = kind
        self.episode += 1
        seed = int(np.random.SeedSequence([self.args.seed, list(EpisodeKind).index(kind), self.episode]).generate_state(1)[0])
        result = self.runner.run(kind, self.episode, seed % 2**31)
        return result

    def evaluate(self, trials: int) -> tuple[int, float]:
        self.policy.take()
        self.policy.pinned = True
        results = [self.run_episode(EpisodeKind.EVALUATION) for _ in range(trials)]
        self.policy.pinned = False
        good = [r for r in results if r.ended_by is EndedBy.SUCCESS]
        return len(good), float(np.mean([r.steps for r in good])) if good else 0.0

    def run(self) -> None:
        config, session = self.config, self.session
        demos = [self.run_episode(EpisodeKind.DEMONSTRATION) for _ in range(config.operator.demonstrations)]
        ok = sum(r.ended_by is EndedBy.SUCCESS for r in demos)
        print(f"demonstrations: {ok}/{len(demos)} succeeded, {sum(r.steps for r in demos)} steps", flush=True)
        session.take_in()
        started = time.perf_counter()
        while session.pretrain_left:
            session.pretrain()
        took = time.perf_counter() - started
        print(f"cloning: {session.pretrain_done} updates in {took:.0f} s ({took / max(1, session.pretrain_done) * 1e3:.0f} ms each)")
        self.policy.take()
        print(f"{'steps':>6} {'updates':>8} {'learn s':>8} {'eval':>7} {'mean len':>8} {'auto20':>7} {'human20':>8} metrics", flush=True)
        self.report()
        next_report = self.args.evaluate_every
        while session.env_steps < self.args.max_steps:
            recent = [e for e in self.episodes][-20:]
            rate = autonomous_success(recent) if len(recent) >= 10 else None
            self.script.attendance = FIRST_ATTENDANCE if rate is None else min(FIRST_ATTENDANCE, max(LEAST_ATTENDANCE, 1 - rate))
            r = self.run_episode(EpisodeKind.TRAINING)
            ended = EpisodeEnded(self.episode, EpisodeKind.TRAINING, r.reward, r.steps, r.steps_by_human, r.interventions, r.ended_by, 0.0)
            self.episodes.append(Episode(*(getattr(ended, name) for name in Episode.__struct_fields__)))
            if session.env_steps >= next_report:
                next_report += self.args.evaluate_every
                if self.report() == self.args.trials:
                    break

    def report(self) -> int:
        good, length = self.evaluate(self.args.trials)
        recent = self.episodes[-20:]
        human = sum(e.steps_by_human for e in recent) / max(1, sum(e.steps for e in recent))
        metrics = " ".join(f"{k}={v:.3g}" for k, v in self.session.take_metrics().items())
        print(
            f"{self.session.env_steps:6d} {self.session.updates:8d} {self.learning_s:8.0f} {good:4d}/{self.args.trials}"
            f" {length:8.1f} {autonomous_success(recent) or 0:7.2f} {human:8.2f} {metrics}", flush=True,
        )  # fmt: skip
        return good


if __name__ == "__main__":
    main()
