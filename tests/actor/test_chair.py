"""Who drives follows from the operator's keys, and from nothing else."""

from workers.actor.chair import PAUSED, Chair
from workers.model.commands import Axis, Intervene, Jog, Mark, Pause, UseScript, Verdict
from workers.model.events import Driver


def test_the_policy_drives_while_nobody_asks() -> None:
    assert Chair(scripted=False, jog_step=0.5).driver(script_wants=False) is Driver.POLICY


def test_taking_over_sends_the_scripted_person_away() -> None:
    chair = Chair(scripted=True, jog_step=0.5)
    assert chair.driver(script_wants=True) is Driver.SCRIPTED
    chair.take(Intervene(True))
    assert chair.driver(script_wants=True) is Driver.HUMAN
    chair.take(Intervene(False))
    assert chair.driver(script_wants=True) is Driver.POLICY, "it comes back only when asked"
    chair.take(UseScript(True))
    assert chair.driver(script_wants=True) is Driver.SCRIPTED


def test_seating_the_script_takes_the_arm_from_the_person() -> None:
    chair = Chair(scripted=False, jog_step=0.5)
    chair.take(Intervene(True))
    chair.take(UseScript(True))
    assert chair.driver(script_wants=False) is Driver.POLICY


def test_jog_keys_count_only_while_the_person_drives() -> None:
    chair = Chair(scripted=False, jog_step=0.5)
    chair.take(Jog(Axis.X, 1))
    assert chair.take_jogs() == []
    chair.take(Intervene(True))
    chair.take(Jog(Axis.X, 1))
    chair.take(Jog(Axis.Z, -1))
    assert [jog.axis for jog in chair.take_jogs()] == [Axis.X, Axis.Z]
    assert chair.take_jogs() == []


def test_a_jog_pressed_before_giving_back_is_not_kept_for_later() -> None:
    chair = Chair(scripted=False, jog_step=0.5)
    chair.take(Intervene(True))
    chair.take(Jog(Axis.X, 1))
    chair.take(Intervene(False))
    chair.take(Intervene(True))
    assert chair.take_jogs() == []


def test_a_verdict_is_taken_once() -> None:
    chair = Chair(scripted=False, jog_step=0.5)
    chair.take(Mark(Verdict.SUCCESS))
    assert chair.take_verdict() is Verdict.SUCCESS
    assert chair.take_verdict() is None


def test_the_operators_pause_outlives_other_reasons_to_hold() -> None:
    chair = Chair(scripted=False, jog_step=0.5)
    chair.take(Pause(True))
    chair.hold("the console is gone", True)
    chair.hold("the console is gone", False)
    assert chair.holds == {PAUSED}
    chair.take(Pause(False))
    assert not chair.holds
