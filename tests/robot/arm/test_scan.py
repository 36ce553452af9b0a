"""The search of a bus: any subset of servos, at any rate, doubled or broken."""

from collections.abc import Iterable

from tests.emulators.bus import emulated_bus
from tests.robot.arm.opened import opened
from workers.robot.bus import BAUDS, Bus
from workers.robot.scan import Found, Progress, scan, verdict


def found_on(bus: Bus, every_id: bool = False, bauds: tuple[int, ...] = BAUDS) -> list[Found]:
    return [each for each in scan(bus, every_id, bauds, call_s=0.05) if isinstance(each, Found)]


def ids(found: Iterable[Found]) -> list[int]:
    return [each.servo_id for each in found]


def test_a_whole_arm_is_found_and_nothing_is_wrong_with_it() -> None:
    with emulated_bus(volts=12.0) as emulated, opened(emulated) as bus:
        steps = list(scan(bus, call_s=0.05))
        found = [each for each in steps if isinstance(each, Found)]
        progress = [each for each in steps if isinstance(each, Progress)]
        assert ids(found) == [1, 2, 3, 4, 5, 6]
        assert all(each.sound and each.baud == 1_000_000 and each.firmware == "3.10" for each in found)
        assert all(11.0 < each.voltage_v < 12.5 for each in found)
        assert verdict(found) == []
        assert [each.done for each in progress] == sorted(each.done for each in progress)
        assert progress[-1].done == progress[-1].total
        assert bus.port.baud == BAUDS[0]


def test_a_chain_that_breaks_is_said_to_break_there() -> None:
    plugged = ("shoulder_pan", "shoulder_lift", "elbow_flex")
    with emulated_bus(plugged=plugged) as emulated, opened(emulated) as bus:
        found = found_on(bus)
        assert ids(found) == [1, 2, 3]
        (line,) = verdict(found)
        assert "id 4, 5, 6 did not answer: the chain breaks after id 3" in line


def test_one_servo_with_any_id_at_any_rate_is_found() -> None:
    for seed in range(3):
        with emulated_bus(state="random", seed=seed, plugged=("gripper",)) as emulated:
            table = emulated.registers("gripper")
            with opened(emulated) as bus:
                (servo,) = found_on(bus)
            assert (servo.servo_id, servo.baud) == (table[5], BAUDS[table[6]])
            assert servo.sound


def test_two_servos_with_one_id_are_seen() -> None:
    with emulated_bus(state="assembled") as emulated:
        emulated.ask("store", joint="elbow_flex", register="ID", value=2)
        with opened(emulated) as bus:
            found = found_on(bus, bauds=BAUDS[:1])
        assert [each.servo_id for each in found if each.unreadable] == [2]
        lines = verdict(found)
        assert any("two servos have this id" in line for line in lines)
        assert any("id 3 did not answer" in line for line in lines)


def test_noise_on_the_line_is_named() -> None:
    with emulated_bus() as emulated, opened(emulated) as bus:
        emulated.script("noise", data="55", count=0)
        lines = verdict(found_on(bus, bauds=BAUDS[:1]))
        assert lines and all("noise on the line" in line for line in lines), lines


def test_a_servo_that_answers_no_call_to_everybody_is_found_by_its_id() -> None:
    """Its answer to the broadcast is lost every time."""
    with emulated_bus(state="assembled", plugged=("gripper",)) as emulated:
        emulated.ask("store", joint="gripper", register="ID", value=77)
        with opened(emulated) as bus:
            emulated.script("drop", ids=[77], count=1)
            assert found_on(bus, bauds=BAUDS[:1]) == []
            emulated.script("drop", ids=[77], count=1)
            assert ids(found_on(bus, every_id=True, bauds=BAUDS[:1])) == [77]


def test_what_is_wrong_is_told_servo_by_servo() -> None:
    with emulated_bus(models=(777, 777, 777, 777, 777, 1029)) as emulated, opened(emulated) as bus:
        emulated.ask("errors", joint="wrist_flex", bits=0x20)
        lines = verdict(found_on(bus, bauds=BAUDS[:1]))
        assert any("id 4 reports overload" in line for line in lines)
        assert any("id 6 is model 1029" in line for line in lines)


def test_an_empty_bus_has_its_likely_causes() -> None:
    with emulated_bus(plugged=()) as emulated, opened(emulated) as bus:
        (line,) = verdict(found_on(bus))
        assert "supply" in line
