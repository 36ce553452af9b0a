"""Forward kinematics: against the simulator, and against the published models of both arms.

The figures in the tables were computed with pinocchio from the files of the SO-ARM100 hardware project at commit
fda892cb: Simulation/SO101/so101_new_calib.urdf and Simulation/SO100/so100.urdf.
"""

import numpy as np
import pytest

from workers.robot.arm_model import builtin_model
from workers.robot.arms import SO100, SO101, Arm
from workers.robot.drivers.sim import SimArm
from workers.robot.figures import LOWER_DEG, TOOL_NAME, UPPER_DEG, model_joints, public_joints
from workers.robot.kinematics import Kinematics

KINEMATICS = Kinematics()

Row = tuple[tuple[float, ...], ...]

# joints in degrees; of gripper_frame_link: position in metres, its x and its z axis
PUBLISHED_SO101: tuple[Row, ...] = (
    ((98, -28, 55, 17, -63), (0.01273, -0.23564, 0.05945), (0.9428, 0.1552, -0.295), (-0.1001, -0.7123, -0.6947)),
    ((81, -27, 92, -52, 101), (0.06561, -0.21993, 0.07504), (-0.9725, -0.1866, 0.1392), (0.1524, -0.9624, -0.2249)),
    ((-6, -94, 76, 14, -32), (0.23944, 0.02526, 0.18782), (-0.0027, 0.5734, -0.8193), (0.9921, 0.1043, 0.0698)),
    ((33, -31, 1, -25, -140), (0.2066, -0.10325, 0.43343), (-0.2178, 0.8625, 0.4568), (0.481, -0.3124, 0.8192)),
    ((75, 64, 32, -6, 153), (0.07178, -0.13806, -0.15315), (-0.2553, -0.9669, 0.0), (0.0, 0.0, -1.0)),
    ((-56, 14, 88, 54, -39), (-0.01338, -0.06861, 0.02677), (-0.722, 0.1212, 0.6811), (-0.5108, -0.7574, -0.4067)),
    ((4, 80, 42, -19, -9), (0.07448, -0.00127, -0.16198), (-0.9372, 0.2703, 0.2202), (-0.2244, 0.0157, -0.9744)),
    ((-2, -54, -79, -78, -88), (-0.23783, -0.00193, 0.21862), (-0.0278, 0.9995, -0.0118), (-0.8566, -0.0299, -0.515)),
    ((-71, 14, 20, 89, -11), (0.07205, 0.10104, 0.0186), (-0.4905, -0.6925, 0.5289), (-0.1773, -0.515, -0.8387)),
    ((-102, 29, 93, -86, 133), (0.00853, 0.17175, -0.00501), (0.6681, 0.53, 0.5223), (-0.1682, 0.7913, -0.5878)),
)  # fmt: skip

# published joints in rad; position of link wrist, position of link gripper (metres), its -y and its x axis
PUBLISHED_SO100: tuple[Row, ...] = (
    ((0.7, 0.09, -2.95, -2.0, 2.52), (-0.14157, 0.12288, 0.13298), (-0.14903, 0.13174, 0.07401),
     (-0.1242, 0.1474, -0.9812), (0.0685, -0.9853, -0.1567)),
    ((0.65, 2.27, -2.22, -0.55, -0.11), (0.14425, -0.23495, 0.23585), (0.18017, -0.2822, 0.24533),
     (0.5976, -0.7861, 0.1578), (0.1823, -0.0584, -0.9815)),
    ((-0.18, 2.61, -2.01, 0.92, 2.21), (-0.04638, -0.30007, 0.1323), (-0.04329, -0.28312, 0.07473),
     (0.0513, 0.2821, -0.958), (-0.8919, -0.4186, -0.171)),
    ((-1.09, 3.05, -1.64, -0.62, 0.26), (-0.17941, -0.13879, 0.00513), (-0.20207, -0.15061, -0.04926),
     (-0.377, -0.1967, -0.9051), (0.6566, 0.6324, -0.4109)),
    ((1.52, 2.12, -2.81, 0.23, -2.43), (0.17004, -0.05384, 0.32746), (0.22965, -0.05687, 0.33456),
     (0.9917, -0.0504, 0.1181), (-0.0562, 0.6567, 0.752)),
    ((0.68, 1.63, -2.94, -0.2, -0.84), (0.02403, -0.07491, 0.36968), (0.03883, -0.09321, 0.42498),
     (0.2462, -0.3045, 0.9201), (0.9652, -0.0093, -0.2614)),
    ((-1.35, 0.64, -0.02, -0.26, 0.55), (-0.0637, -0.0595, 0.14305), (-0.10849, -0.06955, 0.10426),
     (-0.7453, -0.1673, -0.6454), (0.4224, 0.6305, -0.6512)),
    ((-0.47, 0.54, -1.23, -1.0, -0.61), (-0.00438, -0.05381, 0.2905), (-0.01038, -0.06563, 0.34912),
     (-0.0999, -0.1966, 0.9754), (0.1487, -0.9722, -0.1808)),
    ((-0.32, 0.18, -0.31, -1.11, 1.35), (-0.01298, -0.08436, 0.19372), (-0.02475, -0.11989, 0.24074),
     (-0.1959, -0.5912, 0.7823), (-0.9801, 0.1443, -0.1364)),
    ((-0.24, 1.18, -3.04, -0.08, -2.52), (0.01982, 0.03579, 0.34149), (0.02021, 0.0374, 0.40156),
     (0.0066, 0.0268, 0.9996), (0.7588, 0.6509, -0.0225)),
)  # fmt: skip


def test_forward_kinematics_agrees_with_the_simulator() -> None:
    arm, rng = SimArm(), np.random.default_rng(1)
    for _ in range(50):
        joints = rng.uniform(LOWER_DEG, UPPER_DEG)
        arm.place(joints)
        assert np.abs(KINEMATICS.forward(joints).position_m - arm.tool_position_m()).max() < 1e-6


def test_degrees_and_percent_survive_a_round_trip_through_radians() -> None:
    joints = np.array([10.0, -20.0, 30.0, -40.0, 50.0, 60.0])
    assert public_joints(model_joints(joints)) == pytest.approx(joints)
    assert (public_joints(model_joints(LOWER_DEG))[5], public_joints(model_joints(UPPER_DEG))[5]) == (
        pytest.approx(0.0, abs=1e-9),
        pytest.approx(100.0),
    )


@pytest.mark.parametrize("row", PUBLISHED_SO101, ids=lambda row: str(row[0]))
def test_the_so101_is_where_its_published_model_says(row: Row) -> None:
    joints, position, x, z = row
    pose = KINEMATICS.forward(np.array([*joints, 0.0]))
    assert pose.position_m == pytest.approx(position, abs=2e-5)
    assert pose.rotation[:, 0] == pytest.approx(x, abs=2e-4)
    assert pose.rotation[:, 2] == pytest.approx(z, abs=2e-4)


@pytest.mark.parametrize("row", PUBLISHED_SO100, ids=lambda row: str(row[0]))
def test_the_so100_is_where_its_published_model_says(row: Row) -> None:
    published, wrist, gripper, ahead, across = row
    # How published angles read here: see arms/so100.py. The published arm looks along -y, ours along x.
    pan, lift, elbow, flex, roll = published
    ours_rad = (-pan, lift - 1.8, elbow + np.pi / 2, flex + np.pi / 2 - 1.0, roll)
    joints = np.array([*np.rad2deg(ours_rad), 0.0])
    turned = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    model = builtin_model(SO100)
    hand = Kinematics(frame="gripper", model=model).forward(joints)
    assert Kinematics(frame="wrist", model=model).position(joints) == pytest.approx(turned @ wrist, abs=3e-5)
    assert hand.position_m == pytest.approx(turned @ gripper, abs=3e-5)
    assert -hand.rotation[:, 2] == pytest.approx(turned @ ahead, abs=2e-4)
    assert -hand.rotation[:, 0] == pytest.approx(turned @ across, abs=2e-4)


def test_equal_angles_mean_equal_postures_on_both_arms() -> None:
    """Up to the build: the SO-100 is up to 2 cm longer here and there, its jaws upright at another roll."""
    so100, rng = Kinematics(model=builtin_model(SO100)), np.random.default_rng(2)
    for joints in rng.uniform(-80.0, 80.0, (50, 6)):
        ours, theirs = KINEMATICS.forward(joints), so100.forward(joints)
        assert np.linalg.norm(ours.position_m - theirs.position_m) < 0.02
        assert ours.rotation[:, 2] @ theirs.rotation[:, 2] > 1.0 - 1e-6


def test_lerobot_s_example_pose_puts_the_tool_ahead_and_pointing_down() -> None:
    for arm, position in (
        (KINEMATICS, (0.2242, 0.0, 0.0751)),
        (Kinematics(model=builtin_model(SO100)), (0.2308, 0.0, 0.0765)),
    ):
        pose = arm.forward(np.array([0.0, 0.0, 0.0, 90.0, 0.0, 5.0]))
        assert pose.position_m == pytest.approx(position, abs=1e-4)
        assert pose.rotation[2, 2] == pytest.approx(-1.0)


@pytest.mark.parametrize("frame", ["wrist", TOOL_NAME])
@pytest.mark.parametrize("arm", [SO100, SO101])
def test_the_position_in_plain_numbers_is_the_pose_of_the_library(arm: Arm, frame: str) -> None:
    kinematics, rng = Kinematics(frame=frame, model=builtin_model(arm)), np.random.default_rng(3)
    for joints in rng.uniform(LOWER_DEG, UPPER_DEG, (50, 6)):
        exact_m = kinematics.forward(joints).position_m
        assert kinematics.point(joints.tolist()) == pytest.approx(exact_m, abs=1e-12)
        assert kinematics.position(joints) == pytest.approx(exact_m, abs=1e-12)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_joint_that_is_no_number_has_the_tool_nowhere(broken: float) -> None:
    joints = np.zeros(6)
    joints[1] = broken
    assert np.isnan(KINEMATICS.position(joints)).all()
