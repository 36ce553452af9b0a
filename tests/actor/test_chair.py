"""Who drives follows from the operator's keys, and from nothing else."""

import numpy as np

from workers.actor.chair import PAUSED, Chair
from workers.model.commands import Axis, Intervene, Jog, Mark, Pause, UseScript, Verdict
from workers.model.events import Driver
from workers.teleop.device import DeviceWord


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


def word(intervene: bool = False, **rest: object) -> DeviceWord:
    return DeviceWord("gamepad", live=True, lost=False, intervene=intervene, **rest)  # type: ignore[arg-type]


def test_a_trigger_has_the_arm_for_as_long_as_it_is_held() -> None:
    chair = Chair(scripted=True, jog_step=0.5, device="gamepad")
    chair.feel(word(intervene=True))
    assert chair.driver(script_wants=True) is Driver.HUMAN and not chair.scripted
    chair.feel(word())
    assert chair.driver(script_wants=False) is Driver.POLICY


def test_the_intervene_key_gives_back_until_the_trigger_is_pulled_anew() -> None:
    chair = Chair(scripted=False, jog_step=0.5, device="gamepad")
    chair.feel(word(intervene=True))
    chair.take(Intervene(False))
    chair.feel(word(intervene=True))
    assert not chair.has_person
    chair.feel(word())
    chair.feel(word(intervene=True))
    assert chair.has_person


def test_the_intervene_key_keeps_the_arm_when_the_trigger_is_let_go() -> None:
    chair = Chair(scripted=False, jog_step=0.5, device="gamepad")
    chair.take(Intervene(True))
    chair.feel(word(intervene=True))
    chair.feel(word())
    assert chair.has_person and chair.drives_by_device


def test_a_device_that_is_gone_is_a_reason_to_hold_until_it_is_back() -> None:
    chair = Chair(scripted=False, jog_step=0.5, device="gamepad")
    chair.feel(DeviceWord(reason="unplugged"))
    chair.feel(DeviceWord(reason="no permission"))
    assert chair.holds == {"gamepad gone: no permission; space takes it by keys"}
    chair.feel(word())
    assert not chair.holds


def test_who_takes_the_arm_by_key_while_the_device_is_gone_drives_by_keys() -> None:
    chair = Chair(scripted=False, jog_step=0.5, device="gamepad")
    chair.feel(DeviceWord(reason="none found"))
    chair.take(Intervene(True))
    chair.feel(DeviceWord(reason="none found"))
    assert not chair.holds and chair.driver(script_wants=False) is Driver.HUMAN
    chair.take(Jog(Axis.X, 1))
    assert len(chair.take_jogs()) == 1
    chair.take(Intervene(False))
    chair.feel(DeviceWord(reason="none found"))
    assert not chair.holds, "given back by key, by a person"
    chair.feel(word())
    chair.feel(DeviceWord(reason="unplugged"))
    assert chair.holds, "lost anew: nobody has decided yet"


def test_a_plug_that_comes_out_of_a_hand_that_took_the_arm_by_key_is_a_reason_to_hold() -> None:
    chair = Chair(scripted=False, jog_step=0.5, device="gamepad")
    chair.feel(word())
    chair.take(Intervene(True))
    chair.feel(DeviceWord(reason="unplugged"))
    assert chair.holds and chair.has_person


def test_a_scripted_person_needs_no_device() -> None:
    chair = Chair(scripted=True, jog_step=0.5, device="gamepad")
    chair.feel(DeviceWord(reason="unplugged"))
    assert not chair.holds


def test_a_leader_arm_moves_when_its_pose_does() -> None:
    chair = Chair(scripted=False, jog_step=0.5, device="leader arm", asks_once=True)
    chair.feel(word(joints_deg=np.zeros(6)))
    chair.take(Intervene(True))
    chair.feel(word(joints_deg=np.full(6, 0.5)))
    assert not chair.moves, "the trembling of a hand"
    chair.feel(word(joints_deg=np.array([0, 0, 3.0, 0, 0, 0])))
    assert chair.moves
