"""Hand-over between policy and leader arm at random poses and moments: how far does any goal go in a tick?

python -m benchmarks.hand_over [TIMES]
"""

import sys
import time

import numpy as np

from tests.teleop.hand_over import LIMITS, HandOver, excess, random_hand_over
from tests.teleop.leader_arms import TICK_S
from workers.robot.figures import GRIPPER

TOLD_S = 2.0


def main(times: int) -> None:
    """Print the worst of `times` hand-overs by actions of the end-effector, and of as many by joints."""
    print(
        f"{times} pairs of poses each; policy, person, hands and errors on the bus change at random moments"
    )
    for by_joints in (False, True):
        scenes = _scenes(times, by_joints)
        steps = np.concatenate([np.abs(np.diff(scene.arm.goals, axis=0)) for scene in scenes])
        firsts = np.array([first for scene in scenes for first in scene.first_deg])
        apart = [np.abs(scene.leader_was_at - scene.arm.goals[0])[:GRIPPER].max() for scene in scenes]
        beyond = max(max(excess(scene)) for scene in scenes)
        print("\nposture, joint by joint" if by_joints else "\nactions of the end-effector")
        print(f"  leader and arm apart      median {np.median(apart):.0f} degrees, most {max(apart):.0f}")
        print(f"  errors while driving      {sum(scene.errors_while_driving for scene in scenes)} periods")
        print(f"  furthest step of a joint  {steps[:, :GRIPPER].max():.3f} degrees a tick")
        print(
            f"  the gate's limiter        {LIMITS.speed_deg_s[0] * TICK_S:.3f}; exceeded by {max(beyond, 0.0):.1e}"
        )
        print(f"  first human step          {firsts.max():.2f} degrees at most, of {len(firsts)}")


def _scenes(times: int, by_joints: bool) -> list[HandOver]:
    scenes: list[HandOver] = []
    told_s = time.monotonic()
    for seed in range(times):
        scenes.append(random_hand_over(np.random.default_rng([seed, by_joints]), by_joints))
        if time.monotonic() - told_s > TOLD_S:
            told_s = time.monotonic()
            print(f"  {seed + 1} of {times}", file=sys.stderr)
    return scenes


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
