"""Set-up of servos as a person does it: with a keyboard, one cable after the other, and mistakes."""

import pytest

from tests.emulators.bus import emulated_bus
from tests.robot.arm.tool import plug_only, tool
from workers.robot.figures import JOINT_NAMES

pytestmark = pytest.mark.slow


def test_six_servos_out_of_their_bags_are_set_up_after_mistakes() -> None:
    with emulated_bus(state="factory") as emulated, tool("setup-motors", "--port", emulated.port) as setup:
        setup.wait_for("Plug in the servo of gripper")
        setup.enter()
        setup.wait_for("no servo answers")
        for number, joint in enumerate(reversed(JOINT_NAMES)):
            setup.wait_for(f"Plug in the servo of {joint}", times=2 if joint == "gripper" else 1)
            if number == 1:
                setup.enter()  # the last one is still plugged in
                setup.wait_for("is it still that one")
                setup.enter()
                setup.wait_for(f"Plug in the servo of {joint}", times=2)
            plug_only(emulated, joint)
            setup.enter()
            setup.wait_for(f"{joint} has id {6 - number}")
        setup.wait_for("Plug the whole chain together")
        plug_only(emulated, *JOINT_NAMES)
        setup.enter()
        assert setup.end() == 0, setup.said
        assert [emulated.registers(joint)[5] for joint in JOINT_NAMES] == [1, 2, 3, 4, 5, 6]
