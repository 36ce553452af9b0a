"""Gymnasium environments between our pipelines: what goes in, what comes out, who drives, what is refused."""

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest

from tests.actor.worlds import GOAL, ODD, POINT, PREFIX, SEEN, Odd, Point
from workers.actor.environment import ArmUnavailable
from workers.actor.gym_env import GymEnv, gym_env
from workers.config import Config, parse
from workers.processors.build import feature_spec, pipelines_of
from workers.processors.describe import described
from workers.processors.errors import EnvironmentRefused
from workers.processors.transition import Judgement
from workers.teleop.build import scripted_operator_of
from workers.teleop.scripts import TaskView

STAY = np.array([0.0, 0.0, 1.0], np.float32)
CLOSE, OPEN = 0.0, 2.0


def configured(name: str, rest: str = "") -> Config:
    return parse(f'schema_version = 2\nrun.name = "g"\nenv.type = "gymnasium"\nenv.id = "{name}"\n{rest}')


def opened(name: str = POINT, rest: str = "", **kwargs: Any) -> GymEnv:
    env = gym_env(configured(name, rest), **kwargs)
    env.reset(seed=1)
    return env


def stepped(env: GymEnv, *action: float) -> tuple[Any, ...]:
    env.begin_step(np.array(action, np.float32))
    return env.finish_step()


def world() -> Point:
    return Point.made[-1]


def test_motion_is_spread_over_the_bounds_of_each_element() -> None:
    env = opened()
    for action, meant in (((1.0, 1.0), (0.5, 0.4)), ((-1.0, -1.0), (-0.5, -0.2)), ((0.0, 0.0), (0.0, 0.1))):
        stepped(env, *action, 1.0)
        assert world().actions[-1] == pytest.approx([*meant, 1.0])


@pytest.mark.parametrize("closed_at", [0, 100])
def test_the_gripper_command_passes_as_the_environment_has_it(closed_at: int) -> None:
    env = opened(POINT, f"env.processor.gripper.closed_at = {closed_at}")
    assert (env.features.motion_dim, env.features.gripper) == (2, True)
    for command in (CLOSE, 1.0, OPEN):
        outcome = stepped(env, 0.0, 0.0, command)[4]
        assert world().actions[-1][2] == pytest.approx(2.0 - command if closed_at else command)
        assert outcome["executed_action"][2] == command  # what is learned from keeps our meaning


def test_without_use_gripper_every_element_is_motion() -> None:
    env = opened(POINT, "env.processor.gripper.use_gripper = false")
    assert (env.features.motion_dim, env.features.gripper) == (3, False)
    assert "discrete_penalty" not in stepped(env, 0.0, 0.0, 0.0)[4]
    assert world().actions[-1][2] == pytest.approx(1.0)


def test_a_period_is_one_step_of_the_environment_whoever_drives() -> None:
    env = opened()
    outcome = stepped(env, 0.25, 0.0, 1.0)[4]
    assert not outcome["is_intervention"]
    assert outcome["executed_action"] == pytest.approx([0.25, 0.0, 1.0])
    env.begin_step(np.array([0.9, 0.9, OPEN], np.float32))
    for _ in range(3):
        env.nudge(np.array([-0.5, 0.0, 1.0], np.float32))
    env.nudge(np.array([0.0, 0.25, CLOSE], np.float32))
    outcome = env.finish_step()[4]
    assert len(world().actions) == 2
    assert outcome["is_intervention"]
    assert outcome["executed_action"] == pytest.approx(
        [-1.0, 0.25, CLOSE]
    )  # summed, clipped; nothing of the policy's


def test_a_person_who_keeps_still_intervenes_too() -> None:
    env = opened()
    env.begin_step(STAY, human_action=STAY)
    assert env.finish_step()[4]["is_intervention"]


def test_the_penalty_falls_on_exactly_the_steps_that_toggle_the_gripper() -> None:
    env = opened(POINT, "env.processor.gripper.gripper_penalty = -0.5")
    commands = (OPEN, CLOSE, CLOSE, 1.0, CLOSE, OPEN, 1.0, CLOSE)
    paid = [stepped(env, 0.0, 0.0, command)[4]["discrete_penalty"] for command in commands]
    assert paid == [0.0, -0.5, 0.0, 0.0, 0.0, -0.5, 0.0, -0.5]


def test_numbers_become_state_in_order_of_their_keys_and_scaled_by_their_bounds() -> None:
    env = opened()
    observation, _ = env.reset(seed=3)
    at = world()._at
    symlog = np.sign(GOAL) * np.log1p(100.0)
    assert observation["observation.state"] == pytest.approx([*(at / 4.0), *symlog], abs=1e-6)
    assert env.features == feature_spec(configured(POINT))


def test_pictures_keep_the_names_of_their_keys_and_come_to_one_size() -> None:
    resize = "env.processor.image_preprocessing.resize_size = [32, 64]\n"
    crop = (
        'env.processor.image_preprocessing.crop_params_dict = { "observation.images.wrist" = [0, 8, 40, 40] }'
    )
    env = opened(SEEN, resize + crop)
    observation, _ = env.reset(seed=0)
    assert env.features.cameras == ("front", "wrist") == env.views
    for camera, value in (("front", 10), ("wrist", 20)):
        picture = observation[f"observation.images.{camera}"]
        assert picture.shape == (32, 64, 3) and picture.dtype == np.uint8 and (picture == value).all()
    assert env.pictures()["front"].shape == (48, 48, 3)  # a person sees them whole


def test_an_environment_without_pictures_is_rendered_for_the_person_alone() -> None:
    env = opened()
    assert env.views == ("render",) and env.features.cameras == ()
    assert world().renders == 0
    assert env.pictures()["render"].shape == (40, 60, 3)


def test_the_policy_gets_a_batch_of_one() -> None:
    env = gym_env(configured(SEEN), device="cpu")
    info = env.reset(seed=0)[1]
    assert info["policy_input"]["observation.state"].shape == (1, 4)
    assert info["policy_input"]["observation.images.front"].shape == (1, 48, 48, 3)


def test_the_same_seed_gives_the_same_start_also_where_numpys_own_generator_is_used() -> None:
    env = opened()
    starts = [env.reset(seed=seed)[0]["observation.state"] for seed in (5, 6, 5)]
    assert (starts[0] == starts[2]).all() and (starts[0] != starts[1]).any()


def test_the_time_limit_is_the_configured_number_of_steps() -> None:
    env = opened(ODD, "env.fps = 10\nenv.processor.reset.control_time_s = 0.7")
    assert [stepped(env, 0.0, 0.0)[3] for _ in range(7)] == [False] * 6 + [True]


@pytest.fixture
def outcome() -> Iterator[type[Odd]]:
    """The environment whose next outcome a test may set."""
    before = Odd.space, Odd.actions, Odd.outcome
    yield Odd
    Odd.space, Odd.actions, Odd.outcome = before


@pytest.mark.parametrize("key", ["is_success", "succeed", "success"])
def test_reward_and_ends_are_the_environments_own(outcome: type[Odd], key: str) -> None:
    outcome.outcome = (np.zeros(2, np.float32), -3.5, True, False, {key: np.True_, "more": 7})
    _, reward, terminated, truncated, info = stepped(opened(ODD), 0.0, 0.0)
    assert (reward, terminated, truncated, info["is_success"], info["more"]) == (-3.5, True, False, True, 7)
    outcome.outcome = (np.zeros(2, np.float32), 1.0, False, True, {})
    _, reward, terminated, truncated, info = stepped(opened(ODD), 0.0, 0.0)
    assert (reward, terminated, truncated, info["is_success"]) == (1.0, False, True, False)


def test_success_ends_the_episode_where_that_is_configured(outcome: type[Odd]) -> None:
    outcome.outcome = (np.zeros(2, np.float32), 1.0, False, True, {"success": True})
    assert stepped(opened(ODD), 0.0, 0.0)[2:4] == (True, False)
    on = opened(ODD, "env.processor.reset.terminate_on_success = false")
    assert stepped(on, 0.0, 0.0)[2:4] == (False, True)


@pytest.mark.parametrize(
    ("judgement", "own", "meant"),
    [
        (Judgement.SUCCESS, -3.0, (1.0, True)),
        (Judgement.SUCCESS, 5.0, (5.0, True)),
        (Judgement.FAILURE, 5.0, (0.0, False)),
        (Judgement.FAILURE, -3.0, (-3.0, False)),
        (Judgement.RERECORD, 0.0, (0.0, False)),
    ],
)
def test_a_persons_verdict_overrules_the_environments(
    outcome: type[Odd], judgement: Judgement, own: float, meant: tuple[float, bool]
) -> None:
    outcome.outcome = (np.zeros(2, np.float32), own, False, False, {"success": not meant[1]})
    env = opened(ODD)
    env.begin_step(np.zeros(2, np.float32))
    env.judge(judgement)
    _, reward, terminated, truncated, info = env.finish_step()
    assert (reward, info["is_success"]) == meant
    assert terminated and not truncated
    env.begin_step(np.zeros(2, np.float32))  # and it is forgotten with its step
    assert env.finish_step()[2] is not meant[1]


def test_a_classifier_decides_where_one_is_configured(outcome: type[Odd]) -> None:
    outcome.outcome = (np.zeros(2, np.float32), 0.0, False, False, {"success": True})
    votes = 'env.processor.reward_classifier = { pretrained_path = "simulated", votes = 2, window = 2 }'
    env = opened(ODD, votes)
    assert [stepped(env, 0.0, 0.0)[4]["is_success"] for _ in range(2)] == [False, True]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_observation_that_is_no_number_is_refused_by_its_name(outcome: type[Odd], value: float) -> None:
    outcome.outcome = (np.array([0.0, value], np.float32), 0.0, False, False, {})
    with pytest.raises(ArmUnavailable, match=r"VanillaObservationProcessor: state\.1: not a finite number"):
        stepped(opened(ODD), 0.0, 0.0)


def test_no_step_is_taken_while_the_stop_key_is_latched() -> None:
    trouble = ""
    env = opened(trouble=lambda: trouble)
    stepped(env, 0.0, 0.0, 1.0)
    env.begin_step(STAY)
    trouble = "stopped: stop key"
    for call in (env.finish_step, lambda: env.begin_step(STAY), lambda: env.reset(seed=0)):
        with pytest.raises(ArmUnavailable, match="stop key"):
            call()
    assert len(world().actions) == 1
    trouble = ""
    stepped(env, 0.0, 0.0, 1.0)
    assert len(world().actions) == 2


@pytest.mark.parametrize(
    ("name", "state_dim"), [("Pendulum-v1", 3), ("MountainCarContinuous-v0", 2), (PREFIX + POINT, 4)]
)
def test_registered_environments_run_as_they_are(name: str, state_dim: int) -> None:
    env = opened(name)
    assert env.features.state_dim == state_dim
    rng = np.random.default_rng(0)
    for _ in range(30):
        action = rng.uniform(-1.0, 1.0, env.features.motion_dim)
        observation, *_ = stepped(env, *action, *([1.0] if env.features.gripper else []))
        assert np.isfinite(observation["observation.state"]).all()
    env.close()


def test_the_pipelines_describe_themselves() -> None:
    text = described(pipelines_of(configured(SEEN), "cpu"))
    for words in (
        "agent_pos.0, agent_pos.1, environment_state.0",
        "motion.0, motion.1, gripper",
        "GripperLatch",
    ):
        assert words in text
    assert "InverseKinematics" not in text


@pytest.mark.parametrize(
    ("name", "rest", "said"),
    [
        ("Pendullum-v1", "", r'env\.id: no environment "Pendullum-v1" is registered.*mean "Pendulum-v1"'),
        ("CartPole-v1", "", r"env\.id: its action space is Discrete\(2\)"),
        ("nowhere/Thing-v0", "", r"env\.id: .*registered by 'nowhere', which is not installed"),
        ("no_such_module:Thing-v0", "", r"env\.id: .*registered by 'no_such_module'"),
        ("Pendulum-v1", "env.kwargs = { gravitty = 1.0 }", r"env\.kwargs: .*gravitty"),
        (ODD, 'env.kwargs = { fail = "no luck" }', r"env\.id: .*could not be made: RuntimeError: no luck"),
        (ODD, 'env.kwargs = { fail = "EGL is missing" }', r"OpenGL, which did not start.*apt install"),
        (SEEN, "env.kwargs = { size = 31 }", r"resize_size: missing; pictures of 31x31.*even sides"),
        (
            SEEN,
            'env.processor.image_preprocessing.crop_params_dict = { "observation.images.top" = [0, 0, 32, 32] }',
            r'crop_params_dict\."observation\.images\.top": .*"observation\.images\.front"',
        ),
        (
            SEEN,
            'env.processor.image_preprocessing.crop_params_dict = { "observation.images.front" = [0, 0, 32, 64] }',
            r"reaches row 32 and column 64, but the picture has 48 rows and 48 columns",
        ),
        (
            SEEN,
            'env.processor.image_preprocessing.crop_params_dict = { "observation.images.front" = [0, 0, 32, 32] }',
            r"resize_size: missing; the pictures differ in size \(32x32, 48x48\)",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_key_with_what_to_do(name: str, rest: str, said: str) -> None:
    with pytest.raises(EnvironmentRefused, match=said):
        gym_env(configured(name, rest))


def test_a_missing_extra_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.processors import gymnasium_make

    monkeypatch.setattr(gymnasium_make.importlib.util, "find_spec", lambda name: None)
    for spec in [spec for spec in gymnasium.registry if spec.startswith("gym_hil/")]:
        monkeypatch.delitem(gymnasium.registry, spec)
    with pytest.raises(EnvironmentRefused, match=r"pip install 'hilserl-tui\[gym-hil\]'"):
        gym_env(configured("gym_hil/PandaPickCube-v0"))


# gym-hil itself, an optional extra

PANDA = """
env.kwargs = { image_obs = %s, reset_delay_seconds = 0.0, random_block_position = true }
env.processor.gripper.closed_at = 100
"""


def panda(image_obs: str) -> tuple[GymEnv, Config]:
    """gym-hil's pick-and-lift with its ground truth, or a skipped test and why."""
    pytest.importorskip("gym_hil", reason="gym-hil is not installed: pip install 'hilserl-tui[gym-hil]'")
    from workers.actor.gym_truth import truth_of

    config = configured("gym_hil/PandaPickCube-v0", PANDA % image_obs)
    try:
        return gym_env(config, truth=truth_of(config.env)), config
    except EnvironmentRefused as refused:
        if "OpenGL" in str(refused):
            pytest.skip(f"no OpenGL here: {refused}")
        raise


def test_the_scripted_person_picks_gym_hils_cube() -> None:
    env, config = panda("false")
    assert (env.features.state_dim, env.features.motion_dim, env.features.gripper) == (21, 3, True)
    person = scripted_operator_of(config, np.random.default_rng(0))
    assert person is not None
    for seed in range(3):
        info = env.reset(seed=seed)[1]
        for _ in range(40):
            env.begin_step(person.action(TaskView.of(info)))
            _, reward, terminated, _, info = env.finish_step()
            if terminated:
                break
        assert info["is_success"] and reward == 1.0
    env.close()


def test_gym_hils_pictures_are_seen_and_its_gripper_closes_by_our_command() -> None:
    env, _ = panda("true")
    assert env.features.cameras == ("front", "wrist")
    observation, before = env.reset(seed=0)
    assert observation["observation.images.front"].std() > 5.0
    for _ in range(3):
        info = stepped(env, 0.0, 0.0, 0.0, CLOSE)[4]
    assert info["gripper_pct"] < before["gripper_pct"] - 50.0
    env.close()


def test_what_the_environment_s_own_code_raises_ends_the_run_and_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    env = opened()

    def broken(self: Point, action: np.ndarray) -> None:
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr(Point, "step", broken)
    with pytest.raises(
        EnvironmentRefused, match=r"worlds/Point-v0. failed in step: RuntimeError: a wheel came off"
    ):
        stepped(env, 0.0, 0.0, 1.0)


def test_a_reward_that_is_no_number_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    env, step = opened(), Point.step
    monkeypatch.setattr(
        Point, "step", lambda self, action: (step(self, action)[0], float("nan"), False, False, {})
    )
    with pytest.raises(EnvironmentRefused, match="the reward is nan"):
        stepped(env, 0.0, 0.0, 1.0)
