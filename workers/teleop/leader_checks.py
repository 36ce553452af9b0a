"""Whether the arm on the leader's port can be the leader, asked before any torque."""

import numpy as np

from workers.robot.figures import JOINT_NAMES, Floats, JointRange

# A calibration's middle is up to this far from the model's zero, and wrist_roll is not swept at all.
SLACK = np.array([30.0, 30.0, 30.0, 30.0, 45.0, 5.0])


def impossible(leader_deg: Floats, joints: JointRange) -> str:
    """What is wrong with a leader at `leader_deg` [6], if its arm goes no further than `joints`; "" if nothing is."""
    beyond = np.maximum(joints.lower_deg - leader_deg, leader_deg - joints.upper_deg)
    wrong = [i for i in range(6) if not beyond[i] <= SLACK[i]]
    if not wrong:
        return ""
    told = ", ".join(f"{JOINT_NAMES[i]} at {leader_deg[i]:.0f}" for i in wrong)
    return (
        f"the leader arm says {told}, where no such joint can be: its calibration is another arm's, or its motors "
        "stand in another order. Calibrate it again (hilserl-worker calibrate), or correct env.teleop.id"
    )
