"""A Gymnasium environment's run on the screens: nothing of an arm is shown where there is none."""

from msgspec.structs import replace

from tests.console import demo
from tests.console.still import Still
from tests.console.test_screens import LARGE, SIZES, drawn
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import Arm, ConsoleState

OPENED = replace(
    demo.OPENED,
    task="gym_hil/PandaPickCube-v0",
    cameras=("render",),
    has_arm=False,
    ee_min_m=(0, 0, 0),
    ee_max_m=(0, 0, 0),
)


def training(driver: e.Driver = e.Driver.POLICY) -> ConsoleState:
    """The demonstration's run, had it been one without robot and camera workers."""
    state = demo.training(driver)
    workers = {name: worker for name, worker in state.workers.items() if name in ("actor", "learner")}
    return replace(reduce(state, OPENED), arm=Arm(), workers=workers, frames={})


@SIZES
async def test_the_policy_drives_though_no_gate_says_so(size):
    rows = await drawn(Still(training()), size)
    assert "▶ POLICY" in rows[0]
    assert "this environment has no arm" in "\n".join(rows)
    assert "+0.000" not in "\n".join(rows)


@SIZES
async def test_a_person_has_the_controls_of_an_environment(size):
    rows = await drawn(Still(training(e.Driver.HUMAN)), size)
    assert "▲ HUMAN" in rows[0]
    assert "you have the controls" in rows[0]


async def test_a_stop_says_that_no_step_is_taken():
    rows = await drawn(Still(reduce(training(), e.StopLatched(""))), LARGE)
    assert "no step is taken" in rows[1]
    assert "slowly" not in rows[1]


async def test_home_names_the_environment_and_its_pictures():
    text = "\n".join(await drawn(Still(training()), LARGE, "1"))
    assert "gym_hil/PandaPickCube-v0" in text
    assert "Gymnasium environment" in text
    assert "2 workers up, pictures render" in text
    assert "SO-101" not in text
