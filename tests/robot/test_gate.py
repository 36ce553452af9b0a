import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.robot.drivers.sim import RESET_POSE_DEG
from workers.robot.figures import GRIPPER, LOWER_DEG, UPPER_DEG
from workers.robot.gate import EndEffectorBox, Limit, Limits, admit
from workers.robot.kinematics import Kinematics
from workers.robot.solver import Pose

TOOL = Kinematics()
START = np.array(RESET_POSE_DEG)
BOX = EndEffectorBox(np.array([0.18, -0.12, 0.012]), np.array([0.32, 0.12, 0.16]))
LIMITS = Limits.of(1.0, 60.0, 800.0, (5.0,) * 5 + (20.0,), BOX)
DT_S = 0.02
REST = np.zeros(6)

anything = st.floats(allow_nan=True, allow_infinity=True)
requests = st.lists(
    st.lists(anything | st.floats(-200.0, 200.0), min_size=6, max_size=6), min_size=1, max_size=25
)


@settings(max_examples=80, deadline=None)
@given(requests)
def test_whatever_is_asked_the_goal_is_finite_in_limits_and_never_too_fast(asked: list[list[float]]) -> None:
    goal, velocity = START.copy(), REST
    for request in asked:
        verdict = admit(np.array(request), goal, velocity, goal, LIMITS, TOOL, DT_S)
        assert np.isfinite(verdict.goal_deg).all()
        assert (verdict.goal_deg >= np.add(LOWER_DEG, [1, 1, 1, 1, 1, 0]) - 1e-9).all()
        assert (verdict.goal_deg <= np.subtract(UPPER_DEG, [1, 1, 1, 1, 1, 0]) + 1e-9).all()
        assert (np.abs(verdict.goal_deg - goal) <= LIMITS.speed_deg_s * DT_S + 1e-9).all()
        gained = np.abs(verdict.velocity_deg_s) - np.abs(velocity)
        assert (gained <= LIMITS.acceleration_deg_s2 * DT_S + 1e-6).all()
        assert BOX.outside_m(TOOL.position(verdict.goal_deg)) < 2e-6
        goal, velocity = verdict.goal_deg, verdict.velocity_deg_s


@settings(max_examples=80, deadline=None)
@given(
    request=st.lists(anything, min_size=6, max_size=6),
    pushed=st.lists(st.floats(-60.0, 60.0), min_size=6, max_size=6),
)
def test_the_goal_never_leads_the_measured_arm_by_more_than_the_lead(
    request: list[float], pushed: list[float]
) -> None:
    measured = START + pushed
    verdict = admit(np.array(request), START, REST, measured, LIMITS, TOOL, DT_S)
    assert (np.abs(verdict.goal_deg - measured) <= LIMITS.lead_deg + 1e-9).all()


@settings(max_examples=200, deadline=None)
@given(
    request=st.lists(st.floats(-200.0, 200.0), min_size=6, max_size=6),
    lag=st.lists(st.floats(-20.0, 20.0), min_size=5, max_size=5),
    at=st.tuples(st.floats(0.18, 0.32), st.floats(-0.12, 0.12), st.floats(0.012, 0.16)),
)
def test_pulled_back_to_a_lagging_arm_the_goal_stays_in_the_box(
    request: list[float], lag: list[float], at: tuple[float, float, float]
) -> None:
    goal = TOOL.step(np.array(at), START, TOOL.reference(START)).joints_deg
    measured = np.clip(np.add(goal, [*lag, 0.0]), LIMITS.lower_deg, LIMITS.upper_deg)
    verdict = admit(np.array(request), goal, REST, measured, LIMITS, TOOL, DT_S)
    assert (np.abs(verdict.goal_deg - measured) <= LIMITS.lead_deg + 1e-9).all()
    before_m = max(BOX.outside_m(TOOL.position(joints)) for joints in (goal, measured))
    assert BOX.outside_m(TOOL.position(verdict.goal_deg)) <= before_m + 2e-6


def test_cutting_the_lead_of_one_joint_does_not_push_the_tool_out_of_the_box() -> None:
    # Near the table elbow and wrist lag behind: cut by themselves, they leave the shoulder to press the tool down.
    goal = TOOL.inverse(Pose(np.array([0.24, 0.0, 0.013]), np.diag([-1.0, 1.0, -1.0])), START).joints_deg
    measured = np.add(goal, [0.0, -4.0, 8.0, 8.0, 0.0, 0.0])
    assert BOX.outside_m(TOOL.position(measured)) == 0.0
    cut = np.clip(goal, measured - LIMITS.lead_deg, measured + LIMITS.lead_deg)
    assert BOX.outside_m(TOOL.position(cut)) > 0.003
    verdict = admit(goal, goal, REST, measured, LIMITS, TOOL, DT_S)
    assert verdict.clipped == {Limit.LEAD, Limit.BOX}
    assert BOX.outside_m(TOOL.position(verdict.goal_deg)) < 2e-6


def test_rate_is_told_only_while_the_arm_at_full_speed_is_not_fast_enough() -> None:
    def told(asked_deg_s: float, joint: int = 0) -> list[bool]:
        goal, velocity, asked, ticks = START.copy(), REST, START.copy(), []
        for _ in range(15):
            asked[joint] += asked_deg_s * DT_S
            verdict = admit(asked, goal, velocity, goal, LIMITS, TOOL, DT_S)
            goal, velocity = verdict.goal_deg, verdict.velocity_deg_s
            ticks.append(Limit.RATE in verdict.clipped)
        return ticks

    assert not any(told(50.0))  # gathering speed is not being held back
    assert all(told(90.0)[5:])
    assert not any(told(400.0, GRIPPER))  # the jaw opens and closes at its speed limit by design


@settings(max_examples=50, deadline=None)
@given(st.lists(anything, min_size=6, max_size=6))
def test_a_broken_measurement_holds_the_arm(measured: list[float]) -> None:
    broken = np.array(measured)
    broken[2] = np.nan
    verdict = admit(START + 5.0, START, REST, broken, LIMITS, TOOL, DT_S)
    assert (verdict.goal_deg == START).all()
    assert Limit.FINITE in verdict.clipped


def test_a_request_within_reach_arrives_exactly_and_at_rest() -> None:
    goal, velocity, wanted = START.copy(), REST, np.add(START, [5.0, 3.0, -4.0, -2.0, 6.0, -10.0])
    for _ in range(40):
        verdict = admit(wanted, goal, velocity, goal, LIMITS, TOOL, DT_S)
        goal, velocity = verdict.goal_deg, verdict.velocity_deg_s
    assert np.abs(goal - wanted).max() < 1e-6
    assert np.abs(velocity).max() < 1e-6
    assert not verdict.clipped


def test_it_brakes_before_it_arrives() -> None:
    goal, velocity, speeds = START.copy(), REST, []
    wanted = np.add(START, [20.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    for _ in range(60):
        verdict = admit(wanted, goal, velocity, goal, LIMITS, TOOL, DT_S)
        goal, velocity = verdict.goal_deg, verdict.velocity_deg_s
        speeds.append(float(velocity[0]))
    lost = -np.diff(speeds)
    # the last two ticks share what is not a whole tick's worth: at most an eighth more
    assert lost.max() <= 1.125 * LIMITS.acceleration_deg_s2[0] * DT_S + 1e-6
    assert max(speeds) > 50.0


def test_out_of_the_box_it_may_only_come_back() -> None:
    below = START.copy()
    below[1] += 55.0  # shoulder forward: the tool is under the table top
    outside_m = BOX.outside_m(TOOL.position(below))
    assert outside_m > 0.01
    deeper = admit(np.add(below, [0, 10, 0, 0, 0, 0]), below, REST, below, LIMITS, TOOL, DT_S)
    back = admit(START, below, REST, below, LIMITS, TOOL, DT_S)
    assert Limit.BOX in deeper.clipped
    assert BOX.outside_m(TOOL.position(deeper.goal_deg)) <= outside_m + 1e-6
    assert BOX.outside_m(TOOL.position(back.goal_deg)) < outside_m


def test_the_operator_is_told_which_limit_narrowed_a_request() -> None:
    far = admit(np.add(START, [0, 0, 0, 0, 500.0, 0]), START, LIMITS.speed_deg_s, START, LIMITS, TOOL, DT_S)
    assert far.clipped == {Limit.JOINT, Limit.RATE}
    nan = admit(np.full(6, np.nan), START, REST, START, LIMITS, TOOL, DT_S)
    assert nan.clipped == {Limit.FINITE}
    assert (nan.goal_deg == START).all()
