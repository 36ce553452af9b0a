"""Speed of the simulated arm on one core: environment steps with 0, 1 and 2 pictures, and the parts of a
step.

Run pinned to one core to compare with the figures in the README: taskset -c 0 python -m benchmarks.simulator
"""

import os
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import msgspec
import numpy as np

from workers.actor.environment import ArmEnv
from workers.actor.sim_env import sim_env
from workers.camera.drivers.sim import Shot, SimRenderer
from workers.config import Config, load
from workers.config.ready import ready_config
from workers.robot.build import kinematics_of, limits_of
from workers.robot.drivers.sim import RESET_POSE_DEG, SimArm
from workers.robot.gate import admit

_ROUNDS = 5
_WANTED_STEPS_PER_S = 250.0
START = np.array(RESET_POSE_DEG)


def best_seconds(work: Callable[[], object], repeats: int) -> float:
    """Seconds per call, best of a few rounds: the machine may be busy with something else in the others."""
    work()
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for _ in range(repeats):
            work()
        best = min(best, (time.perf_counter() - started) / repeats)
    return best


def random_walk(env: ArmEnv) -> Callable[[], None]:
    """One random step per call, resetting as episodes end."""
    env.reset(seed=0)
    rng = np.random.default_rng(0)

    def step() -> None:
        action = np.array([*rng.uniform(-1.0, 1.0, 3), rng.integers(3)], np.float32)
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    return step


def with_cameras(config: Config, names: tuple[str, ...]) -> Config:
    """The same task seen by some of its cameras."""
    cameras = {name: config.env.cameras[name] for name in names}
    robot = msgspec.structs.replace(config.env.arm, cameras=cameras)
    return msgspec.structs.replace(config, env=msgspec.structs.replace(config.env, robot=robot))


def parts(config: Config) -> dict[str, float]:
    """Seconds per call of what a step is made of."""
    arm, kinematics, limits = SimArm(), kinematics_of(config), limits_of(config)
    renderer = SimRenderer({view: Shot(view, 128, 128) for view in ("front", "side")})
    scene, start_m, reference = arm.scene(), kinematics.position(START), kinematics.reference(START)
    rng, reference = np.random.default_rng(0), kinematics.reference(START)
    moves = iter(rng.uniform(-0.02, 0.02, (100_000, 3)))

    return {
        "physics, 100 ms": best_seconds(lambda: arm.advance(0.1), 100),
        "two pictures": best_seconds(lambda: renderer.render(scene), 100),
        "inverse kinematics, 2 cm away": best_seconds(
            lambda: kinematics.step(start_m + next(moves), START, reference), 200
        ),
        "safety gate, one tick": best_seconds(
            lambda: admit(START + 1.0, START, np.zeros(6), START, limits, kinematics, 0.02), 500
        ),
    }


def main() -> None:
    config = load(ready_config())
    print(f"{'environment steps':34}{'steps/s':>10}{'x wanted':>10}{'x real time':>13}")
    for cameras in ((), ("front",), ("front", "side")):
        env = sim_env(with_cameras(config, cameras))[0]
        rate = 1.0 / best_seconds(random_walk(env), 150)
        name = f"{len(cameras)} pictures of 128x128"
        print(f"{name:34}{rate:10.0f}{rate / _WANTED_STEPS_PER_S:10.1f}{rate / 10.0:13.0f}")
        env.close()
    print(f"\n{'part':34}{'us':>10}")
    for name, seconds in parts(config).items():
        print(f"{name:34}{seconds * 1e6:10.0f}")


if __name__ == "__main__":
    main()
