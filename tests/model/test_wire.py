"""Frames survive the wire, and nothing else passes for one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.model import commands as c
from workers.model import events as e
from workers.model import wire
from workers.model.reduce import reduce
from workers.model.state import ConsoleState

EVERY_EVENT = [
    e.RunOpened("r", "d", "c", "t", 10, ("front",), (0, 0, 0), (1, 1, 1), 10, 10, 0.5, 2, 20, True),
    e.PhaseChanged(e.Phase.TRAINING, "x", 1, 2),
    e.FramePreview("front", 2, 1, bytes(range(6))),
    e.EpisodeEnded(1, e.EpisodeKind.TRAINING, 1.0, 3, 0, 0, e.EndedBy.SUCCESS, 1.0),
    e.LoopRate("actor", 10.0, 100.0, 101.0, 0, {"policy": 2.0}),
    e.StopLatched("me"),
]


def test_events_and_snapshots_come_back_equal() -> None:
    state = ConsoleState()
    for event in EVERY_EVENT:
        state = reduce(state, event)
    for message in (wire.Batch(EVERY_EVENT), wire.Welcome(1, 2, state, 3.0), wire.Refused("why", "fix")):
        framed = wire.frame(message)
        assert wire.frame_length(framed[: wire.HEAD_BYTES]) == len(framed) - wire.HEAD_BYTES
        assert wire.decode_from_station(framed[wire.HEAD_BYTES :]) == message


def test_commands_come_back_equal() -> None:
    for command in (c.Jog(c.Axis.Z, -1, 2.5), c.Mark(c.Verdict.RERECORD), c.Intervene(True), c.Stop("key")):
        assert wire.decode_from_console(wire.frame(command)[wire.HEAD_BYTES :]) == command


@given(st.binary(max_size=200))
def test_random_bytes_raise_only_the_wire_error(body: bytes) -> None:
    for decode in (wire.decode_from_console, wire.decode_from_station):
        try:
            decode(body)
        except wire.WireError:
            continue


def test_an_oversized_frame_is_refused_before_it_is_read() -> None:
    with pytest.raises(wire.WireError, match="limit"):
        wire.frame_length((wire.MAX_FRAME_BYTES + 1).to_bytes(4, "big"))


def test_all_events_are_on_the_wire() -> None:
    """A type left out of the union would be lost silently on its way to a console."""
    kinds = {
        k for k in vars(e).values() if isinstance(k, type) and issubclass(k, e.Event) and k is not e.Event
    }
    assert kinds == set(e.AnyEvent.__args__)
    assert all(issubclass(k, msgspec.Struct) for k in kinds)
