"""Set-up of servos: one at a time, resumable, never an id twice."""

import pytest

from tests.emulators.bus import EmulatedBus, emulated_bus
from tests.robot.arm.opened import opened
from workers.robot.bus import BAUDS, Bus
from workers.robot.figures import JOINT_NAMES
from workers.robot.motor_setup import (
    MotorSetup,
    SetupFailed,
    Verdict,
    find_all,
    give_id,
    joint_of,
    whole_chain,
)
from workers.robot.scan import Found


def ignore(_: object) -> None:
    """Words of progress, which nobody wants here."""


def found_on(bus: Bus) -> list[Found]:
    return find_all(bus, ignore, call_s=0.05)


def only(emulated: EmulatedBus, joint: str) -> None:
    for each in JOINT_NAMES:
        emulated.ask("unplug_joint", joint=each)
    emulated.ask("plug", joint=joint)


def set_up(emulated: EmulatedBus, bus: Bus, setup: MotorSetup, joint: str) -> Verdict:
    only(emulated, joint)
    judgement = setup.judge(found_on(bus))
    wanted = setup.next_id
    assert wanted is not None
    if judgement.verdict in (Verdict.NEW, Verdict.DONE_BEFORE):
        assert judgement.servo is not None
        give_id(bus, judgement.servo, wanted)
    setup.finish(wanted)
    return judgement.verdict


@pytest.mark.parametrize("seed", [1, 2])
def test_servos_out_of_their_bags_end_with_ids_1_to_6_at_1_megabaud(seed: int) -> None:
    with emulated_bus(state="random", seed=seed, plugged=()) as emulated, opened(emulated) as bus:
        setup = MotorSetup()
        order = []
        while (wanted := setup.next_id) is not None:
            order.append(joint_of(wanted))
            set_up(emulated, bus, setup, joint_of(wanted))
        assert order == list(reversed(JOINT_NAMES))
        for joint in JOINT_NAMES:
            emulated.ask("plug", joint=joint)
        emulated.power_cycle()
        told: list[Found] = []
        assert whole_chain(bus, told.append) == []
        assert [each.servo_id for each in told] == [1, 2, 3, 4, 5, 6]
        for number, joint in enumerate(JOINT_NAMES, 1):
            table = emulated.registers(joint)
            assert (table[5], table[6], table[55]) == (number, 0, 1)


def test_a_set_up_that_was_broken_off_goes_on_from_the_chain() -> None:
    with emulated_bus(state="factory") as emulated, opened(emulated) as bus:
        first = MotorSetup()
        for joint in ("gripper", "wrist_roll", "wrist_flex"):
            set_up(emulated, bus, first, joint)
        for joint in ("gripper", "wrist_roll", "wrist_flex"):
            emulated.ask("plug", joint=joint)
        second = MotorSetup()
        second.resume(found_on(bus))
        assert second.done == {4, 5, 6}
        assert second.next_id == 3


def test_a_set_up_without_its_memory_sees_what_is_ready() -> None:
    with emulated_bus(state="assembled", plugged=()) as emulated, opened(emulated) as bus:
        assert set_up(emulated, bus, MotorSetup(), "gripper") is Verdict.READY


def test_a_single_servo_is_no_chain_that_was_begun() -> None:
    setup = MotorSetup()
    setup.resume([Found(6, BAUDS[0], model=777)])
    assert setup.next_id == 6


def test_several_servos_none_and_strangers_are_refused() -> None:
    setup = MotorSetup()
    sound = Found(1, BAUDS[0], model=777)
    assert setup.judge([]).verdict is Verdict.NONE
    assert setup.judge([sound, Found(3, BAUDS[0], model=777)]).verdict is Verdict.SEVERAL
    assert setup.judge([Found(1, BAUDS[0], model=1029)]).verdict is Verdict.STRANGER
    assert setup.judge([sound]).verdict is Verdict.NEW


def test_the_servo_that_was_done_last_and_is_still_plugged_in_is_not_given_a_second_id() -> None:
    with emulated_bus(state="factory") as emulated, opened(emulated) as bus:
        setup = MotorSetup()
        set_up(emulated, bus, setup, "gripper")
        judgement = setup.judge(found_on(bus))
        assert judgement.verdict is Verdict.DONE_BEFORE
        assert "which gripper has" in judgement.text


def test_two_servos_of_one_id_are_never_given_another() -> None:
    with (
        emulated_bus(state="factory", plugged=("gripper", "wrist_roll")) as emulated,
        opened(emulated) as bus,
    ):
        judgement = MotorSetup().judge(found_on(bus))
        assert judgement.verdict is Verdict.UNREADABLE
        assert "two servos" in judgement.text


def test_a_servo_that_was_broken_off_between_id_and_rate_is_found_again() -> None:
    with emulated_bus(state="factory", plugged=("gripper",)) as emulated, opened(emulated) as bus:
        emulated.ask("store", joint="gripper", register="BAUD", value=4)
        emulated.ask("store", joint="gripper", register="ID", value=6)
        assert set_up(emulated, bus, MotorSetup(), "gripper") is Verdict.NEW
        assert tuple(emulated.registers("gripper")[5:7]) == (6, 0)


def test_a_servo_that_does_not_take_its_id_is_said_to_be_so() -> None:
    with emulated_bus(state="factory", plugged=("gripper",)) as emulated, opened(emulated) as bus:
        (servo,) = found_on(bus)
        emulated.script("lost", register=5, count=0)
        with pytest.raises(SetupFailed, match="keeps id 1"):
            give_id(bus, servo, 6)


def test_a_servo_that_nobody_heard_is_not_said_to_have_answered() -> None:
    with emulated_bus(state="assembled") as emulated, opened(emulated) as bus:
        emulated.ask("store", joint="elbow_flex", register="ID", value=73)  # its turn went to another servo
        (wrong,) = whole_chain(bus, ignore)
        assert wrong.startswith("elbow_flex (id 3): nobody answers")
        assert "another id" in wrong
        assert "answered once" not in wrong
