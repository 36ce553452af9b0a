"""Episodes for a dataset: failures stay, success may be marked step by step, idling is left out."""

import numpy as np
import pytest

from tests.actor.test_episode import Bench
from tests.altered import altered
from workers.actor.rules import Rules
from workers.actor.sim_env import sim_env, without_cameras
from workers.config import load
from workers.config.ready import ready_config
from workers.model.commands import Axis, Jog, Mark, Verdict
from workers.model.events import EndedBy, EpisodeKind
from workers.transport.record import EpisodeEnd, Outcome

RECORD = Rules(keep_failures=True)
DEMONSTRATION = EpisodeKind.DEMONSTRATION


@pytest.fixture(scope="module")
def bench():
    made = Bench(*sim_env(without_cameras(load(ready_config()))))
    yield made
    made.env.close()


@pytest.fixture(scope="module")
def marking():
    """An environment in which a success does not end the episode."""
    keys = {"env.processor.reset.terminate_on_success": False, "env.processor.reset.control_time_s": 1.0}
    made = Bench(*sim_env(without_cameras(altered(keys))))
    yield made
    made.env.close()


def end_of(bench: Bench) -> EpisodeEnd:
    assert isinstance(bench.records[-1], EpisodeEnd)
    return bench.records[-1]


def test_a_failure_is_kept_with_reward_0(bench: Bench) -> None:
    result = bench.run(DEMONSTRATION, {3: [Mark(Verdict.FAILURE)]}, person=True, rules=RECORD)
    assert (result.ended_by, result.steps, result.reward) == (EndedBy.FAILURE, 4, 0.0)
    assert end_of(bench).outcome is Outcome.FAILURE and not end_of(bench).discard


def test_an_episode_that_ran_out_of_time_is_kept(bench: Bench) -> None:
    bench.run(DEMONSTRATION, {}, person=True, rules=RECORD)
    assert end_of(bench).outcome is Outcome.TIME_LIMIT and not end_of(bench).discard


def test_an_episode_to_be_recorded_again_is_dropped_all_the_same(bench: Bench) -> None:
    bench.run(DEMONSTRATION, {3: [Mark(Verdict.RERECORD)]}, person=True, rules=RECORD)
    assert end_of(bench).discard


def test_the_success_key_marks_steps_until_it_is_pressed_again(marking: Bench) -> None:
    rules = Rules(keep_failures=True, end_on_success=False)
    keys = {2: [Mark(Verdict.SUCCESS)], 5: [Mark(Verdict.SUCCESS)], 8: [Mark(Verdict.SUCCESS)]}
    result = marking.run(DEMONSTRATION, keys, person=True, rules=rules)
    assert [step.reward for step in marking.steps] == [0, 0, 1, 1, 1, 0, 0, 0, 1, 1]
    assert not any(step.terminated for step in marking.steps) and marking.steps[-1].truncated
    assert result.ended_by is EndedBy.SUCCESS and result.steps == 10


def test_marks_end_with_their_episode(marking: Bench) -> None:
    rules = Rules(end_on_success=False)
    marking.run(DEMONSTRATION, {8: [Mark(Verdict.SUCCESS)]}, person=True, rules=rules)
    marking.run(DEMONSTRATION, {}, person=True, rules=rules)
    assert not any(step.reward for step in marking.steps)


def test_a_failure_ends_an_episode_whose_steps_are_marked(marking: Bench) -> None:
    rules = Rules(keep_failures=True, end_on_success=False)
    keys = {2: [Mark(Verdict.SUCCESS)], 4: [Mark(Verdict.FAILURE)]}
    result = marking.run(DEMONSTRATION, keys, person=True, rules=rules)
    assert result.ended_by is EndedBy.FAILURE and [step.reward for step in marking.steps] == [0, 0, 1, 1, 0]


@pytest.mark.parametrize(("keep", "moved"), [(True, 0.5), (False, 0.0)])
def test_the_motion_that_began_the_episode_is_its_first(bench: Bench, keep: bool, moved: float) -> None:
    rules = Rules(keep_failures=True, keep_first_motion=keep)
    keys = {3: [Mark(Verdict.FAILURE)]}
    bench.run(DEMONSTRATION, keys, person=True, rules=rules, pressed=(Jog(Axis.Y, 1),))
    assert bench.steps[0].action[1] == pytest.approx(moved)


@pytest.mark.parametrize(
    ("keys", "rules"),
    [
        ({"mode": "record", "dataset.root": "d"}, Rules(keep_failures=True)),
        (
            {"mode": "record", "dataset.root": "d", "dataset.start_on_motion": True},
            Rules(keep_failures=True, keep_first_motion=True),
        ),
        ({"dataset.start_on_motion": True}, Rules()),
        ({"env.processor.reset.terminate_on_success": False}, Rules(end_on_success=False)),
    ],
)
def test_the_rules_are_the_configuration_s(keys: dict[str, object], rules: Rules) -> None:
    assert Rules.of(altered(keys)) == rules


def test_the_arm_rests_where_the_episode_will_begin(bench: Bench) -> None:
    bench.env.rest(seed=5)
    resting = bench.port.task_state().object_position_m
    bench.run(DEMONSTRATION, {0: [Mark(Verdict.FAILURE)]}, person=True)  # its seed is 5
    bench.env.reset(seed=5)
    assert np.allclose(bench.port.task_state().object_position_m, resting)
