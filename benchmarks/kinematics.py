"""Time of the kinematics: forward, one step of control, and the global inverse, for both arms.

Run on one core: taskset -c 0 python -m benchmarks.kinematics [--steps N]
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workers.robot.arm_model import builtin_model
from workers.robot.arms import ARMS, Arm
from workers.robot.figures import GRIPPER, Floats
from workers.robot.kinematics import Kinematics

SEED_DEG = np.array([0.0, -2.0, 0.4, 91.7, 2.8, 40.0])
STEP_M = 0.01  # way of the tool in a step of control: half an action on the ready configurations


def timed(work: Callable[[int], object], steps: int) -> NDArray[np.float64]:
    """Milliseconds of each call."""
    taken = np.empty(steps)
    for step in range(steps):
        started = time.perf_counter()
        work(step)
        taken[step] = 1e3 * (time.perf_counter() - started)
    return taken


def rows(arm: Arm, steps: int) -> dict[str, NDArray[np.float64]]:
    """Times by what is timed."""
    kinematics, rng = Kinematics(1.0, model=builtin_model(arm)), np.random.default_rng(0)
    low, high = kinematics.joints.lower_deg, kinematics.joints.upper_deg
    reference, start = kinematics.reference(SEED_DEG), kinematics.position(SEED_DEG)
    ways = rng.normal(size=(steps, 3))
    ways *= STEP_M / np.linalg.norm(ways, axis=1)[:, None]
    poses = [kinematics.forward(joints) for joints in rng.uniform(low, high, (steps, GRIPPER + 1))]

    def control(step: int) -> Floats:
        return kinematics.step(start + ways[step], SEED_DEG, reference).joints_deg

    return {
        "forward": timed(lambda step: kinematics.forward(SEED_DEG), steps),
        "one step of control (1 cm)": timed(control, steps),
        "inverse, any reachable pose": timed(lambda step: kinematics.inverse(poses[step], SEED_DEG), steps),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=1000)
    options = parser.parse_args()
    print(f"{'':<38}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for arm in ARMS:
        for name, ms in rows(arm, options.steps).items():
            figures = (np.median(ms), np.percentile(ms, 99), ms.max())
            print(f"{arm.name + ': ' + name:<38}" + "".join(f"{value:9.3f}" for value in figures))


if __name__ == "__main__":
    main()
