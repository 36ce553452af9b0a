"""The SO-101 in figures.

Source: the public SO-ARM100 hardware project (Apache-2.0), Simulation/SO101, "new calibration": each joint's
zero is the middle of its range. The shapes are this project's own. The tool frame is the published one: it lies
on the inner face of the fixed jaw, 6 mm before its tip, where the closed jaws meet.
"""

from typing import Final

import numpy as np

from workers.robot.arms.parts import BODY, HAND, PAD, Arm, Joint, Link, Shape

_JOINTS: Final = (
    Joint("shoulder_pan", "base", "shoulder",
          (0.0388353, 0.0, 0.0624), (np.pi, 0.0, -np.pi), -1.91986, 1.91986),
    Joint("shoulder_lift", "shoulder", "upper_arm",
          (-0.0303992, -0.0182778, -0.0542), (-np.pi / 2, -np.pi / 2, 0.0), -1.74533, 1.74533),
    Joint("elbow_flex", "upper_arm", "lower_arm",
          (-0.11257, -0.028, 0.0), (0.0, 0.0, np.pi / 2), -1.69, 1.69),
    Joint("wrist_flex", "lower_arm", "wrist",
          (-0.1349, 0.0052, 0.0), (0.0, 0.0, -np.pi / 2), -1.65806, 1.65806),
    Joint("wrist_roll", "wrist", "gripper",
          (0.0, -0.0611, 0.0181), (np.pi / 2, 0.0486795, np.pi), -2.74385, 2.84121),
    Joint("gripper", "gripper", "moving_jaw",
          (0.0202, 0.0188, -0.0234), (np.pi / 2, 0.0, 0.0), -0.174533, 1.74533),
)  # fmt: skip

_LINKS: Final = (
    Link("base", 0.147, (0.0137179, -5.2e-05, 0.0334843),
         (1.14686e-4, 1.36117e-4, 1.30364e-4, -4.59787e-7, 4.97151e-6, 9.75275e-8)),
    Link("shoulder", 0.100006, (-0.0307604, -1.667e-05, -0.0252713),
         (8.3759e-5, 8.10403e-5, 2.39783e-5, 7.55525e-8, -1.16342e-6, 1.54663e-7)),
    Link("upper_arm", 0.103, (-0.0898471, -0.00838224, 0.0184089),
         (4.08002e-5, 1.47318e-4, 1.42487e-4, -1.97819e-5, -4.03e-8, 8.97e-9)),
    Link("lower_arm", 0.104, (-0.0980701, 0.00324376, 0.0182831),
         (2.87438e-5, 1.59844e-4, 1.4529e-4, 7.41152e-6, 1.26409e-6, -4.9e-8)),
    Link("wrist", 0.079, (-0.000103312, -0.0386143, 0.0281156),
         (3.68263e-5, 2.5391e-5, 2.1e-5, 1.7893e-8, -5.28128e-8, 3.6412e-6)),
    Link("gripper", 0.087, (0.000213627, 0.000245138, -0.025187),
         (2.75087e-5, 4.33657e-5, 3.45059e-5, -3.35241e-7, -5.7352e-6, -5.17847e-8)),
    Link("moving_jaw", 0.012, (-0.00157495, -0.0300244, 0.0192755),
         (6.61427e-6, 1.89032e-6, 5.28738e-6, -3.19807e-7, -5.91e-9, -1.09945e-7)),
)  # fmt: skip

_SHAPES: Final = (
    Shape("base", "box", BODY, end_m=(0.02, 0.0, 0.028), half_m=(0.045, 0.032, 0.028)),
    Shape("shoulder", "box", BODY, end_m=(-0.022, 0.0, -0.030), half_m=(0.022, 0.024, 0.030)),
    Shape("upper_arm", "capsule", BODY, 0.016, (-0.005, -0.004, 0.018), (-0.108, -0.026, 0.018)),
    Shape("lower_arm", "capsule", BODY, 0.015, (0.0, 0.0, 0.018), (-0.1349, 0.0052, 0.018)),
    Shape("wrist", "capsule", HAND, 0.015, (0.0, 0.0, 0.0181), (0.0, -0.045, 0.0181)),
    Shape("gripper", "box", HAND, end_m=(0.002, 0.0, -0.018), half_m=(0.022, 0.018, 0.016)),
    Shape("gripper", "box", HAND, end_m=(-0.0205, 0.0, -0.064), half_m=(0.0030, 0.010, 0.034), touches=True),
    Shape("gripper", "box", PAD, end_m=(-0.0155, 0.0, -0.084), half_m=(0.0020, 0.009, 0.014),
          touches=True, pad=True),
    Shape("moving_jaw", "capsule", HAND, 0.0055, (0.0, 0.0, 0.0189), (-0.0300, -0.040, 0.0189)),
    Shape("moving_jaw", "box", PAD, end_m=(-0.022, -0.056, 0.0189), half_m=(0.0025, 0.018, 0.009),
          touches=True, pad=True),
)  # fmt: skip

SO101: Final = Arm(
    name="so101",
    joints=_JOINTS,
    links=_LINKS,
    shapes=_SHAPES,
    tool_parent="gripper",
    tool_xyz=(-0.0079, -0.000218121, -0.0981274),
    tool_rpy=(0.0, np.pi, 0.0),
)
