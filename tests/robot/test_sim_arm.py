import numpy as np

from workers.robot.drivers.sim import CUBE_X_M, CUBE_Y_M, RESET_POSE_DEG, SimArm


def test_the_same_seed_and_goals_give_the_same_motion_bit_for_bit() -> None:
    def run() -> np.ndarray:
        arm = SimArm()
        arm.reset(np.random.default_rng(5))
        goal = np.array(RESET_POSE_DEG)
        for _ in range(50):
            goal[:5] += 0.3
            arm.write(goal)
            arm.advance(0.02)
        return arm.scene()

    assert run().tobytes() == run().tobytes()


def test_cubes_lie_where_the_task_says() -> None:
    arm, rng = SimArm(), np.random.default_rng(0)
    for _ in range(50):
        arm.reset(rng)
        x, y, z = arm.cube_position_m()
        assert CUBE_X_M[0] <= x <= CUBE_X_M[1] and CUBE_Y_M[0] <= y <= CUBE_Y_M[1] and z == 0.0125
        assert not arm.success()


def test_the_arm_starts_ten_centimetres_above_the_table_and_stays_there() -> None:
    arm = SimArm()
    start = arm.tool_position_m()
    arm.advance(2.0)
    assert abs(start[2] - 0.10) < 0.005
    assert np.abs(arm.tool_position_m() - start).max() < 0.003


def test_time_passes_in_whole_physics_steps_and_nothing_is_lost() -> None:
    arm = SimArm()
    for _ in range(100):
        arm.advance(0.0101)
    assert abs(arm.read().stamp_s - 1.01) < 0.0041
