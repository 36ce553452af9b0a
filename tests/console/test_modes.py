"""What the console shows of a run that only records or replays, and of one that sends no pictures."""

from msgspec.structs import replace

from tests.console import demo
from tests.console.still import Still
from tests.console.test_screens import LARGE, SMALL, drawn
from workers.model import events as e
from workers.model.reduce import reduce
from workers.model.state import ConsoleState


def opened(*events: e.Event, **changes: object) -> ConsoleState:
    """A run whose opening differs from the demo's, and what happened then."""
    state = demo.fold(demo.opening())
    for event in (replace(demo.OPENED, **changes), *events):
        state = reduce(state, event)
    return state


async def test_a_camera_pane_says_that_pictures_are_off_by_configuration():
    state = replace(demo.training(), run=replace(demo.OPENED, previews=False))
    text = "\n".join(await drawn(Still(state), LARGE))
    assert text.count("off: display_cameras = false") == len(demo.OPENED.cameras)
    assert "▀" * 20 not in text


async def test_a_recording_has_no_steps_of_training():
    recording = e.PhaseChanged(e.Phase.RECORDING, "recording demonstrations", 2, 5)
    text = "\n".join(
        await drawn(Still(opened(recording, trains=False, demonstrations_wanted=5)), SMALL, train=False)
    )
    assert "2 of 5, by the scripted operator" in text
    assert "evaluation" not in text and "training" not in text
    assert "watch and take part" in text


async def test_a_replay_is_drawn_as_one_and_wants_no_demonstrations():
    replayed = e.EpisodeEnded(0, e.EpisodeKind.REPLAY, 1.0, 9, 0, 0, e.EndedBy.SUCCESS, 0.9)
    phase = e.PhaseChanged(e.Phase.REPLAYING, "replaying episode 4 of the dataset", 0, 1)
    state = opened(phase, replayed, trains=False, demonstrations_wanted=0)
    home = "\n".join(await drawn(Still(state), LARGE, train=False))
    assert "replaying episode 4 of the dataset" in home and "demonstrations" not in home
    assert "▶" in "\n".join((await drawn(Still(state), LARGE))[2:])
