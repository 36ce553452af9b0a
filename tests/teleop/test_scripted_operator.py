"""When the scripted person takes over, and when it lets go."""

import numpy as np

from workers.model.events import EpisodeKind
from workers.processors.transition import Action
from workers.teleop.scripted_operator import LONGEST_HELP_STEPS, ScriptedOperator
from workers.teleop.scripts import TaskView

SCENE = TaskView(np.zeros(3), np.zeros(3), np.zeros(3), 0.0)


class Told:
    """A script that thinks what it is told."""

    left_m, done = 1.0, False

    def action(self, scene: TaskView) -> Action:
        return np.zeros(3, np.float32)

    def remaining_m(self, scene: TaskView) -> float:
        return self.left_m

    def nearly_done(self, scene: TaskView) -> bool:
        return self.done


def operator(patience_steps: int = 3, seed: int = 0) -> tuple[ScriptedOperator, Told]:
    script = Told()
    person = ScriptedOperator(patience_steps, script, np.random.default_rng(seed))
    person.begin_episode(EpisodeKind.TRAINING)
    return person, script


def test_it_waits_as_long_as_there_is_progress_and_takes_over_when_it_stops() -> None:
    person, script = operator()
    for _ in range(10):
        script.left_m -= 0.01
        assert not person.wants_control(SCENE)
    assert [person.wants_control(SCENE) for _ in range(3)] == [False, False, True]


def test_it_tires_of_helping_and_lets_the_policy_try_again() -> None:
    person, _ = operator(patience_steps=1)
    helped = [person.wants_control(SCENE) for _ in range(LONGEST_HELP_STEPS + 3)]
    assert not helped[0] and all(helped[1 : LONGEST_HELP_STEPS + 1]) and not helped[LONGEST_HELP_STEPS + 1]


def test_it_often_lets_go_once_the_difficult_part_is_over() -> None:
    let_go = 0
    for seed in range(20):
        person, script = operator(1, seed)
        person.wants_control(SCENE)
        assert person.wants_control(SCENE)
        script.done = True
        let_go += not person.wants_control(SCENE)
    assert 4 < let_go < 16


def test_it_demonstrates_always_and_evaluates_never() -> None:
    person, _ = operator()
    person.begin_episode(EpisodeKind.DEMONSTRATION)
    assert person.wants_control(SCENE)
    person.begin_episode(EpisodeKind.EVALUATION)
    assert not any(person.wants_control(SCENE) for _ in range(10))


class Failing:
    """Says that it failed, in its actions."""

    begun = 0

    def begin(self) -> None:
        self.begun += 1

    def action(self, scene: TaskView) -> Action:
        return np.ones(3, np.float32)


def test_it_fails_in_the_share_of_demonstrations_that_is_asked_for_evenly() -> None:
    clumsy = Failing()
    person = ScriptedOperator(3, Told(), np.random.default_rng(0), clumsy, failures=1 / 3)
    failed = []
    for _ in range(30):
        person.begin_episode(EpisodeKind.DEMONSTRATION)
        failed.append(bool(person.action(SCENE).any()))
    assert failed == [False, False, True] * 10
    assert clumsy.begun == 10


def test_it_never_fails_on_purpose_where_it_helps_a_policy() -> None:
    person = ScriptedOperator(3, Told(), np.random.default_rng(0), Failing(), failures=1.0)
    person.begin_episode(EpisodeKind.DEMONSTRATION)
    assert person.action(SCENE).any()
    person.begin_episode(EpisodeKind.TRAINING)
    assert not person.action(SCENE).any()
