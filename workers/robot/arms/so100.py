"""The SO-100 in figures.

Source: the public SO-ARM100 hardware project (Apache-2.0), Simulation/SO100/so100.urdf. That model looks along
its own -y, folds up at zero and turns the base the other way. Here the figures are written in the frames of the
SO-101, and a joint angle means the same posture on both arms:

    shoulder_pan  = -published      shoulder_lift = published - 1.8       elbow_flex = published + pi/2
    wrist_flex    = published + pi/2 - 1                                  wrist_roll, gripper = published

The servos sit in both arms with the horn to the same side, so the signs are those of LeRobot's readings. Its
zero is the middle of the range that was recorded at calibration; the middles of the published ranges are here at
0, -2.9, 0, -4.5 and 0 degrees. (On the SO-101 the jaws are upright at a wrist_roll of 2.8 degrees, here at 0.)

The tool frame lies where the SO-101 has it on the same finger: on the inner face of the fixed jaw, 6 mm before
its tip, where the closed jaws meet. The SO-100's finger reaches 2 mm further. The shapes are this project's own.
"""

from typing import Final

import numpy as np

from workers.robot.arms.parts import BODY, HAND, PAD, Arm, Joint, Link, Shape

_JOINTS: Final = (
    Joint("shoulder_pan", "base", "shoulder", (0.0452, 0.0, 0.0165), (np.pi, 0.0, -np.pi), -2.0, 2.0),
    Joint("shoulder_lift", "shoulder", "upper_arm",
          (-0.0306, 0.0, -0.1025), (-np.pi / 2, -np.pi / 2, 0.0), -1.8, 1.7),
    Joint("elbow_flex", "upper_arm", "lower_arm",
          (-0.11257, -0.028, 0.0), (0.0, 0.0, np.pi / 2), -np.pi / 2, np.pi / 2),
    Joint("wrist_flex", "lower_arm", "wrist",
          (-0.1349, 0.0052, 0.0), (0.0, 0.0, -np.pi / 2), np.pi / 2 - 3.5, np.pi / 2 + 0.2),
    Joint("wrist_roll", "wrist", "gripper", (0.0, -0.0601, 0.0), (np.pi / 2, 0.0, np.pi), -np.pi, np.pi),
    Joint("gripper", "gripper", "moving_jaw", (0.0202, 0.0, -0.0244), (np.pi / 2, 0.0, 0.0), -0.2, 2.0),
)  # fmt: skip

# The published mass of the base is a stand-in; it stands still.
_LINKS: Final = (
    Link("base", 1.0, (0.0, 0.0, 0.0), (0.01, 0.01, 0.01, 0.0, 0.0, 0.0)),
    Link("shoulder", 0.119226, (-0.031089, -9.07886e-05, -0.0590972),
         (3.13712e-5, 5.94278e-5, 5.89975e-5, 0.0, 0.0, 0.0)),
    Link("upper_arm", 0.162409, (-0.0701802, -0.00310545, -1.72052e-05),
         (1.67164e-4, 7.01522e-5, 2.13312e-4, 0.0, 0.0, 0.0)),
    Link("lower_arm", 0.147968, (-0.0768007, 0.00137796, -0.00339604),
         (4.84242e-5, 1.07748e-4, 1.38803e-4, 0.0, 0.0, 0.0)),
    Link("wrist", 0.0661321, (2.34622e-05, -0.0352279, -0.00852653),
         (1.94704e-5, 2.39041e-5, 3.45403e-5, 0.0, 0.0, 0.0)),
    Link("gripper", 0.0929859, (-0.00552377, 0.000483583, -0.0280167),
         (5.03136e-5, 2.72961e-5, 4.64098e-5, 0.0, 0.0, 0.0)),
    Link("moving_jaw", 0.0202444, (-0.00161745, -0.0303473, 0.000449646),
         (1.11265e-5, 8.99651e-6, 2.99548e-6, 0.0, 0.0, 0.0)),
)  # fmt: skip

_SHAPES: Final = (
    Shape("base", "box", BODY, end_m=(0.023, 0.0, 0.010), half_m=(0.048, 0.055, 0.010)),
    Shape("base", "box", BODY, end_m=(0.030, 0.0, 0.042), half_m=(0.030, 0.027, 0.022)),
    Shape("shoulder", "box", BODY, end_m=(-0.020, 0.0, -0.075), half_m=(0.030, 0.026, 0.035)),
    Shape("upper_arm", "capsule", BODY, 0.016, (-0.005, -0.004, 0.0), (-0.108, -0.026, 0.0)),
    Shape("lower_arm", "capsule", BODY, 0.015, (0.0, 0.0, 0.0), (-0.1349, 0.0052, 0.0)),
    Shape("wrist", "capsule", HAND, 0.015, (0.0, 0.0, 0.0), (0.0, -0.045, 0.0)),
    Shape("gripper", "box", HAND, end_m=(0.002, 0.0, -0.018), half_m=(0.022, 0.018, 0.016)),
    Shape("gripper", "box", HAND, end_m=(-0.0205, 0.0, -0.066), half_m=(0.0030, 0.010, 0.034), touches=True),
    Shape("gripper", "box", PAD, end_m=(-0.0155, 0.0, -0.086), half_m=(0.0020, 0.009, 0.014),
          touches=True, pad=True),
    Shape("moving_jaw", "capsule", HAND, 0.0055, (0.0, 0.0, 0.0), (-0.0300, -0.040, 0.0)),
    Shape("moving_jaw", "box", PAD, end_m=(-0.022, -0.056, 0.0), half_m=(0.0025, 0.018, 0.009),
          touches=True, pad=True),
)  # fmt: skip

SO100: Final = Arm(
    name="so100",
    joints=_JOINTS,
    links=_LINKS,
    shapes=_SHAPES,
    tool_parent="gripper",
    tool_xyz=(-0.0079, 0.0, -0.1001274),
    tool_rpy=(0.0, np.pi, 0.0),
)
